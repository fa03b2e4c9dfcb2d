"""The OpenAPI description: what FastAPI generates, plus raw bodies, errors and plain routes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from edgewright.edge_runtime.api.bodies import IMAGE_MEDIA_TYPES
from edgewright.edge_runtime.api.middleware import METRICS_PATH, OPEN_PATHS
from edgewright.edge_runtime.api.problems import MEDIA_TYPE
from edgewright.edge_runtime.api.routes import tail as split
from edgewright.edge_runtime.api.routes.models import PROBE_PATH
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.invocation import (
    OPTIONS_HEADER,
    REQUEST_ID_HEADER,
    DecideRequest,
    InvokeOptions,
    InvokeRequest,
    TailResult,
)
from edgewright.tools.contracts.problems import Problem

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"
_BINARY: Json = {"type": "string", "format": "binary"}
#: Of every path that needs a key and counts towards the concurrency limit.
_GATED = (401, 403, 429, 500, 503)
#: Of every path that reads the body of an invocation.
_RUNNING = (404, 413, 415, 422, 502, 504)
_ERRORS: dict[str, tuple[int, ...]] = {
    "/v2/health/ready": (503,),
    "/v2/models/{model}": (404,),
    "/v1/tools/{card}:invoke": _RUNNING,
    "/v1/tools/{card}:decide": _RUNNING,
    split.PATH: _RUNNING,
    PROBE_PATH: (413, 502, 504),
}


def describe(app: FastAPI, node: Node) -> Json:
    """Return the description, complete with raw bodies and errors.

    Args:
        app: The application.
        node: The node whose cards, models and keys it names.
    """
    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    _add_tail(schema)
    _add_bodies(schema)
    _add_names(schema, node)
    _add_errors(schema, secured=bool(node.config.keys))
    _add_models(schema)
    return schema


def _add_tail(schema: Json) -> None:
    """Describe the plain ASGI route, which FastAPI does not know."""
    schema["paths"][split.PATH] = {
        "post": {
            "tags": ["split"],
            "summary": "Tail",
            "description": "Run the tail of a model on a frame and read its output.",
            "operationId": "tail",
            "parameters": [
                {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}},
                _options_parameter(required=True),
            ],
            "requestBody": _body(dict.fromkeys(split.MEDIA_TYPES, _BINARY)),
            "responses": {"200": _answer("application/json", _reference("TailResult"))},
        }
    }


def _add_bodies(schema: Json) -> None:
    invoke = schema["paths"]["/v1/tools/{card}:invoke"]["post"]
    media = {"application/json": _reference("InvokeRequest")}
    invoke["requestBody"] = _body(media | dict.fromkeys(IMAGE_MEDIA_TYPES, _BINARY))
    invoke["parameters"].append(_options_parameter(required=False))
    decide = schema["paths"]["/v1/tools/{card}:decide"]["post"]
    decide["requestBody"] = _body({"application/json": _reference("DecideRequest")})
    probe = schema["paths"][PROBE_PATH]["post"]
    probe["requestBody"] = _body({"application/octet-stream": _BINARY}) | {"required": False}
    metrics = schema["paths"][METRICS_PATH]["get"]
    metrics["responses"]["200"] = _answer("text/plain", {"type": "string"})


def _add_names(schema: Json, node: Node) -> None:
    """List the cards and models that paths may contain."""
    names = {
        "card": [card.id for card in node.cards],
        "model": [worker.model for worker in node.workers],
    }
    for operations in schema["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if known := names.get(parameter["name"]):
                    parameter["schema"]["enum"] = known


def _add_errors(schema: Json, *, secured: bool) -> None:
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            responses.pop("422", None)  # FastAPI's own form, which no route here uses
            gated = path not in OPEN_PATHS
            for status in sorted({*_ERRORS.get(path, ()), *(_GATED if gated else ())}):
                responses[str(status)] = _error(status)
            for response in responses.values():
                response.setdefault("headers", {})[REQUEST_ID_HEADER] = {
                    "schema": {"type": "string"}
                }
            if gated and secured:
                operation["security"] = [{"key": []}]
    if secured:
        bearer = {"type": "http", "scheme": "bearer"}
        schema.setdefault("components", {})["securitySchemes"] = {"key": bearer}


def _add_models(schema: Json) -> None:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for model in (DecideRequest, InvokeOptions, InvokeRequest, Problem, TailResult):
        described = model.model_json_schema(ref_template=_REFERENCE)
        schemas.update(described.pop("$defs", {}))
        schemas[model.__name__] = described


def _options_parameter(*, required: bool) -> Json:
    return {
        "name": OPTIONS_HEADER,
        "in": "header",
        "required": required,
        "description": "Options of the call as ASCII JSON; with a raw body only.",
        "schema": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": _reference("InvokeOptions"),
        },
    }


def _error(status: int) -> Json:
    response = _answer(MEDIA_TYPE, _reference("Problem"))
    response["description"] = HTTPStatus(status).phrase
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response["headers"] = {"Retry-After": {"schema": {"type": "string", "pattern": "^[0-9]+$"}}}
    if status == HTTPStatus.UNAUTHORIZED:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response


def _body(media: dict[str, Json]) -> Json:
    content = {media_type: {"schema": schema} for media_type, schema in media.items()}
    return {"required": True, "content": content}


def _answer(media_type: str, schema: Json) -> Json:
    return {"description": "The response.", "content": {media_type: {"schema": schema}}}


def _reference(model: str) -> Json:
    return {"$ref": _REFERENCE.format(model=model)}
