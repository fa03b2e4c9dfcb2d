"""A peer: sending work to it, and tracking its profile, load and link."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from edgewright.edge_runtime.config import LinkPrior, PeerConfig
from edgewright.edge_runtime.metrics import Metrics
from edgewright.tools.contracts.arms import LinkState, ServerLoad
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse, TailResult
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile, PeerView
from edgewright.tools.errors import DeadlineError, EdgewrightError, LinkError
from edgewright.tools.models.artifacts import fetch
from edgewright.tools.nodes.client import NodeClient
from edgewright.tools.nodes.exchange import Transfer
from edgewright.tools.offload.choice import Server
from edgewright.tools.offload.link import LinkEstimator, ProbeTimes
from edgewright.tools.offload.load import ArrivalWindow

log = logging.getLogger(__name__)

#: Seconds between updates of the peer's profile; longer if they would occupy the link for more
#: than this share of the time.
_REFRESH_S, _REFRESH_SHARE = 30.0, 0.01
#: Maximum number of link probes in a row; a probe that finds a sudden change is repeated.
MAX_PROBES = 2
#: Number of probes of a link that was never used.
_FIRST_PROBES = 3
#: Seconds after the last task during which the link is still probed.
_INTEREST_S = 30.0
#: Seconds between link probes while tasks use the link: transfers of similar size cannot separate
#: the round-trip time from the rate, so they do not predict transfers of another size.
_PROBE_INTERVAL_S = 5.0
#: The pause between attempts to reach a lost peer doubles this many times at most.
_MAX_DOUBLINGS = 3

_Answer = TypeVar("_Answer")


class Peer:
    """A server that a node may send work to.

    Args:
        config: Its configuration.
        client: Client of the server.
        prior: Assumptions about the link before the first transfer.
        metrics: Records the bytes and the state of the link.
        patience_s: How long it may stay silent beyond three times the expected transfer time.

    Attributes:
        config: Its configuration.
        link: Estimator of the link.
        profile: The peer's profile as last fetched; None until then.
    """

    def __init__(
        self,
        config: PeerConfig,
        client: NodeClient,
        prior: LinkPrior,
        metrics: Metrics,
        *,
        patience_s: float,
    ) -> None:
        self.config = config
        self.link = LinkEstimator(prior.rate_kb_per_s, prior.rtt_ms)
        self.profile: NodeProfile | None = None
        self._client = client
        self._metrics = metrics
        self._patience_s = patience_s
        self._profile_bytes = 0
        self._task_at = self._probed_at = -math.inf
        self._transfers = 0
        #: Number of failures since it answered last; no task goes there until it answers again.
        self._failures = 0
        self._probe_ready = asyncio.Event()
        self._link_turn = asyncio.Lock()
        self._sent: defaultdict[str, ArrivalWindow] = defaultdict(ArrivalWindow)
        self._loads: dict[str, ServerLoad] = {}

    @property
    def name(self) -> str:
        """Its name in arms, cost reports and metrics."""
        return self.config.name

    @property
    def state(self) -> LinkState:
        """State of the link; after a failure it is down until the peer has answered again."""
        state = self.link.state()
        return state.model_copy(update={"up": False}) if self._failures else state

    def view(self) -> PeerView:
        """Return how this node sees it."""
        return PeerView(
            link=self.state,
            profile=self.profile,
            receives=self.config.receives,
            price_per_hour=self.config.price_per_hour,
        )

    def server(self, model: str) -> Server:
        """Return what is known of it for the choice of an arm.

        Args:
            model: Model id.
        """
        return Server(
            profile=self.model(model),
            link=self.state,
            load=self._loads.get(model),
            receives=self.config.receives,
            price_per_hour=self.config.price_per_hour,
        )

    def model(self, model: str) -> ModelProfile | None:
        """Return its profile of a model, if it is known."""
        return self.profile.models.get(model) if self.profile else None

    def task_arrived(self) -> None:
        """Note that a task arrived, so that the link is worth probing."""
        self._task_at = time.monotonic()

    def transfer_s(self, size: int) -> float:
        """Return the expected transfer time of a body of ``size`` bytes, in seconds."""
        state = self.link.state()
        return size / 1000 / state.rate_kb_per_s + state.rtt_ms / 1000

    async def tail(
        self,
        model: str,
        frame: bytes,
        options: InvokeOptions,
        transfer: Transfer,
    ) -> TailResult:
        """Run the tail of a model on the peer; see ``NodeClient.tail``."""
        self._sent[model].arrived()

        def call(left: InvokeOptions) -> Awaitable[TailResult]:
            return self._client.tail(model, frame, left, transfer=transfer)

        result = await self._in_turn(call, len(frame), options, transfer)
        self._record_loads({model: result.load})
        return result

    async def invoke(
        self,
        card: str,
        model: str,
        image: bytes,
        options: InvokeOptions,
        transfer: Transfer,
    ) -> InvokeResponse:
        """Carry out a card on the peer; see ``NodeClient.invoke``."""
        self._sent[model].arrived()

        def call(left: InvokeOptions) -> Awaitable[InvokeResponse]:
            return self._client.invoke(card, left, image, transfer=transfer)

        result = await self._in_turn(call, len(image), options, transfer)
        self._record_loads({model: result.load})
        return result

    async def watch(self) -> None:
        """Update the profile, probe the link and reconnect to the peer, until cancelled.

        A device that works alone would otherwise never notice that the link has improved, and one
        that sends would notice a worse link only by the cost of the next task. So while tasks
        arrive, the link is probed whenever it was idle for one poll interval: an empty exchange
        measures the round-trip time, and a body that the link should carry in some tens of
        milliseconds measures the rate, so that probes do not block a slow link. While tasks keep
        the link busy, a probe is made now and then, right after a transfer. The first contact is a
        probe too, since the profile's transfer alone cannot separate round trip and rate.
        """
        updated_at = -math.inf
        while True:
            now = time.monotonic()
            unknown = self.profile is None or not self.profile.models
            refresh_s = max(_REFRESH_S, self.transfer_s(self._profile_bytes) / _REFRESH_SHARE)
            quiet = self.link.age_s >= self.config.poll_s
            probe = now - self._task_at < _INTEREST_S and (quiet or self._probe_due)
            try:
                if unknown or now - updated_at >= refresh_s:
                    updated_at = now
                    if not self.link.state().samples:
                        await self._meet()
                    await self._update_profile()
                elif probe or not self.state.up:
                    await self._probe()
            except EdgewrightError as error:
                log.info("peer %s: %s", self.name, error.message)
                if isinstance(error, LinkError):
                    updated_at = -math.inf  # another node may answer there next time
            await self._pause()

    async def fetch_model(self, model: str) -> None:
        """Fetch the export of a model that it offers; see ``tools/models/artifacts``.

        Args:
            model: Model id.
        """
        await fetch(model, self._client)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _meet(self) -> None:
        """Measure an unknown link: several times, since other programs may be starting too."""
        await self._exchange(0)  # opens the connection, which takes time of its own
        for _ in range(_FIRST_PROBES):
            await self._probe()

    async def _update_profile(self) -> None:
        transfer = Transfer()
        self.profile = await self._observed(
            self._client.profile(peers=False, transfer=transfer), transfer
        )
        self._profile_bytes = transfer.bytes_down
        self._record_loads(self.profile.load)

    @property
    def _probe_due(self) -> bool:
        """Whether the last probe is long ago and no transfer is running."""
        return not self._transfers and time.monotonic() - self._probed_at >= _PROBE_INTERVAL_S

    async def _pause(self) -> None:
        """Wait for the next poll, or for the end of a transfer after which a probe is due."""
        self._probe_ready.clear()
        doublings = min(max(0, self._failures - 1), _MAX_DOUBLINGS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._probe_ready.wait(), 2**doublings * self.config.poll_s)

    async def _probe(self) -> None:
        self._probed_at = time.monotonic()
        for _ in range(MAX_PROBES):
            empty = await self._exchange(0)
            filling = self.link.payload_bytes(empty.link_ms)
            filled = await self._exchange(filling)
            headers = empty.bytes_up + empty.bytes_down
            if not self.link.observe_probe(
                ProbeTimes(empty.link_ms, filled.link_ms, filling, headers)
            ):
                break
        self._metrics.link(self.name, self.state)

    async def _exchange(self, size: int) -> Transfer:
        """Send a body of zeros; return the bytes and times of the transfer."""
        transfer = Transfer()
        reply = await self._counted(self._client.probe(size, transfer=transfer), transfer)
        self._record_loads(reply.load)
        return transfer

    def _record_loads(self, loads: Mapping[str, ServerLoad | None]) -> None:
        """Store loads without this node's own share, because it does not wait for itself."""
        for model, load in loads.items():
            if load is not None:
                own_per_s = self._sent[model].rate_per_s() if model in self._sent else 0.0
                others = max(0.0, load.arrivals_per_s - own_per_s)
                self._loads[model] = load.model_copy(update={"arrivals_per_s": others})

    async def _in_turn(
        self,
        call: Callable[[InvokeOptions], Awaitable[_Answer]],
        size: int,
        options: InvokeOptions,
        transfer: Transfer,
    ) -> _Answer:
        """Send a task when earlier ones have left, so that they do not slow each other down.

        Shared at once, the link would deliver all of them as late as the last one. How long a task
        takes to leave is an estimate: the next one follows then, or when it was answered.
        """
        began, occupied = time.monotonic(), self._link_turn.locked()
        async with self._link_turn:
            waited_s = time.monotonic() - began if occupied else 0.0
            transfer.wait_ms = waited_s * 1000
            left_s = options.deadline_s - waited_s
            if left_s <= 0:
                raise DeadlineError(f"earlier tasks used the link to {self.name} for too long")
            left = self._limited(options.model_copy(update={"deadline_s": left_s}), size)
            sending = asyncio.ensure_future(self._observed(call(left), transfer))
            try:
                await asyncio.wait({sending}, timeout=size / 1000 / self.link.state().rate_kb_per_s)
            except asyncio.CancelledError:
                sending.cancel()
                raise
        return await sending

    def _limited(self, options: InvokeOptions, size: int) -> InvokeOptions:
        limit_s = 3 * self.transfer_s(size) + self._patience_s
        return options.model_copy(update={"deadline_s": min(options.deadline_s, limit_s)})

    async def _observed(self, call: Awaitable[_Answer], transfer: Transfer) -> _Answer:
        """Await a call and update the estimate of the link."""
        answer = await self._counted(call, transfer)
        self.link.observe(transfer.bytes_up, transfer.bytes_down, transfer.link_ms)
        self._metrics.link(self.name, self.state)
        return answer

    async def _counted(self, call: Awaitable[_Answer], transfer: Transfer) -> _Answer:
        """Await a call, count its bytes, and record a failure of the link."""
        self._transfers += 1
        try:
            answer = await call
            self._failures = 0
            return answer
        except (LinkError, DeadlineError) as error:
            # A missed deadline that the peer itself reports is no fault of the link.
            if isinstance(error, LinkError) or not transfer.bytes_down:
                self.link.failed()
                self._failures += 1
                self._metrics.link(self.name, self.state)
            raise
        finally:
            self._transfers -= 1
            if self._probe_due:
                self._probe_ready.set()
            self._metrics.bytes_up(self.name).inc(transfer.bytes_up)
            self._metrics.bytes_down(self.name).inc(transfer.bytes_down)
