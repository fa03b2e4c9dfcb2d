"""The clean environment that ``make test-edge`` makes."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def edge_bin() -> Path:
    """The folder of the clean environment's programs."""
    python = os.environ.get("EDGEWRIGHT_EDGE_PYTHON")
    if not python:
        pytest.fail(
            "run this by 'make test-edge', which makes the clean environment", pytrace=False
        )
    return (ROOT / python).parent
