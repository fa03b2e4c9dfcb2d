"""Requests that no page of the console sends, against a real server: none is a server error.

The console's routes are no interface for others and have no description, so that one is made here
of the routes that the server has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from edgewright.edge_runtime.keys import new_key
from edgewright.servers.app import create_app
from edgewright.servers.config import ServeConfig
from edgewright.servers.console.pages import API_PREFIX, CARDS_PREFIX, TRAININGS_PREFIX
from edgewright.servers.console.repeats import Repeat
from edgewright.servers.console.routes import Asked
from edgewright.servers.console.trainings import Decision, Described
from edgewright.servers.front import Front
from edgewright.tools.contracts.cards import ToolCard

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

Json = dict[str, Any]

BODIES: dict[str, type[BaseModel]] = {
    f"{API_PREFIX}/requests": Asked,
    f"{API_PREFIX}/requests/{{name}}/repeats": Repeat,
    TRAININGS_PREFIX: Described,
    f"{TRAININGS_PREFIX}/{{name}}/decisions": Decision,
    f"{CARDS_PREFIX}/comparisons": ToolCard,
    CARDS_PREFIX: ToolCard,
}
READING = {"GET", "HEAD"}


def test_no_request_to_the_console_is_a_server_error(
    serve: Callable[..., Any], tmp_path: Path, encoded: Callable[..., bytes]
) -> None:
    key, sha256 = new_key()
    config = tmp_path / "serve.yaml"
    scopes = "[infer, train, admin]"
    config.write_text(f"keys: [{{name: test, sha256: {sha256}, scopes: {scopes}}}]\n")
    authorization = {"Authorization": f"Bearer {key}"}
    with serve("--config", str(config)) as url:
        with httpx.Client(base_url=url, headers=authorization, timeout=60) as client:
            known = asked(client, encoded())
        schema = tmp_path / "console.json"
        schema.write_text(json.dumps(described(known)))
        result = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", str(schema), "--url", url),
                *("--checks", "not_a_server_error", "--seed", "1", "--continue-on-failure"),
                *("--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--no-color"),
                *("--suppress-health-check", "all", "-H", f"Authorization: Bearer {key}"),
            ],
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if name != "CI"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert result.returncode == 0, result.stdout[-6000:]


def asked(client: httpx.Client, image: bytes) -> dict[str, str]:
    """Ask about an image; return values of parameters that name something, by path."""
    sent = {"content": image, "headers": {"Content-Type": "image/jpeg"}}
    stored = client.post(f"{API_PREFIX}/images", **sent).json()  # type: ignore[arg-type]
    question = {"text": "Which animal is this?", "images": [stored]}
    begun = client.post(f"{API_PREFIX}/requests", json=question).json()
    name = begun["exchange"]["id"]
    assert '"event": "reply"' in client.get(f"{API_PREFIX}/requests/{name}/events").text
    return {
        "/images/": stored["sha256"],
        "/requests/": name,
        "/conversations/": begun["conversation"],
    }


def described(known: dict[str, str]) -> Json:
    """Return an OpenAPI description of the console's routes."""
    app = create_app(Front(ServeConfig(), SimpleNamespace()))  # type: ignore[arg-type]
    paths: Json = {}
    definitions: Json = {}
    for route in iter_route_contexts(app.routes):
        if not str(route.path).startswith("/console"):
            continue
        for method in route.methods or ():
            operation = _operation(str(route.path), method, known, definitions)
            paths.setdefault(route.path, {})[method.lower()] = operation
    assert len(paths) > 20
    return {
        "openapi": "3.1.0",
        "info": {"title": "console", "version": "0"},
        "paths": paths,
        "components": {"schemas": definitions},
    }


def _operation(path: str, method: str, known: dict[str, str], definitions: Json) -> Json:
    value = next((value for begin, value in known.items() if begin in path), "unknown")
    text: Json = {"anyOf": [{"const": value}, {"type": "string", "minLength": 1}]}
    parameters: list[Json] = [
        {"name": part.partition("}")[0], "in": "path", "required": True, "schema": text}
        for part in path.split("{")[1:]
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": {"type": kind}}
        for name, kind in (("name", "string"), ("after", "integer"))
    ]
    operation: Json = {"parameters": parameters, "responses": {"default": {"description": ""}}}
    if method not in READING:
        operation["requestBody"] = {"content": _content(path, definitions)}
    return operation


def _content(path: str, definitions: Json) -> Json:
    binary = {"schema": {"type": "string", "format": "binary"}}
    if path not in BODIES:
        return {"application/octet-stream": binary, "image/png": binary}
    reference = "#/components/schemas/{model}"
    schema = BODIES[path].model_json_schema(ref_template=reference)
    definitions.update(schema.pop("$defs", {}))
    return {"application/json": {"schema": schema}}
