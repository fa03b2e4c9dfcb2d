"""Whole, head, tail and resumed runs give the same results; frames are checked."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from edgewright.tools.codecs.frame import pack
from edgewright.tools.codecs.registry import codec_for, codecs_at
from edgewright.tools.errors import FrameError, InputError, NotFoundError, RefusedError
from edgewright.tools.images.decode import decode
from edgewright.tools.library import experts
from edgewright.tools.models.engines.torch import efficientnet
from edgewright.tools.models.registry import ModelRegistry
from edgewright.tools.split.executor import SplitExecutor

CLASSIFIER = "efficientnet-lite0-classifier"
ANSWERER = "label-question-answerer"
ANY_CAT = {"question": "Is there a cat?"}


@pytest.fixture
def executor() -> SplitExecutor:
    adapter = efficientnet.load()
    return SplitExecutor(adapter, experts(), partial(codecs_at, adapter))


def test_whole_names_a_photograph(executor, jpeg):
    outcome = executor.whole(jpeg("coffee"), CLASSIFIER, {})
    assert outcome.output["labels"][0]["label"] == "espresso"
    assert list(outcome.stages_ms) == ["decode", "preprocess", "whole", "postprocess"]
    assert all(ms >= 0 for ms in outcome.stages_ms.values())


@pytest.mark.parametrize("point", [0, 1, 5, 9, 13, 17, 18])
def test_the_tail_of_a_head_names_it_too(executor, jpeg, point):
    encoded = executor.head(jpeg("coffee"), point, "t")
    outcome = executor.tail(encoded.frame, CLASSIFIER, {})
    assert outcome.output["labels"][0]["label"] == "espresso"
    assert list(encoded.stages_ms) == ["decode", "preprocess", "head", "encode"]
    assert list(outcome.stages_ms) == ["tail_decode", "tail", "postprocess"]


def test_graphs_are_loaded_before_their_stage_is_timed(jpeg, monkeypatch):
    adapter = efficientnet.load()
    executor = SplitExecutor(adapter, experts(), partial(codecs_at, adapter))
    prepared: list[tuple[int, int]] = []
    run = adapter.run
    monkeypatch.setattr(adapter, "prepare", lambda start, stop: prepared.append((start, stop)))
    monkeypatch.setattr(
        adapter, "run", lambda x, *blocks: run(x, *blocks) if blocks in prepared else None
    )
    encoded = executor.head(jpeg("coffee"), 5, "t")
    assert executor.tail(encoded.frame, CLASSIFIER, {}).output["labels"][0]["label"] == "espresso"
    assert prepared == [(0, 5), (5, 18)]


@pytest.mark.parametrize("point", [0, 4, 17])
def test_a_resumed_run_equals_a_whole_run_exactly(executor, jpeg, point):
    whole = executor.whole(jpeg("chelsea"), CLASSIFIER, {})
    executor.head(jpeg("chelsea"), point, "t")
    resumed = executor.resume("t", CLASSIFIER, {})
    assert resumed.output == whole.output
    assert list(resumed.stages_ms) == ["resume", "postprocess"]
    assert executor.resume("t", ANSWERER, ANY_CAT).output["answer"] == "yes"


def test_a_few_heads_are_cached_and_the_oldest_is_evicted_first(executor, jpeg):
    for number in range(9):
        executor.head(jpeg("rocket"), 17, str(number))
    executor.drop("8")
    executor.drop("8")
    for gone in ("0", "8", "never"):
        with pytest.raises(NotFoundError) as caught:
            executor.resume(gone, CLASSIFIER, {})
        assert caught.value.info().code == "ticket_unknown"
    assert executor.resume("1", CLASSIFIER, {}).output["text"].startswith("rocket")


def test_a_recoded_image_is_what_the_network_receives(executor, jpeg):
    encoded = executor.recode(jpeg("chelsea"), "png", None)
    assert decode(encoded.frame).size == (224, 224)
    assert list(encoded.stages_ms) == ["decode", "preprocess", "encode"]
    whole = executor.whole(jpeg("chelsea"), CLASSIFIER, {})
    assert executor.whole(encoded.frame, CLASSIFIER, {}).output == whole.output
    small = executor.recode(jpeg("chelsea"), "webp", 50).frame
    assert len(small) < len(encoded.frame) / 5
    assert executor.whole(small, ANSWERER, ANY_CAT).output["answer"] == "yes"


def test_refusals_come_before_any_work(executor):
    counting = {"question": "How many cats are there?"}
    for call in (
        lambda: executor.whole(b"not read", ANSWERER, counting),
        lambda: executor.tail(b"not read", ANSWERER, counting),
        lambda: executor.resume("not read", ANSWERER, counting),
    ):
        with pytest.raises(RefusedError):
            call()


def test_experts_of_other_models_are_unknown(executor, jpeg):
    with pytest.raises(NotFoundError) as caught:
        executor.whole(jpeg("chelsea"), "blip-captioner", {})
    assert caught.value.info().code == "unknown_expert"


def test_bad_images_and_points_are_refused(executor, jpeg):
    with pytest.raises(InputError):
        executor.head(b"not an image", 3, "t")
    with pytest.raises(NotFoundError) as caught:
        executor.head(jpeg("chelsea"), 19, "t")
    assert caught.value.info().code == "unknown_point"
    with pytest.raises(NotFoundError):
        executor.resume("t", CLASSIFIER, {})


def test_damaged_and_foreign_frames_are_refused(executor, jpeg):
    frame = executor.head(jpeg("chelsea"), 9, "t").frame
    damaged = frame[:-1] + bytes([frame[-1] ^ 1])
    codec = codec_for(efficientnet.load(), 9)

    class Elsewhere:
        name, model, shape, fingerprint = codec.name, codec.model, codec.shape, codec.fingerprint
        point = 900

    for bad, code in ((damaged, "frame_checksum"), (pack(b"", Elsewhere()), "frame_point")):
        with pytest.raises(FrameError) as caught:
            executor.tail(bad, CLASSIFIER, {})
        assert caught.value.info().code == code


def test_the_slowdown_is_slept_and_reported(jpeg):
    adapter = efficientnet.load()
    slow = SplitExecutor(adapter, experts(), partial(codecs_at, adapter), slowdown=4)
    fast = SplitExecutor(adapter, experts(), partial(codecs_at, adapter))
    image = jpeg("chelsea")
    fast.whole(image, CLASSIFIER, {})
    quick = min(fast.whole(image, CLASSIFIER, {}).stages_ms["whole"] for _ in range(3))
    slowed = slow.whole(image, CLASSIFIER, {})
    assert slowed.stages_ms["whole"] > 3 * quick
    assert slowed.output == fast.whole(image, CLASSIFIER, {}).output


def test_too_many_pixels_are_refused(jpeg):
    adapter = efficientnet.load()
    small = SplitExecutor(adapter, experts(), partial(codecs_at, adapter), max_pixels=1000)
    with pytest.raises(InputError) as caught:
        small.whole(jpeg("chelsea"), CLASSIFIER, {})
    assert caught.value.info().code == "too_many_pixels"


def test_sixteen_bit_grey_and_transparency_reach_the_network(executor):
    import io

    grey = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    for image in (Image.fromarray(grey), Image.new("RGBA", (64, 64), (0, 0, 0, 0))):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        assert executor.whole(buffer.getvalue(), CLASSIFIER, {}).output["labels"]


@pytest.fixture
def exported() -> SplitExecutor:
    adapter = ModelRegistry().load("efficientnet-lite0", threads=1)
    return SplitExecutor(adapter, experts(), partial(codecs_at, adapter))


def test_a_precision_is_kept_from_head_to_tail(exported, jpeg):
    image = jpeg("coffee")
    whole = exported.whole(image, CLASSIFIER, {}, precision="int8")
    assert whole.output["labels"][0]["label"] == "espresso"
    encoded = exported.head(image, 7, "t", precision="int8")
    tail = exported.tail(encoded.frame, CLASSIFIER, {}, precision="int8")
    assert tail.output["labels"][0]["label"] == "espresso"
    resumed = exported.resume("t", CLASSIFIER, {}).output["labels"][0]
    assert resumed["label"] == "espresso"
    assert resumed["score"] == pytest.approx(whole.output["labels"][0]["score"], abs=0.03)
    assert whole.output != exported.whole(image, CLASSIFIER, {}).output


def test_a_precision_that_a_model_lacks_is_refused(executor, jpeg):
    with pytest.raises(NotFoundError) as caught:
        executor.whole(jpeg("coffee"), CLASSIFIER, {}, precision="int8")
    assert caught.value.info().code == "unknown_precision"
