"""How many of its tasks a node takes to a peer whose load rises whenever it comes.

Nodes that read the same report of a load decide the same: they come to an idle peer together, fill
it, leave it together, and come back. None of them sees the others, but each sees that the load
drives it away soon after it came. It then takes only half as many of its tasks there, drawn at
random, and slowly more while it can stay. Senders share a link in the same way (additive increase,
multiplicative decrease).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from edgewright.tools.offload.load import WINDOW_S

#: A visit is short if it lasts no longer than reported loads lag behind, or so many choices.
_SHORT_S, _SHORT_CHOICES = 1.5 * WINDOW_S, 3
#: Minimum growth of the wait during a visit, as a share of the time that a task takes elsewhere.
_GROWTH = 0.35
#: Smallest share of the tasks, the seconds in which it grows back to all of them, and by how much
#: it grows between two choices at most.
_MIN_SHARE, _RECOVERY_S, _MAX_STEP = 1 / 16, 120.0, 1 / 32


class Crowding:
    """The share of a node's tasks that go to each peer when it seems best.

    Args:
        clock: Monotonic clock in seconds.
        rng: Draws which tasks go there.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, rng: np.random.Generator | None = None
    ) -> None:
        self._clock = clock
        self._rng = rng or np.random.default_rng()
        self._shares: dict[str, float] = {}
        self._peer: str | None = None
        self._came_at = self._noted_at = self._halved_at = -_SHORT_S
        self._choices = 0
        self._lowest_ms = 0.0

    def share(self, peer: str | None) -> float:
        """Return the share of the tasks that go to a peer when it seems best, 0 to 1."""
        return self._shares.get(peer, 1.0) if peer is not None else 1.0

    def admits(self, share: float) -> bool:
        """Draw whether a task is among a share of all."""
        return share >= 1 or float(self._rng.random()) < share

    def note(self, peer: str | None, waits_ms: Mapping[str, float], best_ms: float) -> None:
        """Note which peer seems best now.

        Args:
            peer: The peer; None for the node itself.
            waits_ms: Expected waits behind other callers, by peer; infinite for an overloaded one.
            best_ms: Expected latency there.
        """
        now = self._clock()
        if peer != self._peer:
            self._leave(now, waits_ms, best_ms)
            self._peer, self._came_at, self._choices = peer, now, 0
        if peer is not None:
            wait_ms = waits_ms.get(peer, 0.0)
            self._lowest_ms = min(self._lowest_ms, wait_ms) if self._choices else wait_ms
            grown = self.share(peer) + min((now - self._noted_at) / _RECOVERY_S, _MAX_STEP)
            if peer in self._shares:
                self._shares[peer] = min(1.0, grown)
        self._choices += 1
        self._noted_at = now

    def _leave(self, now: float, waits_ms: Mapping[str, float], best_ms: float) -> None:
        """Halve the share of the peer that is left, if its load drives the node away."""
        left = self._peer
        if left is None or now - self._halved_at < WINDOW_S:
            return
        short = now - self._came_at <= _SHORT_S or self._choices <= _SHORT_CHOICES
        if short and waits_ms.get(left, 0.0) - self._lowest_ms > _GROWTH * best_ms:
            self._shares[left] = max(_MIN_SHARE, self.share(left) / 2)
            self._halved_at = now
