"""The guard: what of the clients' replies may come near the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.compression import decompress
from edgewright.tools.federated.records.candidate import Compression

Vector = NDArray[np.float32]

#: An honest update is seldom three times as long as the median one; a scaled one is far longer.
NORM_OVER_MEDIAN = 10.0
#: Where a median of fewer than three says nothing: no step goes this far from the model itself.
NORM_OVER_MODEL = 100.0


@dataclass(frozen=True)
class ClientReply:
    """A client's reply as it came, nothing in it checked.

    Attributes:
        client: Partition id that it claims.
        samples: Sample count that it claims.
        payload: Its coded update; None if there was none.
        loss: Training loss that it claims.
        accuracy: Training accuracy that it claims.
        error: What the client or Flower reported instead of a result.
    """

    client: object = None
    samples: object = None
    payload: bytes | None = None
    loss: object = None
    accuracy: object = None
    error: str = ""


@dataclass(frozen=True)
class Update:
    """A reply that passed every check it could pass alone."""

    client: int
    samples: int
    vector: Vector
    norm: float
    loss: float
    accuracy: float
    bytes_up: int


@dataclass(frozen=True)
class Guard:
    """The checks.

    Attributes:
        compression: How updates were to be coded.
        sizes: Numbers of weights of the tensors, in order.
        clients: How many clients there are.
        samples_max: Samples of the largest client.
    """

    compression: Compression
    sizes: Sequence[int]
    clients: int
    samples_max: int

    def read(self, reply: ClientReply) -> Update:
        """Check one reply by itself.

        Raises:
            InputError: It is kept out, and why.
        """
        if reply.error:
            raise InputError(f"failed: {reply.error[:200]}")
        client, samples = self._count(reply.client), self._count(reply.samples)
        if client is None or not 0 <= client < self.clients:
            raise InputError("says it is a client that does not exist")
        if samples is None or not 1 <= samples <= self.samples_max:
            raise InputError("claims an impossible sample count")
        if reply.payload is None:
            raise InputError("the update is missing")
        vector = decompress(reply.payload, self.compression, self.sizes)
        norm = _norm(vector)
        if not math.isfinite(norm):
            raise InputError("the update is not finite")
        return Update(
            client=client,
            samples=samples,
            vector=vector,
            norm=norm,
            loss=_measure(reply.loss),
            accuracy=_measure(reply.accuracy),
            bytes_up=len(reply.payload),
        )

    def compare(
        self, updates: Sequence[Update], model_norm: float
    ) -> tuple[list[Update], list[tuple[Update, str]]]:
        """Check the replies of a round against each other.

        Args:
            updates: Those that passed alone.
            model_norm: L2 norm of the current model.

        Returns:
            Those that are admitted, in the order of the clients, and the others with the reason.
        """
        bound = NORM_OVER_MODEL * (1 + model_norm)
        if len(updates) >= 3:
            median = float(np.median([update.norm for update in updates]))
            bound = min(bound, NORM_OVER_MEDIAN * max(median, 1e-6))
        admitted: dict[int, Update] = {}
        dropped: list[tuple[Update, str]] = []
        for update in sorted(updates, key=lambda update: update.client):
            if update.norm > bound:
                dropped.append((update, f"update norm {update.norm:.3g} exceeds {bound:.3g}"))
            elif update.client in admitted:
                dropped.append((update, "a second reply in the name of the same client"))
            else:
                admitted[update.client] = update
        return list(admitted.values()), dropped

    @staticmethod
    def _count(value: object) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value) if math.isfinite(value) and value == int(value) else None


def _norm(vector: Vector) -> float:
    """Return the L2 norm; not finite if a value is not, or if a square is too large for float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.sqrt(float(np.dot(vector, vector)))


def _measure(value: object) -> float:
    """Return a reported figure, NaN if it is none; such figures decide nothing."""
    return float(value) if isinstance(value, int | float) else math.nan
