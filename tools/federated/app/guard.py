"""The guard: validates clients' replies before they can affect the model."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.compression import decompress
from edgewright.tools.federated.records.candidate import Compression

Vector = NDArray[np.float32]

#: Maximum norm relative to the median. Honest updates rarely exceed three times the median; scaled
#: ones are far larger.
NORM_OVER_MEDIAN = 10.0
#: Maximum norm relative to the model, for rounds with too few replies for a meaningful median.
NORM_OVER_MODEL = 100.0


@dataclass(frozen=True)
class ClientReply:
    """A client's reply, unchecked.

    Attributes:
        client: Claimed partition id.
        samples: Claimed sample count.
        payload: The encoded update; None if it is missing.
        loss: Claimed training loss.
        accuracy: Claimed training accuracy.
        error: Error reported by the client or by Flower instead of a result.
    """

    client: object = None
    samples: object = None
    payload: bytes | None = None
    loss: object = None
    accuracy: object = None
    error: str = ""


@dataclass(frozen=True)
class Update:
    """A reply that passed all individual checks.

    ``vector`` is the change of the model, and ``control`` that of the state which SCAFFOLD's
    clients keep, both float32 [W]; ``control`` is empty with other strategies.
    """

    client: int
    samples: int
    vector: Vector
    norm: float
    loss: float
    accuracy: float
    bytes_up: int
    control: Vector = field(default_factory=lambda: np.zeros(0, np.float32))
    control_norm: float = 0.0


@dataclass(frozen=True)
class Guard:
    """Validates the replies of a round.

    Attributes:
        compression: Compression method of the updates.
        sizes: Number of weights of each tensor, in order.
        clients: Number of clients.
        samples_max: Number of samples of the largest client.
        vectors: Vectors of the model's size in an update.
    """

    compression: Compression
    sizes: Sequence[int]
    clients: int
    samples_max: int
    vectors: int = 1

    def read(self, reply: ClientReply) -> Update:
        """Check a single reply.

        Raises:
            InputError: The reply is rejected; the message gives the reason.
        """
        if reply.error:
            raise InputError(f"failed: {reply.error[:200]}")
        client, samples = self._count(reply.client), self._count(reply.samples)
        if client is None or not 0 <= client < self.clients:
            raise InputError("claims the id of a client that does not exist")
        if samples is None or not 1 <= samples <= self.samples_max:
            raise InputError("claims an impossible sample count")
        if reply.payload is None:
            raise InputError("the update is missing")
        sent = decompress(reply.payload, self.compression, [*self.sizes] * self.vectors)
        vector, control = np.split(sent, [sum(self.sizes)])
        norm, control_norm = _norm(vector), _norm(control)
        if not math.isfinite(norm + control_norm):
            raise InputError("the update is not finite")
        return Update(
            client=client,
            samples=samples,
            vector=vector,
            norm=norm,
            loss=_metric(reply.loss),
            accuracy=_metric(reply.accuracy),
            bytes_up=len(reply.payload),
            control=control,
            control_norm=control_norm,
        )

    def compare(
        self, updates: Sequence[Update], model_norm: float, *, largest_control: float = 0.0
    ) -> tuple[list[Update], list[tuple[Update, str]]]:
        """Compare the replies of a round with each other.

        Args:
            updates: Updates that passed the individual checks.
            model_norm: L2 norm of the current model.
            largest_control: Largest median norm of clients' changes of state in earlier rounds; a
                client that takes part for the first time changes more than the others then do.

        Returns:
            The admitted updates in the order of the clients, and the dropped ones with the reason.
        """
        bound = control_bound = NORM_OVER_MODEL * (1 + model_norm)
        if len(updates) >= 3:
            bound = min(bound, _bound([update.norm for update in updates]))
            norms = [update.control_norm for update in updates]
            control_bound = max(_bound(norms), NORM_OVER_MEDIAN * largest_control)
        admitted: dict[int, Update] = {}
        dropped: list[tuple[Update, str]] = []
        for update in sorted(updates, key=lambda update: update.client):
            if update.norm > bound:
                dropped.append((update, f"update norm {update.norm:.3g} exceeds {bound:.3g}"))
            elif update.control_norm > control_bound:
                reason = f"state change {update.control_norm:.3g} exceeds {control_bound:.3g}"
                dropped.append((update, reason))
            elif update.client in admitted:
                dropped.append((update, "a second reply with the id of the same client"))
            else:
                admitted[update.client] = update
        return list(admitted.values()), dropped

    @staticmethod
    def _count(value: object) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value) if math.isfinite(value) and value == int(value) else None


def error_text(text: str) -> str:
    """Return the message of an error that Flower quotes with its class."""
    quoted = re.fullmatch(r"<class '[\w.]+'>:<'(.*)'>", text, re.DOTALL)
    return quoted[1] if quoted else text


def _bound(norms: Sequence[float]) -> float:
    return NORM_OVER_MEDIAN * max(float(np.median(norms)), 1e-6)


def _norm(vector: Vector) -> float:
    """Return the L2 norm; not finite if a value is not, or if a square overflows float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.sqrt(float(np.dot(vector, vector)))


def _metric(value: object) -> float:
    """Return a reported metric, or NaN if it is not a number; no decision depends on it."""
    return float(value) if isinstance(value, int | float) else math.nan
