"""Errors as statuses of gRPC, and the addresses of its callers."""

import grpc
import pytest

from edgewright.edge_runtime.grpc_api.service import caller_address
from edgewright.edge_runtime.grpc_api.status import code_of, trailers_of
from edgewright.tools import errors

CODES = {
    errors.InputError: "INVALID_ARGUMENT",
    errors.MediaTypeError: "INVALID_ARGUMENT",
    errors.TooLargeError: "INVALID_ARGUMENT",
    errors.RefusedError: "INVALID_ARGUMENT",
    errors.NotFoundError: "NOT_FOUND",
    errors.AuthenticationError: "UNAUTHENTICATED",
    errors.ScopeError: "PERMISSION_DENIED",
    errors.OverloadedError: "RESOURCE_EXHAUSTED",
    errors.StorageError: "RESOURCE_EXHAUSTED",
    errors.UnavailableError: "UNAVAILABLE",
    errors.WorkerLostError: "UNAVAILABLE",
    errors.LinkError: "UNAVAILABLE",
    errors.DeadlineError: "DEADLINE_EXCEEDED",
    errors.EdgewrightError: "INTERNAL",
}


@pytest.mark.parametrize(("error", "name"), CODES.items(), ids=lambda value: str(value))
def test_each_error_has_its_status(error, name):
    assert code_of(error("why")) is grpc.StatusCode[name]


def test_an_error_carries_its_code_and_when_to_retry():
    error = errors.OverloadedError("full", retry_after_s=0.25)
    assert dict(trailers_of(error, "id")) == {
        "edgewright-request-id": "id",
        "edgewright-code": "overloaded",
        "grpc-retry-pushback-ms": "250",
    }
    assert dict(trailers_of(None, "id")) == {"edgewright-request-id": "id"}


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("unix:/tmp/a:b/192.0.2.1:50051", "192.0.2.1"),
        ("unix:%2Ftmp%2Fa/::1:7", "::1"),
        ("unix:/tmp/a/fe80::1%25eth0:7", "fe80::1%eth0"),
        ("", ""),
    ],
)
def test_callers_have_the_address_that_they_have_over_http(peer, address):
    assert caller_address(peer) == address
