"""Errors as ``application/problem+json`` (RFC 9457), without paths or tracebacks."""

from __future__ import annotations

import math
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from edgewright.tools.contracts.problems import Problem
from edgewright.tools.errors import EdgewrightError, ErrorInfo

MEDIA_TYPE = "application/problem+json"


def problem_response(error: EdgewrightError, request_id: str) -> Response:
    """Render an error.

    Args:
        error: The error.
        request_id: Identifies the call in the log.
    """
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    info = error.info()
    if info.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="edgewright"'
    return _render(info, request_id, headers)


async def http_exception(request: Request, error: Exception) -> Response:
    """Render an error of the router: an unknown path, or a method that is not allowed."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    info = ErrorInfo(
        code=phrase.lower().replace(" ", "_"),
        message=f"{request.method} {request.url.path[:200]}: {phrase.lower()}",
        retryable=False,
        status=error.status_code,
    )
    return _render(info, request.scope.get("request_id", ""), dict(error.headers or {}))


async def invalid_parameter(request: Request, error: Exception) -> Response:
    """Render a parameter of the query that does not have the type which the route expects."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    info = ErrorInfo(
        code="invalid_parameter",
        message=f"{first['loc'][-1]}: {first['msg']}",
        retryable=False,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
    )
    return _render(info, request.scope.get("request_id", ""), {})


def _render(info: ErrorInfo, request_id: str, headers: dict[str, str]) -> Response:
    problem = Problem(
        type=f"urn:edgewright:problem:{info.code}",
        title=HTTPStatus(info.status).phrase,
        status=info.status,
        detail=info.message,
        code=info.code,
        retryable=info.retryable,
        request_id=request_id,
        error=info.message,
    )
    return Response(problem.model_dump_json(), info.status, headers=headers, media_type=MEDIA_TYPE)
