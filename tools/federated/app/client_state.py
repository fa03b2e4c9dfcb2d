"""What a client keeps between rounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.federated.app.files import state_file, state_rounds
from edgewright.tools.federated.app.weights import Arrays, load_arrays, save_arrays

#: Prefix of the head's tensors in a client's state.
_HEAD = "head:"


def head_of(state: Arrays) -> Arrays:
    """Return the personal head from a client's state."""
    return {
        name.removeprefix(_HEAD): value for name, value in state.items() if name.startswith(_HEAD)
    }


class ClientState:
    """A client's state between rounds: personal head, compression residual, gradient correction.

    States are stored per round, so that a round that is repeated after a kill starts from the same
    state.

    Attributes:
        folder: The client's folder.
        head: Tensors of its personal head; empty if it has none.
        residual: Unsent remainder of earlier updates, float32 [W].
        correction: What its gradients are corrected by, float32 [W], as in ``control.py``.

    Args:
        folder: The client's folder.
        round_number: The round to train next.
        keep: Number of newest states to keep; 0 keeps all.
        of_round: The round whose state to start from, 0 for none; None for the newest.
    """

    def __init__(
        self, folder: Path, round_number: int, *, keep: int, of_round: int | None = None
    ) -> None:
        self.folder = folder
        self._round = round_number
        self._keep = keep
        earlier = [number for number in state_rounds(folder) if number < round_number]
        if of_round is not None:
            earlier = [number for number in earlier if number == of_round]
        self._of_round = earlier[-1] if earlier else 0
        stored = load_arrays(state_file(folder, self._of_round)) if earlier else {}
        self.head = head_of(stored)
        self.residual = stored.get("residual")
        self.correction = stored.get("correction")

    def save(
        self,
        head: Arrays,
        residual: NDArray[np.float32] | None,
        correction: NDArray[np.float32] | None,
    ) -> None:
        """Store the state for later rounds, if there is any, and remove old ones."""
        state = {_HEAD + name: value for name, value in head.items()}
        if residual is not None:
            state["residual"] = residual
        if correction is not None:
            state["correction"] = correction
        if state:
            save_arrays(state_file(self.folder, self._round), state)
        for old in state_rounds(self.folder)[: -self._keep] if self._keep else []:
            if old != self._of_round:  # needed again if this round's update is not admitted
                state_file(self.folder, old).unlink(missing_ok=True)
