"""The test rig for latencies: real nodes, shaped links between them, and background load."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.profiles import slowed
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.latency.workload import (
    CLOUD,
    MIN_ACCURACY_RETENTION,
    ArmRun,
    Conditions,
    Kind,
    Workload,
)
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import measure_profile, store, stored
from edgewright.tools.contracts.arms import DEFAULT_PEER, Arm, ImageCodec, ServerLoad
from edgewright.tools.contracts.images import ImageFacts, Mime
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile, Role
from edgewright.tools.errors import EdgewrightError, UnavailableError
from edgewright.tools.images.probe import probe
from edgewright.tools.library import experts
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.exchange import Transfer
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink
from edgewright.tools.offload.arms import profiled_arms
from edgewright.tools.offload.link import ProbeTimes

#: A camera image of a size that is usual on a small device, and the types that images come in:
#: what a camera produces, and what people and programs send.
_IMAGE_SIZE = (640, 480)
IMAGE_TYPES: tuple[tuple[ImageCodec, int | None], ...] = (
    ("jpeg", 90),
    ("png", None),
    ("webp", 80),
)
#: Background requests carry small images, so that they load the processor and not the link.
_BACKGROUND_SIZE = (160, 120)


class Rig:
    """Devices, an edge server, a cloud and the links between them; an async context manager.

    Fixed arms run on a device for each slowdown; the policy runs on a device of its own, so that
    it learns nothing from the fixed arms. Both servers are as fast as this machine.

    Args:
        folder: Where profiles are stored; one that is there is not measured again.
        workload: What is requested.
    """

    def __init__(self, folder: Path, workload: Workload | None = None) -> None:
        self.workload = workload or Workload()
        self._folder = folder
        self._stack = AsyncExitStack()
        encoded = [photograph(_IMAGE_SIZE, *kind) for kind in IMAGE_TYPES]
        self._images = {probe(data).mime: data for data in encoded}
        self.images: dict[Mime, ImageFacts] = {
            mime: probe(data) for mime, data in self._images.items()
        }
        self._background_image = photograph(_BACKGROUND_SIZE)
        self.kinds = {one.card: one for one in self.workload.mix}
        self.models = {card: experts()[kind.expert].model for card, kind in self.kinds.items()}
        self.device: dict[str, ModelProfile] = {}
        self.edge: dict[str, ModelProfile] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self.edge = await self._measured()
        log("starting the nodes")
        edge = await self._server("edge")
        self.edge_client = await self._connected(edge)
        self._link = await self._linked(edge)
        self._cloud_link = await self._linked(await self._server("cloud"))
        links = {DEFAULT_PEER: self._link, CLOUD: self._cloud_link}
        urls = {name: f"http://127.0.0.1:{link.port}" for name, link in links.items()}
        self._edge_by_link = await self._connected(urls[DEFAULT_PEER])
        self._fixed_devices = {
            slowdown: await self._device(f"device-{slowdown:g}", slowdown, urls, poll_s=3600)
            for slowdown in self.workload.slowdowns
        }
        slowdown = self.workload.slowdowns[0]
        self.device = {name: slowed(one, slowdown) for name, one in self.edge.items()}
        self._policy_device = await self._device("device", slowdown, urls, poll_s=1)

    async def _measured(self) -> dict[str, ModelProfile]:
        """Return the models' profiles on this machine, of which those of all nodes are made."""
        config = NodeConfig.model_validate(self._config("measured", "edge", 1.0))
        profile = stored(config)
        if not set(self.models.values()) <= set(profile.models):
            log("measuring the models")
            profile = await asyncio.to_thread(measure_profile, config)
        return {name: self.workload.known(one) for name, one in profile.models.items()}

    async def _server(self, name: Role) -> str:
        """Start a server; return its URL."""
        return await self._launched(self._config(name, name, 1.0))

    async def _linked(self, url: str) -> ShapedLink:
        port = int(url.rpartition(":")[2])
        return await self._stack.enter_async_context(ShapedLink("127.0.0.1", port))

    async def _device(
        self, name: str, slowdown: float, urls: Mapping[str, str], *, poll_s: float
    ) -> NodeClient:
        peers = [{"name": peer, "url": url, "poll_s": poll_s} for peer, url in urls.items()]
        config = self._config(name, "device", slowdown)
        client = await self._connected(await self._launched({**config, "peers": peers}))
        while not (await client.profile()).knows_peers:
            await asyncio.sleep(0.1)
        return client

    async def _launched(self, config: dict[str, Any]) -> str:
        """Start a node with the profile that its speed makes of the measured one."""
        models = {name: slowed(one, config["slowdown"]) for name, one in self.edge.items()}
        profile = NodeProfile(node=config["name"], role=config["role"], models=models)
        store(NodeConfig.model_validate(config), profile)
        node = launch_node(config, timeout_s=300)
        return (await self._stack.enter_async_context(node)).url

    async def _connected(self, url: str) -> NodeClient:
        return await self._stack.enter_async_context(
            NodeClient(url, timeout_s=self.workload.deadline_s)
        )

    def _config(self, name: str, role: Role, slowdown: float) -> dict[str, Any]:
        return {
            "name": name,
            "role": role,
            "slowdown": slowdown,
            "port": 0,
            "preload": sorted(set(self.models.values())),
            "profile_file": str(self._folder / f"{name}.json"),
            "profile_runs": self.workload.runs,
            "min_accuracy_retention": MIN_ACCURACY_RETENTION,
            "camera": str(self.workload.camera) if self.workload.camera else None,
            "environment": dict(self.workload.environment),
            "limits": {"queue": 200, "concurrency": 256, "peer_patience_s": 30, "deadline_s": 600},
        }

    def arms(self, model: str) -> list[Arm]:
        """Return a model's arms without the cloud that are accurate enough and not dominated.

        An arm is dominated by one that sends no more bytes and computes no longer, on the device
        and in total; the device is never faster than the edge server.
        """
        candidates = [
            one
            for one in profiled_arms(self.device[model], {DEFAULT_PEER: self.edge[model]})
            if one.accuracy_retention >= MIN_ACCURACY_RETENTION and not one.missing
        ]
        costs = [(one.bytes_up, one.device_ms, one.device_ms + one.edge_ms) for one in candidates]
        return [
            one.arm
            for one, cost in zip(candidates, costs, strict=True)
            if not any(
                other != cost and all(a <= b for a, b in zip(other, cost, strict=True))
                for other in costs
            )
        ]

    @asynccontextmanager
    async def under(self, conditions: Conditions) -> AsyncIterator[None]:
        """Shape the links, and keep the edge server under background load meanwhile."""
        for link, rtt_ms in (
            (self._link, conditions.rtt_ms),
            (self._cloud_link, conditions.cloud_rtt_ms),
        ):
            link.set_rate(conditions.rate_kb_per_s)
            link.set_delay(rtt_ms / 2)
        if not conditions.load:
            yield
            return
        background = asyncio.create_task(self._background_load(conditions.load))
        await asyncio.sleep(3)
        try:
            yield
        finally:
            background.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await background

    async def run(
        self,
        card: str,
        arm: Arm | None,
        slowdown: float | None = None,
        *,
        mime: Mime = "image/jpeg",
        on_policy_device: bool = False,
    ) -> ArmRun:
        """Send a request to a device.

        Args:
            card: Id of the card.
            arm: A fixed arm; None lets the policy choose.
            slowdown: Slowdown of the device that runs a fixed arm; by default the policy's.
            mime: Type of the image.
            on_policy_device: Run a fixed arm on the policy's device, which then learns from it.

        Raises:
            UnavailableError: The request was not carried out by this arm.
        """
        client = (
            self._policy_device
            if arm is None or on_policy_device
            else self._fixed_devices[slowdown or self.workload.slowdowns[0]]
        )
        options = self._options(self.kinds[card], arm)
        started_at = time.perf_counter()
        response = await client.invoke(card, options, self._images[mime])
        total_ms = (time.perf_counter() - started_at) * 1000
        if response.report is None or response.report.fallback:
            raise UnavailableError(
                f"{card} was not carried out by the requested arm; see the nodes' logs"
            )
        return ArmRun.of(total_ms, response.report)

    async def probed(self, padding: int) -> ProbeTimes:
        """Time the two exchanges of a link probe.

        Args:
            padding: Bytes that the second exchange carries.
        """
        first, second = Transfer(), Transfer()
        await self._edge_by_link.probe(0, transfer=first)
        await self._edge_by_link.probe(padding, transfer=second)
        headers = first.bytes_up + first.bytes_down
        return ProbeTimes(first.link_ms, second.link_ms, padding, headers)

    async def load_of(self, model: str) -> ServerLoad | None:
        """Return the load of a model as the edge server reports it."""
        return (await self.edge_client.probe(0)).load.get(model)

    def _options(self, kind: Kind, arm: Arm | None = None) -> InvokeOptions:
        return InvokeOptions(
            args=dict(kind.args),
            expert=kind.expert,
            arm=arm,
            deadline_s=self.workload.deadline_s,
        )

    async def _background_load(self, load: float) -> None:
        """Send Poisson requests that take a share of the edge server's time."""
        kind = self.workload.mix[0]
        rate_per_s = load * 1000 / self.edge[self.models[kind.card]].whole_ms
        options = self._options(kind)
        rng = np.random.default_rng(0)
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(rng.exponential(1 / rate_per_s))
                group.create_task(self._background_request(kind.card, options))

    async def _background_request(self, card: str, options: InvokeOptions) -> None:
        with contextlib.suppress(EdgewrightError):  # an overloaded server refuses some
            await self.edge_client.invoke(card, options, self._background_image)
