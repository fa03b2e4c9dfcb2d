"""The server's instruction for a round, as a client's training takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainInstruction:
    """The server's instruction to train one round.

    Attributes:
        arrays: Tensors of the global model.
        round_number: Number of the round, from 1.
        control: SCAFFOLD's control variate of the server, with the names of ``arrays``; empty with
            other strategies.
        admitted: The round in which each client's update was last admitted, 0 for none; empty
            unless clients correct their gradients.
    """

    arrays: Mapping[str, NDArray[np.float32]]
    round_number: int
    control: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    admitted: tuple[int, ...] = ()

    def admitted_of(self, client: int) -> int:
        """Return the round in which a client's update was last admitted; 0 for none."""
        return self.admitted[client] if client < len(self.admitted) else 0
