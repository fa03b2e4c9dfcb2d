"""The worker whose networks look at whole images."""

import io

import pytest
from PIL import Image, ImageDraw

from edgewright.edge_runtime.workers.perception import PerceptionOperations
from edgewright.edge_runtime.workers.settings import WorkerSettings
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.perception.needed import TEXT_READER

pytestmark = pytest.mark.installed(TEXT_READER)


@pytest.fixture(scope="module")
def operations() -> PerceptionOperations:
    return PerceptionOperations(WorkerSettings(model=PERCEPTION))


def _sign(size: tuple[int, int] = (400, 200)) -> bytes:
    image = Image.new("RGB", size, "white")
    box = (size[0] // 10, size[1] // 4)
    ImageDraw.Draw(image).text(box, "BAKERY", "black", font_size=size[0] // 6)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _read(operations, image):
    header, blob = operations.run("whole", {"expert": "text-recogniser", "args": {}}, image)
    assert blob == b""
    return header


def test_a_second_request_about_an_image_is_answered_from_memory(operations):
    first, second = _read(operations, _sign()), _read(operations, _sign())
    assert first["output"]["lines"] == ["BAKERY"]
    assert list(first["stages_ms"]) == ["decode", "texts", "postprocess"]
    assert first["cached"] == []
    assert second["output"] == first["output"]
    assert list(second["stages_ms"]) == ["decode", "postprocess"]
    assert second["cached"] == ["texts"]


def test_a_30_megapixel_photograph_has_boxes_in_its_own_pixels(operations):
    header = _read(operations, _sign((6400, 4800)))
    seen = header["output"]["perceptions"]
    assert (seen["width"], seen["height"]) == (6400, 4800)
    xs, ys = zip(*seen["texts"][0]["polygon"], strict=True)
    assert 400 < min(xs) < 700
    assert 4000 < max(xs) < 6400
    assert 1000 < min(ys) < 1600


def test_what_it_describes_has_no_partition_points(operations):
    description = operations.describe()
    assert description["blocks"] == []
    assert len(description["revision"]) == 16
    with pytest.raises(NotFoundError, match="no partition points"):
        operations.run("head", {}, _sign())


def test_wrong_calls_are_refused(operations):
    with pytest.raises(NotFoundError, match="text-recogniser"):
        operations.run("whole", {"expert": "x", "args": {}}, _sign())
    with pytest.raises(InputError):
        _read(operations, b"not an image")


def test_an_image_is_encoded_for_sending_at_the_size_that_experts_look_at(operations):
    parameters = {"image_codec": "jpeg", "quality": 80}
    header, sent = operations.run("recode", parameters, _sign((2560, 1280)))
    assert list(header["stages_ms"]) == ["decode", "preprocess", "encode"]
    assert Image.open(io.BytesIO(sent)).size == (1280, 640)
    _, small = operations.run("recode", parameters, _sign())
    assert Image.open(io.BytesIO(small)).size == (400, 200)
