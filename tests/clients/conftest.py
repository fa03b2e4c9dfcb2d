"""Sessions of clients in an environment of their own, which ``make test-clients`` installs."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PYTHON = os.environ.get("EDGEWRIGHT_CLIENTS_PYTHON", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(240))
            if not PYTHON:
                item.add_marker(pytest.mark.skip(reason="run make test-clients"))


@pytest.fixture(scope="session")
def hold() -> Callable[..., None]:
    """Return a function that runs a client's session, which ends with an error if it fails."""

    def run(script: str, *arguments: str) -> None:
        path = Path(__file__).parent / script
        result = subprocess.run(
            [PYTHON, str(path), *arguments],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert result.returncode == 0, result.stderr

    return run
