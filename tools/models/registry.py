"""The registry of models: those that are built in, and those that a provider adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edgewright.tools.errors import NotFoundError
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.specification import BUILTIN_MODELS, ModelSpec


class ModelRegistry:
    """Models by id.

    Args:
        provider: Returns further models, such as those trained on this machine; called at each
            look-up, since models are installed while the program runs.
    """

    def __init__(self, provider: Callable[[], Iterable[ModelSpec]] = tuple) -> None:
        self._provider = provider

    def get(self, model: str) -> ModelSpec:
        """Return a model's specification.

        Raises:
            NotFoundError: No such model (``unknown_model``).
        """
        known = {spec.id: spec for spec in (*BUILTIN_MODELS, *self._provider())}
        if model not in known:
            raise NotFoundError(
                f"no model {model[:100]!r}; the models are {', '.join(known)}",
                code="unknown_model",
            )
        return known[model]

    def load(self, model: str) -> PartitionAdapter:
        """Load a model, once a process.

        Raises:
            NotFoundError: No such model (``unknown_model``).
            UnavailableError: It cannot be loaded here; the message names the fix.
        """
        return self.get(model).load()
