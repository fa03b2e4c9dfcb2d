"""The console script in this process, with a state folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgewright.cli.main import app

_VARIABLES = ("EDGEWRIGHT_DEVICE_URL", "EDGEWRIGHT_CHAT_MODEL", "EDGEWRIGHT_API_KEY")


@pytest.fixture(autouse=True)
def _private_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "state"))
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def edgewright() -> Callable[..., Result]:
    def run(*args: object, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, [str(arg) for arg in args], input=stdin)

    return run


@pytest.fixture
def error_of() -> Callable[[Result], dict[str, Any]]:
    def read(result: Result) -> dict[str, Any]:
        (key,) = answer = json.loads(result.stdout)
        assert key == "error"
        error: dict[str, Any] = answer["error"]
        assert set(error) == {"code", "message", "retryable", "status"}
        return error

    return read


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "gate.png"
    Image.new("RGB", (8, 6), "teal").save(path)
    return path
