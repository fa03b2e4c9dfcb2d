"""The test rig for latencies: real nodes, a shaped link between them, and background load."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.progress import log
from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.profiling.measure import measure_profile, store
from edgewright.tools.contracts.arms import DEFAULT_PEER, Arm, ImageCodec, ServerLoad
from edgewright.tools.contracts.cost_report import CostReport
from edgewright.tools.contracts.images import ImageFacts, Mime
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile
from edgewright.tools.errors import EdgewrightError, UnavailableError
from edgewright.tools.images.probe import probe
from edgewright.tools.library import expert_statuses, experts, known_cards
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.exchange import Transfer
from edgewright.tools.nodes.launch import launch_node
from edgewright.tools.nodes.shaped_link import ShapedLink
from edgewright.tools.offload.arms import profiled_arms
from edgewright.tools.offload.link import ProbeTimes

#: The request mix: card, arguments and share.
MIX: tuple[tuple[str, dict[str, str], float], ...] = (
    ("image-classification", {}, 0.1),
    ("image-to-text", {}, 0.4),
    ("visual-question-answering", {"question": "is there a cat in the picture?"}, 0.5),
)
#: Factors by which the device is slower than this machine: a cool one, and a throttled warm one.
SLOWDOWN, WARM_SLOWDOWN = 8.0, 12.0
MIN_ACCURACY_RETENTION = 0.99
#: A camera image of a size that is usual on a small device, and the types that images come in:
#: what a camera produces, and what people and programs send.
_IMAGE_SIZE = (640, 480)
IMAGE_TYPES: tuple[tuple[ImageCodec, int | None], ...] = (
    ("jpeg", 90),
    ("png", None),
    ("webp", 80),
)
_DEADLINE_S = 60.0
#: Background requests carry small images, so that they load the processor and not the link.
_BACKGROUND_SIZE = (160, 120)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The conditions that a request meets.

    Attributes:
        rate_kb_per_s: Rate of the link, each way.
        rtt_ms: Round trip of the link.
        slowdown: Factor by which the device is slower than this machine.
        load: Share of the edge server's time that background requests take.
    """

    rate_kb_per_s: float
    rtt_ms: float = 20.0
    slowdown: float = SLOWDOWN
    load: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ArmRun:
    """One request: its latency at the caller, and the parts in its cost report.

    Attributes:
        total_ms: From request to answer, measured at the device's caller.
        stages_ms: Milliseconds by stage.
        link_ms: Sum of the transfers.
        bytes_up: Bytes that the device sent.
        bytes_down: Bytes that it received.
        arm: Label of the arm that ran in the end.
    """

    total_ms: float
    stages_ms: dict[str, float]
    link_ms: float
    bytes_up: int
    bytes_down: int
    arm: str

    @classmethod
    def of(cls, total_ms: float, report: CostReport) -> ArmRun:
        """Return the run that a cost report describes."""
        stages = report.stages_ms
        link_ms = stages.get("upload", 0.0) + stages.get("download", 0.0)
        return cls(
            total_ms=round(total_ms, 3),
            stages_ms=stages,
            link_ms=round(link_ms, 3),
            bytes_up=report.bytes_up,
            bytes_down=report.bytes_down,
            arm=report.arm,
        )


class Rig:
    """Devices, an edge server and the link between them; an async context manager.

    Fixed arms run on a device for each slowdown; the policy runs on a device of its own, so that
    it learns nothing from the fixed arms.

    Args:
        quick: Measure each profile with a single run.
    """

    def __init__(self, *, quick: bool) -> None:
        self._runs = 1 if quick else 9
        self._stack = AsyncExitStack()
        encoded = [photograph(_IMAGE_SIZE, *kind) for kind in IMAGE_TYPES]
        self._images = {probe(data).mime: data for data in encoded}
        self.images: dict[Mime, ImageFacts] = {
            mime: probe(data) for mime, data in self._images.items()
        }
        self._background_image = photograph(_BACKGROUND_SIZE)
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
        for config, profiles in ((edge, self.edge), (device, self.device)):
            log(f"measuring the profile of the {config['name']}")
            measured = await asyncio.to_thread(measure_profile, NodeConfig.model_validate(config))
            profiles.update(measured.models)
        log("starting the nodes")
        node = await self._stack.enter_async_context(launch_node(edge, timeout_s=300))
        self.edge_client = await self._connected(node.url)
        port = int(node.url.rpartition(":")[2])
        self._link = await self._stack.enter_async_context(ShapedLink("127.0.0.1", port))
        self._linked = await self._connected(f"http://127.0.0.1:{self._link.port}")
        peer = {"url": self._linked.url, "poll_s": 3600}
        self._fixed_devices: dict[float, NodeClient] = {}
        for slowdown in (SLOWDOWN, WARM_SLOWDOWN):
            # Its arms are fixed, so any profile will do; without one it would measure itself.
            config = self._config(folder, f"device-{slowdown:g}", slowdown=slowdown)
            models = {
                name: one.model_copy(update={"slowdown": slowdown})
                for name, one in self.device.items()
            }
            profile = NodeProfile(node=config["name"], role="device", models=models)
            store(NodeConfig.model_validate(config), profile)
            self._fixed_devices[slowdown] = await self._launched(config, peer)
        self._policy_device = await self._launched(device, {**peer, "poll_s": 1})

    async def _launched(self, config: dict[str, Any], peer: dict[str, Any]) -> NodeClient:
        node = launch_node({**config, "peers": [peer]}, timeout_s=300)
        started = await self._stack.enter_async_context(node)
        client = await self._connected(started.url)
        while not (await client.profile()).knows_peers:
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
        """Return a model's arms that are accurate enough and not dominated.

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
        """Shape the link, and keep the edge server under background load meanwhile."""
        self._link.set_rate(conditions.rate_kb_per_s)
        self._link.set_delay(conditions.rtt_ms / 2)
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
        slowdown: float = SLOWDOWN,
        *,
        mime: Mime = "image/jpeg",
        on_policy_device: bool = False,
    ) -> ArmRun:
        """Send a request to a device.

        Args:
            card: Id of the card.
            arm: A fixed arm; None lets the policy choose.
            slowdown: Slowdown of the device that runs a fixed arm.
            mime: Type of the image.
            on_policy_device: Run a fixed arm on the policy's device, which then learns from it.

        Raises:
            UnavailableError: The request was not carried out by this arm.
        """
        client = (
            self._policy_device
            if arm is None or on_policy_device
            else self._fixed_devices[slowdown]
        )
        args = next(args for name, args, _ in MIX if name == card)
        options = InvokeOptions(args=args, arm=arm, deadline_s=_DEADLINE_S)
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
        await self._linked.probe(0, transfer=first)
        await self._linked.probe(padding, transfer=second)
        headers = first.bytes_up + first.bytes_down
        return ProbeTimes(first.link_ms, second.link_ms, padding, headers)

    async def load_of(self, model: str) -> ServerLoad | None:
        """Return the load of a model as the edge server reports it."""
        return (await self.edge_client.probe(0)).load.get(model)

    async def _background_load(self, load: float) -> None:
        """Send Poisson requests that take a share of the edge server's time."""
        card, args, _ = MIX[0]
        rate_per_s = load * 1000 / self.edge[self.models[card]].whole_ms
        options = InvokeOptions(args=args, deadline_s=_DEADLINE_S)
        rng = np.random.default_rng(0)
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(rng.exponential(1 / rate_per_s))
                group.create_task(self._background_request(card, options))

    async def _background_request(self, card: str, options: InvokeOptions) -> None:
        with contextlib.suppress(EdgewrightError):  # an overloaded server refuses some
            await self.edge_client.invoke(card, options, self._background_image)


def cards_drawn(count: int, *, seed: int) -> list[str]:
    """Draw cards from the request mix."""
    names, weights = [card for card, _, _ in MIX], [share for _, _, share in MIX]
    return [str(card) for card in np.random.default_rng(seed).choice(names, count, p=weights)]


def _model(card: str) -> str:
    statuses = expert_statuses()
    candidates = [name for name in known_cards().get(card).experts if statuses[name].available]
    if not candidates:
        raise UnavailableError(
            f"no expert on this machine can carry out {card!r}", code="card_unavailable"
        )
    return experts()[candidates[0]].model
