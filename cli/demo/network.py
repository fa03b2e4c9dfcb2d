"""The demo's network: a device with a camera, an edge server, and a link of limited rate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgewright.tools.contracts.arms import DEFAULT_PEER
from edgewright.tools.errors import DeadlineError, UnavailableError
from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink

if TYPE_CHECKING:
    from edgewright.cli.demo.config import DemoConfig
    from edgewright.cli.views.progress import Waiting

#: scikit-image's photographs, by the file name that the demo's camera gives them.
PHOTOGRAPHS = {
    "cat.png": "chelsea",
    "espresso.png": "coffee",
    "rocket.jpg": "rocket",
    "astronaut.png": "astronaut",
    "page.png": "page",
}
#: The model that is cut, and the networks that look at whole images, if they are installed.
_CUT = "efficientnet-lite0"
_PROFILE_TIMEOUT_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Network:
    """URLs of the parts of the network."""

    device_url: str
    edge_url: str
    link_url: str


def fill_camera(folder: Path) -> Path:
    """Put the photographs into a folder that serves as the camera.

    Args:
        folder: The folder; created by this call.

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
            "the demo's photographs come with scikit-image; pip install 'edgewright[all]'",
            code="photographs_missing",
        ) from None
    folder.mkdir(parents=True)
    for name, photograph in PHOTOGRAPHS.items():
        image = Image.fromarray(getattr(data, photograph)()).convert("RGB")
        image.save(folder / name, quality=95)
    return folder


@asynccontextmanager
async def open_network(
    config: DemoConfig, folder: Path, waiting: Waiting
) -> AsyncIterator[Network]:
    """Start edge server, link and device, and wait until both nodes are profiled.

    Args:
        config: Rate, delay and slow-down.
        folder: For the camera's photographs and the nodes' logs.
        waiting: Shows progress.

    Yields:
        The running network. All of it is stopped when the block is left.

    Raises:
        UnavailableError: The photographs are not installed, or a node did not start.
        DeadlineError: The nodes were not profiled in time.
    """
    preload = [_CUT, *([PERCEPTION] if _sees() else [])]
    async with AsyncExitStack() as stack:
        with waiting.during("fetching the photographs"):
            camera = await asyncio.to_thread(fill_camera, folder / "camera")
        with waiting.during("starting the edge server"):
            edge = await stack.enter_async_context(
                launch_node(
                    {"name": "demo-edge", "role": "edge", "port": 0, "preload": preload},
                    log=folder / "edge.log",
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
        with waiting.during("starting the device"):
            device = await stack.enter_async_context(
                launch_node(
                    {
                        "name": "demo-device",
                        "role": "device",
                        "port": 0,
                        "preload": preload,
                        "slowdown": config.slowdown,
                        "camera": str(camera),
                        "peers": [{"url": link_url}],
                    },
                    log=folder / "device.log",
                )
            )
        with waiting.during("profiling both nodes (the first time only)"):
            await _await_profiles(device.url, preload)
        yield Network(device_url=device.url, edge_url=edge.url, link_url=link_url)


def _sees() -> bool:
    """Return whether the networks that look at whole images are installed."""
    from edgewright.tools.library import expert_statuses

    found = [one for one in expert_statuses().values() if one.model == PERCEPTION]
    return any(one.available for one in found)


async def _await_profiles(url: str, models: Sequence[str]) -> None:
    """Wait until the device has its own profiles of models and the edge server's."""
    try:
        async with asyncio.timeout(_PROFILE_TIMEOUT_S), NodeClient(url) as node:
            while True:
                profile = await node.profile()
                edge = profile.peers[DEFAULT_PEER].profile
                if edge and set(models) <= set(profile.models) & set(edge.models):
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise DeadlineError(
            f"the nodes were not profiled within {_PROFILE_TIMEOUT_S:.0f} s; try again when the "
            "machine is less busy",
            code="not_measured",
        ) from None
