"""Pictures that go with answers, by the real commands on a node of their own."""

import json

import pytest
import skimage.data
from PIL import Image

from edgewright.tools.vision.perception.needed import DETECTOR, POSE, SECOND_DETECTOR

pytestmark = [pytest.mark.slow, pytest.mark.installed(DETECTOR, SECOND_DETECTOR, POSE)]


@pytest.fixture
def astronaut(tmp_path):
    path = tmp_path / "astronaut.jpg"
    Image.fromarray(skimage.data.astronaut()).save(path, quality=95)
    return path


def test_a_person_is_replaced_and_the_picture_is_saved(edgewright, astronaut, tmp_path):
    done = edgewright(
        *("ask", "replace the riding boy in this photo with a reading girl"),
        *("--image", astronaut, "--embedded", "--json", "--deadline", "100"),
        *("--save", tmp_path / "girl.png"),
    )
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    assert [task["tool"] for task in reply["plan"]["tasks"]] == ["pose-detection", "pose-to-image"]
    seen, drawn = (result["output"] for result in reply["results"])
    assert len(seen["poses"]) == 1
    assert "drawn, not generated" in reply["answer"]
    assert drawn["image"].startswith("store:")
    assert "image_base64" not in drawn
    picture = Image.open(tmp_path / "girl.png").convert("RGB")
    assert picture.width > 2 * 700  # the photograph and the new picture beside each other
    assert f"saved {tmp_path / 'girl.png'}" in done.stderr.replace("\n", "")


def test_a_chat_saves_its_last_answer(edgewright, astronaut, tmp_path):
    lines = f"/save {tmp_path / 'early.png'}\ndetect the objects\n/save {tmp_path / 'late.png'}\n"
    done = edgewright("chat", "--image", astronaut, "--embedded", stdin=lines)
    assert done.returncode == 0, done.stderr
    assert "there is no answer yet" in done.stderr
    assert not (tmp_path / "early.png").exists()
    assert Image.open(tmp_path / "late.png").convert("RGB").width == 720
    assert "one person" in done.stdout
