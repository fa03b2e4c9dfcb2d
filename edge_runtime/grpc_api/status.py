"""Errors as statuses of gRPC."""

from __future__ import annotations

import math

import grpc

from edgewright.tools.contracts.invocation import REQUEST_ID_HEADER
from edgewright.tools.errors import EdgewrightError

#: Metadata with the id of a request, of calls and of responses.
REQUEST_ID = REQUEST_ID_HEADER.lower()
#: Metadata with the code of an error, which is finer than the status.
ERROR_CODE = "edgewright-code"
#: Metadata from which clients of gRPC read how long to wait before a retry.
_PUSHBACK = "grpc-retry-pushback-ms"

#: By the status that HTTP would have.
_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    # An image with too many pixels; gRPC itself refuses a message that is too long.
    413: grpc.StatusCode.INVALID_ARGUMENT,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
    507: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


def code_of(error: EdgewrightError) -> grpc.StatusCode:
    """Return the status that reports an error."""
    return _CODES.get(error.info().status, grpc.StatusCode.INTERNAL)


def trailers_of(error: EdgewrightError | None, identity: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata at the end of a call.

    Args:
        error: The error, if the call failed.
        identity: Id of the request.
    """
    trailers = [(REQUEST_ID, identity)]
    if error is not None:
        trailers.append((ERROR_CODE, error.info().code))
        if error.retry_after_s is not None:
            trailers.append((_PUSHBACK, str(math.ceil(error.retry_after_s * 1000))))
    return tuple(trailers)
