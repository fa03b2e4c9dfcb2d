"""Errors in OpenAI's form."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from edgewright.tools.errors import EdgewrightError, ErrorInfo, InputError

#: Fields of the form; ``param`` names the field of the request that is wrong.
Json = dict[str, Any]

_TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}


class RequestError(InputError):
    """A field of a request is missing or wrong.

    Args:
        message: What is wrong and how to fix it.
        param: Name of the field.
        code: Code of the error.
    """

    code = "invalid_request"
    status = 400

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.param = param


class UnknownModelError(RequestError):
    """No model of that name."""

    code = "model_not_found"
    status = 404


def error_body(error: EdgewrightError) -> Json:
    """Return the body that reports an error."""
    info = error.info()
    return {
        "error": {
            "message": info.message,
            "type": _type_of(info),
            "param": getattr(error, "param", None),
            "code": info.code,
        }
    }


def error_response(error: EdgewrightError) -> JSONResponse:
    """Return the response that reports an error."""
    headers: dict[str, str] = {}
    status = error.info().status
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="edgewright"'
    return JSONResponse(error_body(error), status, headers)


def _type_of(info: ErrorInfo) -> str:
    if info.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "server_error"
    return _TYPES.get(HTTPStatus(info.status), "invalid_request_error")
