"""Models are profiled block by block, with every codec and image encoding."""

from functools import partial
from typing import Any

import pytest
from PIL import Image

from edgewright.tools.codecs.registry import codecs_at
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.library import experts, load_adapter
from edgewright.tools.models.adapter import PartitionAdapter
from edgewright.tools.models.engines.torch import blip
from edgewright.tools.models.source import ModelSource
from edgewright.tools.offload.accuracy_retention import IMAGE_ENCODINGS, known_accuracy_retention
from edgewright.tools.offload.profiling.cut_profile import measure
from edgewright.tools.vision.generation import BlipQuestionAnswerer


def finished(pieces):
    """Run all pieces of a measurement, and return its result."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def adapter() -> PartitionAdapter:
    return load_adapter("efficientnet-lite0")


def measured(
    adapter: PartitionAdapter, photographs: list[Image.Image], **options: Any
) -> ModelProfile:
    expert = experts()[options.pop("expert", "efficientnet-lite0-classifier")]
    pieces = measure(adapter, expert, partial(codecs_at, adapter), photographs, runs=2, **options)
    return finished(pieces)


@pytest.mark.slow
def test_measures_every_block_cut_and_encoding(adapter: Any, photograph: Any) -> None:
    profile = measured(adapter, [photograph("coffee")])
    assert (profile.model, profile.revision) == (adapter.model, adapter.revision)
    assert [block.name for block in profile.blocks] == list(adapter.block_names)
    cuts = [(point.point, point.codec) for point in profile.points]
    inner = range(1, len(adapter.block_names))
    assert cuts == [(point, name) for point in inner for name in codecs_at(adapter, point)]
    assert [(one.image_codec, one.quality) for one in profile.image_codecs] == list(IMAGE_ENCODINGS)
    assert profile.preprocess_pixels == 600 * 400
    assert 0 < profile.normalise_ms < profile.whole_ms
    assert min(block.ms for block in profile.blocks) > 0
    shares = known_accuracy_retention(adapter.model, adapter.revision)
    assert {point.accuracy_retention for point in profile.points} <= set(shares.values())
    for point in profile.points[4:]:
        assert point.frame_bytes < 0.6 * _values(adapter, point.point)
    assert ModelProfile.model_validate_json(profile.model_dump_json()) == profile


@pytest.mark.slow
def test_unknown_weights_are_measured_with_the_shipped_photographs(
    adapter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "edgewright.tools.offload.profiling.cut_profile.known_accuracy_retention", lambda *_: {}
    )
    profile = measured(adapter, [], slowdown=3.0)
    assert profile.slowdown == 3.0
    assert profile.preprocess_pixels > 320 * 320
    general = [point for point in profile.points if point.codec == "quantised8"]
    assert min(point.accuracy_retention for point in general[6:]) > 0.98
    coarsest = next(point for point in profile.points if point.codec == "transform-4")
    assert (
        0.5 < coarsest.accuracy_retention < min(point.accuracy_retention for point in general[6:])
    )


@pytest.mark.slow
def test_an_expert_that_writes_text_is_compared_by_its_text(adapter: Any, photograph: Any) -> None:
    profile = measured(adapter, [photograph("coffee")], expert="label-captioner")
    assert {point.accuracy_retention for point in profile.points} <= {0.0, 0.5, 1.0}


def _values(adapter: PartitionAdapter, point: int) -> int:
    count = 1
    for size in adapter.feature_shape(point):
        count *= size
    return count


@pytest.mark.slow
def test_measures_a_transformer_that_answers_questions(tiny_blip: Any, photograph: Any) -> None:
    adapter = blip.load_questions(ModelSource.parse(str(tiny_blip("vqa"))))
    expert = BlipQuestionAnswerer(adapter.answer)
    pieces = measure(adapter, expert, partial(codecs_at, adapter), [photograph("coffee")], runs=1)
    profile = finished(pieces)
    assert len(profile.points) == len(adapter.block_names) - 1
    assert all(point.frame_bytes < _values(adapter, point.point) for point in profile.points)
