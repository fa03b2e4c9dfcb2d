"""What a caller's key permits beyond making requests, for work that words alone can begin."""

from __future__ import annotations

from collections.abc import Callable

from edgewright.edge_runtime.keys import Caller
from edgewright.graphs.federated.events import Event
from edgewright.tools.federated.records.report import RunReport


class RefusingTrainer:
    """Trains nothing, and says which scope is missing; implements ``Trainer``.

    A request is planned before anybody knows that it asks for a training, so the key is checked
    where the training would begin.

    Args:
        caller: The caller, whose key does not have the scope ``train``.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def train(self, purpose: str, on_event: Callable[[Event], None]) -> RunReport:
        """Refuse.

        Raises:
            ScopeError: Always (``scope_missing``).
        """
        self._caller.require("train")
        raise AssertionError("the caller may train")


def trainer_for(caller: Caller) -> RefusingTrainer | None:
    """Return the trainer of a caller's requests; None means the session's own.

    Args:
        caller: The caller.
    """
    return None if "train" in caller.scopes else RefusingTrainer(caller)
