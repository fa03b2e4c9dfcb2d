"""The codec registry: feature codecs by model, partition point and name."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from edgewright.tools.codecs.learned.codec import load_codecs
from edgewright.tools.codecs.protocol import FeatureCodec
from edgewright.tools.codecs.quantised import QuantisedCodec, Tables
from edgewright.tools.errors import NotFoundError, UnavailableError
from edgewright.tools.models.adapter import PartitionAdapter, check_point
from edgewright.tools.plugins import CODECS, contributions
from edgewright.tools.settings import home

_LOG = logging.getLogger(__name__)

#: Name of the tables for models without calibrated ones.
GENERIC = "generic"


def codecs_at(adapter: PartitionAdapter, point: int) -> dict[str, FeatureCodec]:
    """Return a model's feature codecs at a partition point by name.

    Those of plug-ins come first, then ``quantised8``; a built-in one replaces one of its name.

    Args:
        adapter: The model.
        point: Partition point, 0 to the number of blocks.

    Raises:
        NotFoundError: The model has no such point (``unknown_point``).
    """
    check_point(adapter, point)
    general = _codec(adapter.model, adapter.revision, point, adapter.feature_shape(point))
    learned = {codec.name: codec for codec in _learned(adapter) if codec.point == point}
    added = {codec.name: codec for codec in contributions(CODECS, adapter, point)}
    return {**added, general.name: general, **learned}


def codec_for(
    adapter: PartitionAdapter, point: int, name: str = QuantisedCodec.name
) -> FeatureCodec:
    """Return one of a model's feature codecs at a partition point.

    Args:
        adapter: The model.
        point: Partition point, 0 to the number of blocks.
        name: Name of the codec.

    Raises:
        NotFoundError: The model has no such point (``unknown_point``), or no such codec there
            (``unknown_codec``).
    """
    return codec_named(codecs_at(adapter, point), name)


def codec_named(codecs: Mapping[str, FeatureCodec], name: str) -> FeatureCodec:
    """Return the codec with a given name.

    Raises:
        NotFoundError: There is no codec with this name (``unknown_codec``).
    """
    if name not in codecs:
        raise NotFoundError(
            f"no codec {name[:100]!r} at this partition point; choose one of {', '.join(codecs)}",
            code="unknown_codec",
        )
    return codecs[name]


def table_name(model: str, point: int) -> str:
    """Return the name under which the tables for a model's partition point are stored."""
    return f"{model}/{point}"


# A node serves a few models with about twenty points each.
@lru_cache(maxsize=128)
def _codec(model: str, revision: str, point: int, shape: tuple[int, ...]) -> QuantisedCodec:
    tables = _tables()
    chosen = tables.get(table_name(model, point), tables[GENERIC])
    return QuantisedCodec(model=model, revision=revision, point=point, shape=shape, tables=chosen)


def _learned(adapter: PartitionAdapter) -> list[FeatureCodec]:
    """Return all rate points of all learned codecs for exactly these weights."""
    found: list[FeatureCodec] = []
    for folder in _codec_folders():
        try:
            found += load_codecs(folder, adapter)
        except UnavailableError as error:
            # The codec is skipped. Codecs of other models are the normal case and not logged.
            if error.info().code != "codec_of_other_model":
                _LOG.warning("%s", error.message)
    return found


def _codec_folders() -> Iterator[Path]:
    """Yield codec folders: first those shipped with the package, then those trained here."""
    shipped = Path(str(files("edgewright.tools.codecs.learned") / "weights"))
    for parent in (shipped, home() / "codecs"):
        yield from (path.parent for path in sorted(parent.glob("*/manifest.json")))


@cache
def _tables() -> dict[str, Tables]:
    """Read the tables written by ``tools/codec_training/calibration.py``."""
    with (
        files("edgewright.tools.codecs").joinpath("tables.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        return {
            str(name): Tables(float(steps), frequencies)
            for name, steps, frequencies in zip(
                stored["names"], stored["steps"], stored["frequencies"], strict=True
            )
        }
