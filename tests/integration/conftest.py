"""Two real nodes for the tests of nodes, and pictures for them."""

import io
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import measure_profile
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import NodeProcess, launch_node

Encode = Callable[..., bytes]


@pytest.fixture(scope="session")
def encoded() -> Encode:
    """Return a real photograph, by its name in scikit-image, as encoded bytes."""

    def encode(name: str = "chelsea", kind: str = "JPEG") -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(getattr(skimage.data, name)()).save(buffer, kind)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def camera_folder(tmp_path_factory: pytest.TempPathFactory, encoded: Encode) -> Path:
    """A camera with one photograph, so that measuring with it is quick."""
    folder = tmp_path_factory.mktemp("camera")
    (folder / "cat.jpg").write_bytes(encoded())
    return folder


@pytest.fixture(scope="session")
def node_profiles(tmp_path_factory: pytest.TempPathFactory, camera_folder: Path) -> Path:
    """What this machine's nodes measure, measured once for all of them."""
    path = tmp_path_factory.mktemp("profiles") / "node.json"
    config = NodeConfig(profile_file=path, profile_runs=1, camera=camera_folder)
    measure_profile(config)
    return path


@pytest.fixture(scope="session")
def node_settings(node_profiles: Path, camera_folder: Path) -> Callable[..., dict[str, Any]]:
    """Return the configuration of a node that has measured itself already."""

    def settings(role: str, **more: Any) -> dict[str, Any]:
        common = {"name": role, "role": role, "port": 0, "profile_file": str(node_profiles)}
        return {**common, "camera": str(camera_folder), **more}

    return settings


@pytest.fixture(scope="session")
def edge_node(node_settings: Callable[..., dict[str, Any]]) -> Iterator[NodeProcess]:
    """An edge server."""
    with launch_node(node_settings("edge")) as node:
        yield node


@pytest.fixture(scope="session")
def device_node(
    node_settings: Callable[..., dict[str, Any]], edge_node: NodeProcess
) -> Iterator[NodeProcess]:
    """A device with the edge server as its peer."""
    peer = {"url": edge_node.url, "poll_s": 0.2}
    with launch_node(node_settings("device", peer=peer)) as node:
        yield node


@pytest.fixture
async def edge_client(edge_node: NodeProcess) -> AsyncIterator[NodeClient]:
    """Speaks to the edge server."""
    async with NodeClient(edge_node.url) as client:
        yield client


@pytest.fixture
async def device_client(device_node: NodeProcess) -> AsyncIterator[NodeClient]:
    """Speaks to the device."""
    async with NodeClient(device_node.url) as client:
        yield client
