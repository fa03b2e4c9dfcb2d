"""What latencies are measured on: real nodes, a shaped link between them, and others' work."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import numpy as np

from edgewright.benchmarks.common.progress import log
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import measure_profile, store
from edgewright.tools.contracts.arms import Arm, ServerLoad
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile
from edgewright.tools.errors import EdgewrightError, UnavailableError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.images.probe import ImageHeader
from edgewright.tools.library import expert_statuses, experts, known_cards
from edgewright.tools.nodes.client import NodeClient, Transfer
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink
from edgewright.tools.offload.arms import profiled_arms
from edgewright.tools.offload.link import ProbeTimes

#: The request mix: card, its arguments, and its share.
MIX: tuple[tuple[str, dict[str, str], float], ...] = (
    ("image-classification", {}, 0.1),
    ("image-to-text", {}, 0.4),
    ("visual-question-answering", {"question": "is there a cat in the picture?"}, 0.5),
)
#: Factor by which the device is slower than this machine, and one that is warm besides.
SLOWDOWN, WARM_SLOWDOWN = 8.0, 12.0
MIN_ACCURACY_RETENTION = 0.99
#: A picture as a camera sends it, of a size that a small device may have.
PICTURE = ImageHeader(mime="image/jpeg", width=640, height=480)
_DEADLINE_S = 60.0
#: What the others send is small, so that only their computing counts.
_OTHERS_SIZE = (160, 120)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the world is like.

    Attributes:
        rate_kb_per_s: Of the link, each way.
        rtt_ms: Of the link.
        slowdown: Of the device.
        load: Share of the edge server's time that others take.
    """

    rate_kb_per_s: float
    rtt_ms: float = 20.0
    slowdown: float = SLOWDOWN
    load: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ArmRun:
    """One request, measured from outside and as billed.

    Attributes:
        total_ms: From request to answer, at the person who asks the device.
        device_ms: The device's stages.
        edge_ms: The edge server's stages.
        link_ms: The transfers.
        bytes_up: Sent by the device.
        bytes_down: Received by it.
        arm: What it was, after fallbacks.
    """

    total_ms: float
    device_ms: float
    edge_ms: float
    link_ms: float
    bytes_up: int
    bytes_down: int
    arm: str

    @classmethod
    def of(cls, total_ms: float, report: CostReport) -> ArmRun:
        """Take the parts from a report."""
        stages = report.stages_ms
        link_ms = stages.get("upload", 0.0) + stages.get("download", 0.0)
        other_ms = stages.get("edge_other", 0.0)
        edge_ms = sum(ms for stage, ms in stages.items() if stage.startswith("edge_")) - other_ms
        device_ms = sum(stages.values()) - link_ms - other_ms - edge_ms
        return cls(
            total_ms=round(total_ms, 3),
            device_ms=round(device_ms, 3),
            edge_ms=round(edge_ms, 3),
            link_ms=round(link_ms, 3),
            bytes_up=report.bytes_up,
            bytes_down=report.bytes_down,
            arm=report.arm,
        )


class Rig:
    """Devices and an edge server with a link between them; an async context manager.

    The devices differ in their slow-down; each has a twin whose arms are not fixed, so that what
    the one is made to do teaches the other's policy nothing.

    Args:
        quick: Measure profiles once only.
    """

    def __init__(self, *, quick: bool) -> None:
        self._runs = 1 if quick else 9
        self._stack = AsyncExitStack()
        self._picture = photograph((PICTURE.width, PICTURE.height))
        self._others_picture = photograph(_OTHERS_SIZE)
        self.models = {card: _model(card) for card, _, _ in MIX}
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
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        edge = self._config(folder, "edge", role="edge")
        device = self._config(folder, "device", slowdown=SLOWDOWN)
        for config, kept in ((edge, self.edge), (device, self.device)):
            log(f"measuring the profile of the {config['name']}")
            measured = await asyncio.to_thread(measure_profile, NodeConfig.model_validate(config))
            kept.update(measured.models)
        log("starting the nodes")
        node = await self._stack.enter_async_context(launch_node(edge, timeout_s=300))
        self.edge_client = await self._connected(node.url)
        port = int(node.url.rpartition(":")[2])
        self._link = await self._stack.enter_async_context(ShapedLink("127.0.0.1", port))
        self._linked = await self._connected(f"http://127.0.0.1:{self._link.port}")
        peer = {"url": self._linked.url, "poll_s": 3600}
        self._fixed: dict[float, NodeClient] = {}
        for slowdown in (SLOWDOWN, WARM_SLOWDOWN):
            # Its arms are fixed, so whose profile it has makes no difference, but that it has one.
            same = self._config(folder, f"device-{slowdown:g}", slowdown=slowdown)
            models = {
                name: one.model_copy(update={"slowdown": slowdown})
                for name, one in self.device.items()
            }
            profile = NodeProfile(node=same["name"], role="device", models=models)
            store(NodeConfig.model_validate(same), profile)
            self._fixed[slowdown] = await self._launched(same, peer)
        self._free = await self._launched(device, {**peer, "poll_s": 1})

    async def _launched(self, config: dict[str, Any], peer: dict[str, Any]) -> NodeClient:
        node = launch_node({**config, "peer": peer}, timeout_s=300)
        started = await self._stack.enter_async_context(node)
        client = await self._connected(started.url)
        while (peer_known := (await client.profile()).peer) is None or not peer_known.models:
            await asyncio.sleep(0.1)
        return client

    async def _connected(self, url: str) -> NodeClient:
        return await self._stack.enter_async_context(NodeClient(url, timeout_s=_DEADLINE_S))

    def _config(self, folder: Path, name: str, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "port": 0,
            "preload": sorted(set(self.models.values())),
            "profile_file": str(folder / f"{name}.json"),
            "profile_runs": self._runs,
            "min_accuracy_retention": MIN_ACCURACY_RETENTION,
            "limits": {"queue": 200, "concurrency": 256, "peer_patience_s": 30},
            **more,
        }

    def arms(self, model: str) -> list[Arm]:
        """Return the arms of a model that are accurate enough and not beaten in every respect.

        An arm is beaten by one that sends no more and computes no more, on the device and in
        all; the device is never faster than the edge server.
        """
        able = [
            one
            for one in profiled_arms(self.device[model], self.edge[model])
            if one.accuracy_retention >= MIN_ACCURACY_RETENTION and not one.unknown
        ]
        costs = [(one.bytes_up, one.device_ms, one.device_ms + one.edge_ms) for one in able]
        return [
            one.arm
            for one, cost in zip(able, costs, strict=True)
            if not any(
                other != cost and all(less <= own for less, own in zip(other, cost, strict=True))
                for other in costs
            )
        ]

    @asynccontextmanager
    async def under(self, conditions: Conditions) -> AsyncIterator[None]:
        """Set the link, and have others send work to the edge server meanwhile."""
        self._link.set_rate(conditions.rate_kb_per_s)
        self._link.set_delay(conditions.rtt_ms / 2)
        if not conditions.load:
            yield
            return
        others = asyncio.create_task(self._others(conditions.load))
        await asyncio.sleep(3)
        try:
            yield
        finally:
            others.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await others

    async def run(
        self, card: str, arm: Arm | None, slowdown: float = SLOWDOWN, *, free: bool = False
    ) -> ArmRun:
        """Ask a device for something.

        Args:
            card: What for.
            arm: A fixed arm; None for the one that its policy chooses.
            slowdown: Of the device whose arms are fixed.
            free: Ask the device whose policy is at work for a fixed arm, too, which teaches it.
        """
        client = self._free if arm is None or free else self._fixed[slowdown]
        args = next(args for name, args, _ in MIX if name == card)
        options = InvokeOptions(args=args, arm=arm, deadline_s=_DEADLINE_S)
        began = time.perf_counter()
        response = await client.invoke(card, options, self._picture)
        total_ms = (time.perf_counter() - began) * 1000
        if response.report is None or response.report.fallback:
            raise UnavailableError(f"{card} was not carried out as asked; see the nodes' logs")
        return ArmRun.of(total_ms, response.report)

    async def probe(self, filling: int) -> ProbeTimes:
        """Time the two exchanges by which a device looks at the link.

        Args:
            filling: Bytes that the second carries.
        """
        first, second = Transfer(), Transfer()
        await self._linked.probe(0, transfer=first)
        await self._linked.probe(filling, transfer=second)
        headers = first.bytes_up + first.bytes_down
        return ProbeTimes(first.link_ms, second.link_ms, filling, headers)

    async def load_of(self, model: str) -> ServerLoad | None:
        """Return what the edge server says of a model's load."""
        return (await self.edge_client.probe(0)).load.get(model)

    async def _others(self, load: float) -> None:
        """Send Poisson work that takes up a share of the edge server's time."""
        card, args, _ = MIX[0]
        rate_per_s = load * 1000 / self.edge[self.models[card]].whole_ms
        options = InvokeOptions(args=args, deadline_s=_DEADLINE_S)
        chance = np.random.default_rng(0)
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(chance.exponential(1 / rate_per_s))
                group.create_task(self._other(card, options))

    async def _other(self, card: str, options: InvokeOptions) -> None:
        with contextlib.suppress(EdgewrightError):  # turned away, as others are too
            await self.edge_client.invoke(card, options, self._others_picture)


def cards_drawn(count: int, *, seed: int) -> list[str]:
    """Draw cards by the mix."""
    names, weights = [card for card, _, _ in MIX], [share for _, _, share in MIX]
    return [str(card) for card in np.random.default_rng(seed).choice(names, count, p=weights)]


def _model(card: str) -> str:
    statuses = expert_statuses()
    able = [name for name in known_cards().get(card).experts if statuses[name].available]
    if not able:
        raise UnavailableError(f"no expert can carry out {card!r} here", code="card_unavailable")
    return experts()[able[0]].model


def photograph(size: tuple[int, int]) -> bytes:
    """Return a photograph that ships with the package, as a camera sends it."""
    folder = files("edgewright.tools.offload") / "photographs"
    first = min(
        (entry for entry in folder.iterdir() if entry.name.endswith(".jpg")),
        key=lambda entry: entry.name,
    )
    return encode(decode(first.read_bytes()).resize(size), "jpeg", 90, full_colours=False)
