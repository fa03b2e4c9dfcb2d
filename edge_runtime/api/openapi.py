"""The OpenAPI description: what FastAPI generates, plus raw bodies, errors and plain routes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from edgewright.edge_runtime.api.bodies import IMAGE_MEDIA_TYPES
from edgewright.edge_runtime.api.middleware import ARTIFACTS_PATH, METRICS_PATH, OPEN_PATHS
from edgewright.edge_runtime.api.problems import MEDIA_TYPE
from edgewright.edge_runtime.api.routes import calls, inference, moods
from edgewright.edge_runtime.api.routes import tail as split
from edgewright.edge_runtime.api.routes.models import PROBE_PATH, PROFILE_PATH
from edgewright.edge_runtime.api.routes.sensors import READ_PATH
from edgewright.edge_runtime.api.tensors import InferenceRequest
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.arms import Decision
from edgewright.tools.contracts.invocation import (
    OPTIONS_HEADER,
    REQUEST_ID_HEADER,
    DecideRequest,
    InvokeOptions,
    InvokeRequest,
    InvokeResponse,
    TailResult,
)
from edgewright.tools.contracts.problems import Problem

Json = dict[str, Any]

#: Models of the raw routes and of errors, by what they describe.
_MODELS: dict[Literal["validation", "serialization"], tuple[type[BaseModel], ...]] = {
    "validation": (DecideRequest, InferenceRequest, InvokeOptions, InvokeRequest),
    "serialization": (Decision, InvokeResponse, Problem, TailResult),
}

_REFERENCE = "#/components/schemas/{model}"
_BINARY: Json = {"type": "string", "format": "binary"}
#: Of every path that needs a key and counts towards the concurrency limit.
_GATED = (401, 403, 429, 500, 503)
#: Of every path that reads the body of an invocation.
_RUNNING = (404, 413, 415, 422, 502, 504)
_ERRORS: dict[str, tuple[int, ...]] = {
    "/v2/health/ready": (503,),
    "/v2/models/{model}": (404,),
    "/v2/models/{model}/ready": (404,),
    inference.VERSIONED: (404,),
    f"{inference.VERSIONED}/ready": (404,),
    inference.INFER_PATH: _RUNNING,
    f"{inference.VERSIONED}/infer": _RUNNING,
    calls.INVOKE_PATH: _RUNNING,
    calls.DECIDE_PATH: _RUNNING,
    split.PATH: _RUNNING,
    PROBE_PATH: (413, 502, 504),
    PROFILE_PATH: (422,),
    READ_PATH: (404, 413, 422),
    moods.LABELS_PATH: (404, 413, 422),
    moods.ROUND_PATH: (404, 413, 422),
    moods.NETWORK_PATH: (404, 413, 422),
    f"{ARTIFACTS_PATH}/{{digest}}": (404,),
}


def describe(app: FastAPI, node: Node) -> Json:
    """Return the description, complete with raw bodies and errors.

    Args:
        app: The application.
        node: The node whose cards, models and keys it names.
    """
    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    _add_raw_routes(schema)
    _add_bodies(schema)
    _add_names(schema, node)
    _add_errors(schema, secured=bool(node.config.keys))
    _add_models(schema)
    return schema


def _add_raw_routes(schema: Json) -> None:
    """Describe the raw routes, which FastAPI does not know."""
    frames = _body(dict.fromkeys(split.MEDIA_TYPES, _BINARY))
    schema["paths"][split.PATH] = _operation(
        "tail", "split", "model", frames, "TailResult",
        "Run the tail of a model on a frame and read its output.",
        options_required=True,
    )  # fmt: skip
    images = {"application/json": _reference("InvokeRequest")}
    images |= dict.fromkeys(IMAGE_MEDIA_TYPES, _BINARY)
    schema["paths"][calls.INVOKE_PATH] = _operation(
        "invoke", "tools", "card", _body(images), "InvokeResponse",
        "Carry out a card. Send an image as the body with the options in the header, or JSON. A "
        "question that the expert cannot answer is not an error: the response has the status "
        "``refused``.",
        options_required=False,
    )  # fmt: skip
    facts = _body({"application/json": _reference("DecideRequest")})
    schema["paths"][calls.DECIDE_PATH] = _operation(
        "decide", "tools", "card", facts, "Decision",
        "Return the arm that the node would choose for an invocation, without running anything. "
        "Send JSON with the image's type and size; only the invocation needs its bytes.",
    )  # fmt: skip


def _operation(
    name: str,
    tag: str,
    parameter: str,
    body: Json,
    response: str,
    description: str,
    *,
    options_required: bool | None = None,
) -> Json:
    """Return the description of a raw route.

    Args:
        name: Its name.
        tag: Its group.
        parameter: The parameter in its path.
        body: Its request body.
        response: Name of its response's model.
        description: What it does.
        options_required: Whether the options header is required; None if it has none.
    """
    parameters = [{"name": parameter, "in": "path", "required": True, "schema": {"type": "string"}}]
    if options_required is not None:
        parameters.append(_options_parameter(required=options_required))
    return {
        "post": {
            "tags": [tag],
            "summary": name.capitalize(),
            "description": description,
            "operationId": name,
            "parameters": parameters,
            "requestBody": body,
            "responses": {"200": _answer("application/json", _reference(response))},
        }
    }


def _add_bodies(schema: Json) -> None:
    probe = schema["paths"][PROBE_PATH]["post"]
    probe["requestBody"] = _body({"application/octet-stream": _BINARY}) | {"required": False}
    for path in (inference.INFER_PATH, f"{inference.VERSIONED}/infer"):
        post = schema["paths"][path]["post"]
        post["requestBody"] = _body({"application/json": _reference("InferenceRequest")})
        post["responses"]["200"] = _answer("application/json", {"type": "object"})
        # Where the client asks for it, the output follows the JSON.
        post["responses"]["200"]["content"]["application/octet-stream"] = {"schema": _BINARY}
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
            responses.pop("422", None)  # FastAPI's own form; errors here are problems
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
    for mode, models in _MODELS.items():
        for model in models:
            described = model.model_json_schema(ref_template=_REFERENCE, mode=mode)
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
