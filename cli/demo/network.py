"""The demo's little network: a device with a camera, an edge server, and a link held to a rate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgewright.tools.errors import DeadlineError, UnavailableError
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

if TYPE_CHECKING:
    from rich.console import Console

    from edgewright.cli.demo.config import DemoConfig

#: scikit-image's photographs, by the file name that the demo's camera gives them.
PHOTOGRAPHS = {
    "cat.png": "chelsea",
    "espresso.png": "coffee",
    "rocket.jpg": "rocket",
    "astronaut.png": "astronaut",
}
_PROFILE_TIMEOUT_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Network:
    """Where the parts of the network answer."""

    device_url: str
    edge_url: str
    link_url: str


def fill_camera(folder: Path) -> Path:
    """Put the photographs into a folder that stands for a camera.

    Args:
        folder: Made by this call.

    Returns:
        The folder.

    Raises:
        UnavailableError: scikit-image, which carries the photographs, is not installed.
    """
    try:
        from PIL import Image
        from skimage import data
    except ImportError:
        raise UnavailableError(
            "the demo's photographs come with scikit-image: pip install 'edgewright[all]'",
            code="photographs_missing",
        ) from None
    folder.mkdir(parents=True)
    for name, photograph in PHOTOGRAPHS.items():
        Image.fromarray(getattr(data, photograph)()).save(folder / name, quality=95)
    return folder


@asynccontextmanager
async def open_network(
    config: DemoConfig, folder: Path, console: Console
) -> AsyncIterator[Network]:
    """Start edge server, link and device, and wait until both nodes have measured themselves.

    Args:
        config: Rate, delay and slow-down.
        folder: For the camera's photographs and the nodes' logs.
        console: Where progress is shown.

    Yields:
        The running network; all of it is stopped when the block is left.
    """
    async with AsyncExitStack() as stack:
        with console.status("taking the photographs"):
            camera = await asyncio.to_thread(fill_camera, folder / "camera")
        with console.status("starting the edge server"):
            edge = await stack.enter_async_context(
                launch_node(
                    {"name": "demo-edge", "role": "edge", "port": 0}, log=folder / "edge.log"
                )
            )
        target = urlsplit(edge.url)
        link = await stack.enter_async_context(
            ShapedLink(
                target.hostname or "",
                target.port or 0,
                rate_kb_per_s=config.rate_kb_per_s,
                delay_ms=config.delay_ms,
            )
        )
        link_url = f"http://127.0.0.1:{link.port}"
        with console.status("starting the device"):
            device = await stack.enter_async_context(
                launch_node(
                    {
                        "name": "demo-device",
                        "role": "device",
                        "port": 0,
                        "slowdown": config.slowdown,
                        "camera": str(camera),
                        "peer": {"url": link_url},
                    },
                    log=folder / "device.log",
                )
            )
        with console.status("measuring both nodes, block by block (the first time only)"):
            await _await_profiles(device.url)
        yield Network(device_url=device.url, edge_url=edge.url, link_url=link_url)


async def _await_profiles(url: str) -> None:
    """Wait until the device knows its own speed and the edge server's."""
    try:
        async with asyncio.timeout(_PROFILE_TIMEOUT_S), NodeClient(url) as node:
            while True:
                profile = await node.profile()
                if profile.models and profile.peer is not None and profile.peer.models:
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise DeadlineError(
            f"the nodes were not measured within {_PROFILE_TIMEOUT_S:.0f} s; "
            "is the machine very busy?",
            code="not_measured",
        ) from None
