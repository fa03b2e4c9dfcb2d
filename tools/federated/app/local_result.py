"""What a client sends after a round; programs that only pass it on import no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LocalResult:
    """The result that a client sends, without its id.

    Attributes:
        payload: The encoded update.
        samples: Number of training samples.
        loss: Mean training loss in the last local epoch; 0 under differential privacy.
        accuracy: Training accuracy in the last local epoch; 0 under differential privacy.
    """

    payload: bytes
    samples: int
    loss: float
    accuracy: float
