"""The picture that goes with an answer."""

import io
from pathlib import Path

import pytest
from PIL import Image

from edgewright.agents.planner.plan import Plan, Task
from edgewright.agents.planner.request import Turn
from edgewright.agents.responder.result import TaskResult
from edgewright.cli.views.evidence import check_picture_path, save_picture
from edgewright.graphs.assistant.session import Reply
from edgewright.tools.contracts.perceptions import Box, DetectedObject, Perceptions
from edgewright.tools.errors import InputError
from edgewright.tools.images.store import ImageStore


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def _stored(images: ImageStore, size: tuple[int, int], colour: str) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return images.put(buffer.getvalue()).uri


def _reply(tasks: list[tuple[str, dict[str, str], dict[str, object]]], answer: str) -> Reply:
    planned = tuple(
        Task(id=f"t{index}", tool=tool, task_type=tool, args=args)
        for index, (tool, args, _) in enumerate(tasks, start=1)
    )
    results = tuple(
        TaskResult(task_id=task.id, tool=task.tool, status="ok", output=output)
        for task, (_, _, output) in zip(planned, tasks, strict=True)
    )
    plan = Plan(request="r", tasks=planned, planner="embedded", confidence=1)
    turn = Turn(request="r", answer=answer)
    return Reply(
        answer=answer, status="answered", plan=plan, decisions={}, results=results, turn=turn
    )


def _object(width: int, height: int) -> dict[str, object]:
    box = Box(x0=width / 4, y0=height / 4, x1=width / 2, y1=height / 2)
    found = DetectedObject(label="kite", score=0.9, box=box)
    return Perceptions(width=width, height=height, objects=(found,)).model_dump(mode="json")


@pytest.mark.parametrize("name", ["out.png", "out.JPG", "out.webp"])
def test_boxes_and_answer_are_on_the_saved_picture(images, tmp_path, name):
    uri = _stored(images, (800, 600), "white")
    reply = _reply(
        [("object-detection", {"image": uri}, {"perceptions": _object(800, 600)})], "A kite."
    )
    note = save_picture(reply, images, tmp_path / name)
    picture = Image.open(tmp_path / name).convert("RGB")
    assert note.startswith("saved ")
    assert picture.width == 800
    assert picture.height > 600  # the answer stands below
    assert min(picture.getpixel((x, 150))[2] for x in range(200, 400)) < 100  # the box's upper side
    assert picture.getpixel((600, 450)) == pytest.approx((255, 255, 255), abs=3)


def test_one_picture_of_several_images_and_of_one_that_was_made(images, tmp_path):
    one, two = _stored(images, (800, 800), "white"), _stored(images, (800, 800), "red")
    made = _stored(images, (800, 800), "blue")
    reply = _reply(
        [
            ("object-detection", {"image": one}, {"perceptions": _object(800, 800)}),
            ("image-to-text", {"image": two}, {"text": "red"}),
            ("pose-to-image", {"pose": "<t1>"}, {"text": "drawn", "image": made}),
        ],
        "",
    )
    save_picture(reply, images, tmp_path / "out.png")
    picture = Image.open(tmp_path / "out.png").convert("RGB")
    middles = [picture.getpixel((400 + at, 600)) for at in (0, 812, 1624)]
    assert middles == [(255, 255, 255), (255, 0, 0), (0, 0, 255)]


def test_what_several_answers_say_of_one_image_is_drawn_together(images, tmp_path):
    uri = _stored(images, (800, 600), "white")
    left, right = _object(800, 600), _object(800, 600)
    right["objects"][0]["box"] = {"x0": 500, "y0": 400, "x1": 700, "y1": 500}
    asked = [
        ("visual-question-answering", {"image": uri}, {"perceptions": one}) for one in (left, right)
    ]
    save_picture(_reply(asked, ""), images, tmp_path / "out.png")
    picture = Image.open(tmp_path / "out.png").convert("RGB")
    for x, y in ((300, 150), (600, 500)):  # the upper side of one box, the lower side of the other
        assert picture.getpixel((x, y)) != (255, 255, 255)


def test_without_an_image_here_nothing_is_saved(images, tmp_path):
    reply = _reply([("image-to-text", {"image": "camera:garden.jpg"}, {"text": "a bush"})], "x")
    assert "no picture was saved" in save_picture(reply, images, tmp_path / "out.png")
    gone = _reply([("image-to-text", {"image": f"store:{'0' * 64}"}, {})], "x")
    assert "no picture was saved" in save_picture(gone, images, tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_a_place_that_cannot_be_written_is_reported_before_any_work(tmp_path):
    with pytest.raises(InputError, match=r"\.png"):
        check_picture_path(tmp_path / "out.gif")
    with pytest.raises(InputError, match="does not exist"):
        check_picture_path(tmp_path / "missing" / "out.png")
    check_picture_path(tmp_path / "out.PNG")
