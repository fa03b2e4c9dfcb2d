"""The model registry: built-in models and those that a provider adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from edgewright.tools.errors import NotFoundError
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.catalogue_models import catalogue_models
from edgewright.tools.models.specification import BUILTIN_MODELS, ModelSpec


class ModelRegistry:
    """Looks up and loads models by id.

    Args:
        provider: Returns additional models, such as those trained on this machine. It is called at
            each look-up, since models may be installed while the program runs.
    """

    def __init__(self, provider: Callable[[], Iterable[ModelSpec]] = tuple) -> None:
        self._provider = provider

    def __iter__(self) -> Iterator[ModelSpec]:
        """Yield the specifications: built-in models first, then those of the catalogue."""
        yield from BUILTIN_MODELS
        yield from catalogue_models()
        yield from self._provider()

    def get(self, model: str) -> ModelSpec:
        """Return a model's specification.

        Raises:
            NotFoundError: There is no such model (``unknown_model``).
        """
        known = {spec.id: spec for spec in self}
        if model not in known:
            raise NotFoundError(
                f"unknown model {model[:100]!r}; known models: {', '.join(known)}",
                code="unknown_model",
            )
        return known[model]

    def load(self, model: str, *, threads: int | None = None) -> PartitionAdapter:
        """Load a model; each process loads it once.

        Args:
            model: Model id.
            threads: Number of threads that run each operation; None leaves the engine's default.

        Raises:
            NotFoundError: There is no such model (``unknown_model``).
            UnavailableError: The model cannot be loaded here; the message names the fix.
        """
        return self.get(model).load(threads=threads)
