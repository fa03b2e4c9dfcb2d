"""Whole, head, tail and rest agree; frames are checked; the slow-down is honest."""

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
def test_tail_of_a_head_names_it_too(executor, jpeg, point):
    coded = executor.head(jpeg("coffee"), point, "t")
    outcome = executor.tail(coded.frame, CLASSIFIER, {})
    assert outcome.output["labels"][0]["label"] == "espresso"
    assert list(coded.stages_ms) == ["decode", "preprocess", "head", "encode"]
    assert list(outcome.stages_ms) == ["tail_decode", "tail", "postprocess"]


@pytest.mark.parametrize("point", [0, 4, 17])
def test_rest_equals_whole_exactly(executor, jpeg, point):
    whole = executor.whole(jpeg("chelsea"), CLASSIFIER, {})
    executor.head(jpeg("chelsea"), point, "t")
    rest = executor.resume("t", CLASSIFIER, {})
    assert rest.output == whole.output
    assert list(rest.stages_ms) == ["resume", "postprocess"]
    assert executor.resume("t", ANSWERER, ANY_CAT).output["answer"] == "yes"


def test_a_few_heads_are_kept_and_the_oldest_goes_first(executor, jpeg):
    for number in range(9):
        executor.head(jpeg("rocket"), 17, str(number))
    executor.drop("8")
    executor.drop("8")
    for gone in ("0", "8", "never"):
        with pytest.raises(NotFoundError) as caught:
            executor.resume(gone, CLASSIFIER, {})
        assert caught.value.info().code == "ticket_unknown"
    assert executor.resume("1", CLASSIFIER, {}).output["text"].startswith("rocket")


def test_a_recoded_picture_is_what_the_network_sees(executor, jpeg):
    coded = executor.recode(jpeg("chelsea"), "png", None)
    assert decode(coded.frame).size == (224, 224)
    assert list(coded.stages_ms) == ["decode", "preprocess", "encode"]
    whole = executor.whole(jpeg("chelsea"), CLASSIFIER, {})
    assert executor.whole(coded.frame, CLASSIFIER, {}).output == whole.output
    small = executor.recode(jpeg("chelsea"), "webp", 50).frame
    assert len(small) < len(coded.frame) / 5
    assert executor.whole(small, ANSWERER, ANY_CAT).output["answer"] == "yes"


def test_refusals_come_before_any_work(executor):
    counting = {"question": "How many cats are there?"}
    for call in (
        lambda: executor.whole(b"not looked at", ANSWERER, counting),
        lambda: executor.tail(b"not looked at", ANSWERER, counting),
        lambda: executor.resume("not looked at", ANSWERER, counting),
    ):
        with pytest.raises(RefusedError):
            call()


def test_experts_of_other_models_are_unknown(executor, jpeg):
    with pytest.raises(NotFoundError) as caught:
        executor.whole(jpeg("chelsea"), "blip-captioner", {})
    assert caught.value.info().code == "unknown_expert"


def test_bad_pictures_and_points_are_refused(executor, jpeg):
    with pytest.raises(InputError):
        executor.head(b"no picture", 3, "t")
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


def test_the_slow_down_is_slept_and_reported(jpeg):
    adapter = efficientnet.load()
    slow = SplitExecutor(adapter, experts(), partial(codecs_at, adapter), slowdown=4)
    fast = SplitExecutor(adapter, experts(), partial(codecs_at, adapter))
    picture = jpeg("chelsea")
    fast.whole(picture, CLASSIFIER, {})
    quick = min(fast.whole(picture, CLASSIFIER, {}).stages_ms["whole"] for _ in range(3))
    slowed = slow.whole(picture, CLASSIFIER, {})
    assert slowed.stages_ms["whole"] > 3 * quick
    assert slowed.output == fast.whole(picture, CLASSIFIER, {}).output


def test_too_many_pixels_are_refused(jpeg):
    adapter = efficientnet.load()
    small = SplitExecutor(adapter, experts(), partial(codecs_at, adapter), max_pixels=1000)
    with pytest.raises(InputError) as caught:
        small.whole(jpeg("chelsea"), CLASSIFIER, {})
    assert caught.value.info().code == "too_many_pixels"


def test_sixteen_bit_grey_and_transparency_reach_the_network(executor):
    import io

    grey = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    for picture in (Image.fromarray(grey), Image.new("RGBA", (64, 64), (0, 0, 0, 0))):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        assert executor.whole(buffer.getvalue(), CLASSIFIER, {}).output["labels"]
