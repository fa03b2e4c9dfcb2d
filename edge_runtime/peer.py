"""A device's edge peer: sending work to it, and what is known of it and of the link."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from edgewright.edge_runtime.config import LinkPrior
from edgewright.edge_runtime.metrics import Metrics
from edgewright.tools.errors import DeadlineError, EdgewrightError, LinkError
from edgewright.tools.nodes.client import NodeClient, Transfer
from edgewright.tools.nodes.schema import (
    InvokeOptions,
    InvokeResponse,
    ModelProfile,
    NodeProfile,
    TailResult,
)
from edgewright.tools.offload.link import LinkEstimator

log = logging.getLogger(__name__)

#: How often a peer that is there is asked for its profile again.
_REFRESH_S = 30.0

_Answer = TypeVar("_Answer")


class Peer:
    """The edge node that a device may send work to.

    Args:
        client: Speaks to it.
        prior: What to believe of the link before the first transfer.
        metrics: Takes the bytes and the link's state.
        patience_s: How long it may stay silent beyond three times the expected transfer time.
        poll_s: How often to look for it while it is away.

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

    @property
    def name(self) -> str:
        """Name of the node, as far as it is known."""
        return self.profile.node if self.profile else "edge"

    def model(self, model: str) -> ModelProfile | None:
        """Return its profile of a model, if it is known."""
        return self.profile.models.get(model) if self.profile else None

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
        limited = self._limited(options, len(frame))
        call = self._client.tail(model, frame, limited, transfer=transfer, request_id=request_id)
        return await self._observed(call, transfer)

    async def invoke(
        self,
        card: str,
        picture: bytes,
        options: InvokeOptions,
        transfer: Transfer,
        *,
        request_id: str,
    ) -> InvokeResponse:
        """Have it carry out a card; see ``NodeClient.invoke``."""
        limited = self._limited(options, len(picture))
        call = self._client.invoke(card, limited, picture, transfer=transfer, request_id=request_id)
        return await self._observed(call, transfer)

    async def watch(self) -> None:
        """Keep its profile fresh, and look for it while it is away; ends when cancelled."""
        while True:
            transfer = Transfer()
            try:
                call = self._client.profile(transfer=transfer)
                self.profile = await self._observed(call, transfer)
            except EdgewrightError as error:
                log.info("peer: %s", error.message)
            away = self.profile is None or not self.profile.models or not self.link.state().up
            await asyncio.sleep(self._poll_s if away else max(self._poll_s, _REFRESH_S))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _limited(self, options: InvokeOptions, size: int) -> InvokeOptions:
        longest_s = 3 * self.transfer_s(size) + self._patience_s
        return options.model_copy(update={"deadline_s": min(options.deadline_s, longest_s)})

    async def _observed(self, call: Awaitable[_Answer], transfer: Transfer) -> _Answer:
        """Await a call and learn from it how the link is."""
        try:
            answer = await call
        except (LinkError, DeadlineError) as error:
            # A deadline that the peer itself reports says nothing against the link.
            if isinstance(error, LinkError) or not transfer.bytes_down:
                self.link.failed()
            raise
        else:
            self.link.observe(transfer.bytes_up, transfer.bytes_down, transfer.link_ms)
            return answer
        finally:
            self._metrics.bytes_up.inc(transfer.bytes_up)
            self._metrics.bytes_down.inc(transfer.bytes_down)
            self._metrics.link(self.link.state())
