"""The OpenAPI description: what FastAPI generates, plus bodies and errors."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from edgewright.servers.openai.requests import ChatRequest
from edgewright.servers.openai.responses_input import ResponsesRequest
from edgewright.servers.openai.routes import PREFIX

Json = dict[str, Any]

_BODIES: dict[str, type[BaseModel]] = {
    f"{PREFIX}/chat/completions": ChatRequest,
    f"{PREFIX}/responses": ResponsesRequest,
}
_REFERENCE = "#/components/schemas/{model}"
#: Errors of every path, and of those with a body.
_COMMON = (401, 403, 404, 429, 500, 503)
_WITH_BODY = (400, 413, 415, 422, 502, 504, 507)
_ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        }
    },
}


def describe(app: FastAPI, *, secured: bool) -> Json:
    """Return the description.

    Args:
        app: The application.
        secured: Whether callers need a key.
    """
    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schemas: Json = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Error"] = _ERROR
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _complete(operation, _BODIES.get(path), schemas)
            if secured:
                operation["security"] = [{"key": []}]
    if secured:
        schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return schema


def _complete(operation: Json, body: type[BaseModel] | None, schemas: Json) -> None:
    """Add the body and the errors of an operation."""
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own form
    for status in (*_COMMON, *(_WITH_BODY if body else ())):
        content = {"application/json": {"schema": {"$ref": _REFERENCE.format(model="Error")}}}
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    if body is None:
        return
    described = body.model_json_schema(ref_template=_REFERENCE, by_alias=True)
    schemas.update(described.pop("$defs", {}))
    schemas[body.__name__] = described
    reference = {"$ref": _REFERENCE.format(model=body.__name__)}
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": reference}},
    }
    responses["200"] = {
        "description": "The answer; server-sent events if it is streamed.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
