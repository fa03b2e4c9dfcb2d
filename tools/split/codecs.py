"""Which codec serves which model and partition point."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

import numpy as np

from edgewright.tools.errors import NotFoundError
from edgewright.tools.split.adapter import PartitionAdapter
from edgewright.tools.split.codec import FeatureCodec
from edgewright.tools.split.quantised import QuantisedCodec, Tables

#: Name of the tables for models that none were calibrated for.
GENERIC = "generic"


def codec_for(adapter: PartitionAdapter, point: int) -> FeatureCodec:
    """Return the feature codec of a model at a partition point.

    Args:
        adapter: The model.
        point: Partition point, 0 to the number of blocks.

    Raises:
        NotFoundError: The model has no such point (code ``unknown_point``).
    """
    if not 0 <= point <= len(adapter.block_names):
        raise NotFoundError(
            f"{adapter.model} has no partition point {point}; its points are 0 to "
            f"{len(adapter.block_names)}",
            code="unknown_point",
        )
    return _codec(adapter.model, adapter.revision, point, adapter.feature_shape(point))


def table_name(model: str, point: int) -> str:
    """Return the name under which the tables of a model's point are stored."""
    return f"{model}/{point}"


# A node serves a few models of some twenty points each.
@lru_cache(maxsize=128)
def _codec(model: str, revision: str, point: int, shape: tuple[int, ...]) -> QuantisedCodec:
    tables = _tables()
    chosen = tables.get(table_name(model, point), tables[GENERIC])
    return QuantisedCodec(model=model, revision=revision, point=point, shape=shape, tables=chosen)


@cache
def _tables() -> dict[str, Tables]:
    """Read what ``tools/split/calibrate.py`` wrote."""
    with (
        files("edgewright.tools.split").joinpath("tables.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        return {
            str(name): Tables(float(steps), frequencies)
            for name, steps, frequencies in zip(
                stored["names"], stored["steps"], stored["frequencies"], strict=True
            )
        }
