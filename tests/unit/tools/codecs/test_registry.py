"""Every model has a codec at every partition point."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY
from edgewright.tools.codecs.quantised import SYMBOLS
from edgewright.tools.codecs.registry import _tables, codec_for
from edgewright.tools.errors import NotFoundError
from edgewright.tools.models.adapter import PartitionAdapter


def adapter(model: str, revision: str = "r") -> PartitionAdapter:
    stub = SimpleNamespace(
        model=model,
        revision=revision,
        block_names=("a", "b", "c"),
        feature_shape=lambda point: (4, 8, 8),
    )
    return cast(PartitionAdapter, stub)


def test_shipped_tables_are_valid() -> None:
    tables = _tables()
    assert {"generic", *(f"efficientnet-lite0/{point}" for point in range(18))} <= set(tables)
    for entry in tables.values():
        assert entry.frequencies.shape == (3, SYMBOLS)
        assert entry.frequencies.min() > 0
        assert (entry.frequencies.sum(axis=1) == TOTAL_FREQUENCY).all()
        assert entry.steps > 0


@pytest.mark.parametrize("model", ["efficientnet-lite0", "never-calibrated"])
def test_every_point_has_a_codec(model: str) -> None:
    original = np.random.default_rng(0).normal(size=(4, 8, 8)).astype(np.float32)
    for point in range(4):
        codec = codec_for(adapter(model), point)
        assert (codec.model, codec.point, codec.shape) == (model, point, (4, 8, 8))
        decoded = codec.decode(codec.encode(original))
        assert np.abs(decoded - original).max() < 0.5


def test_other_weights_have_other_fingerprints() -> None:
    assert (
        codec_for(adapter("m", "r"), 1).fingerprint != codec_for(adapter("m", "s"), 1).fingerprint
    )


@pytest.mark.parametrize("point", [-1, 4])
def test_an_unknown_point_is_refused(point: int) -> None:
    with pytest.raises(NotFoundError) as caught:
        codec_for(adapter("m"), point)
    assert caught.value.info().code == "unknown_point"
