"""Unit tests touch no network; asyncio's own self-pipe is a unix socket and stays allowed."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_network() -> None:
    disable_socket(allow_unix_socket=True)
