"""An error keeps its code and its retryability across a process or a socket."""

import pickle

import pytest

from edgewright.tools import errors

FAMILY = [
    cls
    for cls in vars(errors).values()
    if isinstance(cls, type) and issubclass(cls, errors.EdgewrightError)
]


@pytest.mark.parametrize("cls", FAMILY)
def test_round_trip_keeps_what_a_caller_acts_on(cls: type[errors.EdgewrightError]) -> None:
    exact = cls("no such thing; do that", code="exact_code").info()
    rebuilt = errors.from_info(exact)
    assert rebuilt.info() == exact
    assert pickle.loads(pickle.dumps(rebuilt)).info() == exact
    assert type(errors.from_info(cls("no such thing").info())) is cls


def test_an_unknown_status_keeps_its_retryability() -> None:
    info = errors.ErrorInfo(code="teapot", message="short and stout", retryable=True, status=418)
    rebuilt = errors.from_info(info)
    assert isinstance(rebuilt, errors.TransientError)
    assert rebuilt.info().code == "teapot"


def test_codes_are_distinct() -> None:
    codes = [cls.code for cls in FAMILY]
    assert len(set(codes)) == len(codes)
