"""A device's edge peer: sending work to it, and what is known of it and of the link."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from edgewright.edge_runtime.config import LinkPrior
from edgewright.edge_runtime.metrics import Metrics
from edgewright.tools.contracts.arms import ServerLoad
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse, TailResult
from edgewright.tools.contracts.profiles import ModelProfile, NodeProfile
from edgewright.tools.errors import DeadlineError, EdgewrightError, LinkError
from edgewright.tools.nodes.client import NodeClient, Transfer
from edgewright.tools.offload.link import LinkEstimator, ProbeTimes
from edgewright.tools.offload.load import ArrivalWindow

log = logging.getLogger(__name__)

#: How often a peer that is there is asked for its profile again; less often over a link that would
#: be busy with it for more than this share of the time.
_REFRESH_S, _REFRESH_SHARE = 30.0, 0.01
#: A look that finds a jump is taken again, this often in all.
MAX_PROBES = 2
#: After the last task, the link is looked at for this much longer.
_INTEREST_S = 30.0
#: While tasks use the link, it is looked at this often nevertheless: transfers that are all of
#: about one size do not tell its round trip from its rate, so neither what another size would take.
_PROBE_INTERVAL_S = 5.0

_Answer = TypeVar("_Answer")


class Peer:
    """The edge node that a device may send work to.

    Args:
        client: Speaks to it.
        prior: What to believe of the link before the first transfer.
        metrics: Takes the bytes and the link's state.
        patience_s: How long it may stay silent beyond three times the expected transfer time.
        poll_s: How often to look for it while it is away, and at the link to it while tasks come
            and none of them uses it.

    Attributes:
        link: The estimate of the link.
        profile: Its profile as last fetched; None until then.
    """

    def __init__(
        self,
        client: NodeClient,
        prior: LinkPrior,
        metrics: Metrics,
        *,
        patience_s: float,
        poll_s: float,
    ) -> None:
        self.link = LinkEstimator(prior.rate_kb_per_s, prior.rtt_ms)
        self.profile: NodeProfile | None = None
        self._client = client
        self._metrics = metrics
        self._patience_s = patience_s
        self._poll_s = poll_s
        self._profile_bytes = 0
        self._wanted_at = self._probed_at = -math.inf
        self._transfers = 0
        self._free = asyncio.Event()
        self._sent: defaultdict[str, ArrivalWindow] = defaultdict(ArrivalWindow)
        self._loads: dict[str, ServerLoad] = {}

    @property
    def name(self) -> str:
        """Name of the node, as far as it is known."""
        return self.profile.node if self.profile else "edge"

    def model(self, model: str) -> ModelProfile | None:
        """Return its profile of a model, if it is known."""
        return self.profile.models.get(model) if self.profile else None

    def load(self, model: str) -> ServerLoad | None:
        """Return the load that others put on a model, as it last said; None if it never did."""
        return self._loads.get(model)

    def wanted(self) -> None:
        """Note that a task came, so that it is worth knowing how the link is."""
        self._wanted_at = time.monotonic()

    def transfer_s(self, size: int) -> float:
        """Return how long a body of so many bytes is expected to take."""
        state = self.link.state()
        return size / 1000 / state.rate_kb_per_s + state.rtt_ms / 1000

    async def tail(
        self,
        model: str,
        frame: bytes,
        options: InvokeOptions,
        transfer: Transfer,
        *,
        request_id: str,
    ) -> TailResult:
        """Have it run the tail of a model; see ``NodeClient.tail``."""
        self._sent[model].arrived()
        limited = self._limited(options, len(frame))
        call = self._client.tail(model, frame, limited, transfer=transfer, request_id=request_id)
        answer = await self._observed(call, transfer)
        self._take_in({model: answer.load})
        return answer

    async def invoke(
        self,
        card: str,
        model: str,
        picture: bytes,
        options: InvokeOptions,
        transfer: Transfer,
        *,
        request_id: str,
    ) -> InvokeResponse:
        """Have it carry out a card with a model; see ``NodeClient.invoke``."""
        self._sent[model].arrived()
        limited = self._limited(options, len(picture))
        call = self._client.invoke(card, limited, picture, transfer=transfer, request_id=request_id)
        answer = await self._observed(call, transfer)
        self._take_in({model: answer.load})
        return answer

    async def watch(self) -> None:
        """Keep what is known of it fresh, and look for it while it is away; until cancelled.

        A device that works alone would never learn that the link has become better, nor one that
        sends that it has become worse, but by the next task's cost. So while tasks come, a look
        is taken each time that nothing was sent for as long as a poll: an exchange of nothing, to
        time the round trip, and one of as many bytes as the link should carry in some tens of
        milliseconds, to tell its rate. A slow link is so not kept from the tasks by looks at it.
        Where tasks keep the link busy, a look is due now and then, and taken when a transfer ends.
        """
        asked_at = -math.inf
        while True:
            now = time.monotonic()
            unknown = self.profile is None or not self.profile.models
            refresh_s = max(_REFRESH_S, self.transfer_s(self._profile_bytes) / _REFRESH_SHARE)
            quiet = self.link.age_s >= self._poll_s
            probe = now - self._wanted_at < _INTEREST_S and (quiet or self._probe_due)
            try:
                if unknown or now - asked_at >= refresh_s:
                    asked_at = now
                    await self._ask()
                elif probe or not self.link.state().up:
                    await self._probe()
            except EdgewrightError as error:
                log.info("peer: %s", error.message)
                if isinstance(error, LinkError):
                    asked_at = -math.inf  # who comes back may be another
            await self._pause()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self) -> None:
        transfer = Transfer()
        self.profile = await self._observed(self._client.profile(transfer=transfer), transfer)
        self._profile_bytes = transfer.bytes_down
        self._take_in(self.profile.load)

    @property
    def _probe_due(self) -> bool:
        """Whether the last look is long ago, and no transfer would be in the way of one."""
        return not self._transfers and time.monotonic() - self._probed_at >= _PROBE_INTERVAL_S

    async def _pause(self) -> None:
        """Wait for the next poll, or for the end of a transfer after which a look is due."""
        self._free.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._free.wait(), self._poll_s)

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
        self._metrics.link(self.link.state())

    async def _exchange(self, size: int) -> Transfer:
        """Send bytes that mean nothing; return what the link carried and how long it took."""
        transfer = Transfer()
        answer = await self._billed(self._client.probe(size, transfer=transfer), transfer)
        self._take_in(answer.load)
        return transfer

    def _take_in(self, loads: Mapping[str, ServerLoad | None]) -> None:
        """Note loads without this device's own share; it need not wait for itself."""
        for model, load in loads.items():
            if load is not None:
                own_per_s = self._sent[model].rate_per_s() if model in self._sent else 0.0
                others = max(0.0, load.arrivals_per_s - own_per_s)
                self._loads[model] = load.model_copy(update={"arrivals_per_s": others})

    def _limited(self, options: InvokeOptions, size: int) -> InvokeOptions:
        longest_s = 3 * self.transfer_s(size) + self._patience_s
        return options.model_copy(update={"deadline_s": min(options.deadline_s, longest_s)})

    async def _observed(self, call: Awaitable[_Answer], transfer: Transfer) -> _Answer:
        """Await a call and learn from it how the link is."""
        answer = await self._billed(call, transfer)
        self.link.observe(transfer.bytes_up, transfer.bytes_down, transfer.link_ms)
        self._metrics.link(self.link.state())
        return answer

    async def _billed(self, call: Awaitable[_Answer], transfer: Transfer) -> _Answer:
        """Await a call, count its bytes, and note if the link failed."""
        self._transfers += 1
        try:
            return await call
        except (LinkError, DeadlineError) as error:
            # A deadline that the peer itself reports says nothing against the link.
            if isinstance(error, LinkError) or not transfer.bytes_down:
                self.link.failed()
                self._metrics.link(self.link.state())
            raise
        finally:
            self._transfers -= 1
            if self._probe_due:
                self._free.set()
            self._metrics.bytes_up.inc(transfer.bytes_up)
            self._metrics.bytes_down.inc(transfer.bytes_down)
