"""A scene computes what is asked for, once; what was seen is remembered by image."""

from PIL import Image

from edgewright.tools.contracts.perceptions import Box, DetectedObject, Pose, SceneLabel
from edgewright.tools.vision.scene import Scenes

_BOX = Box(x0=0, y0=0, x1=1, y1=1)


def _scenes(calls):
    def objects(scene):
        calls.append("objects")
        return [DetectedObject(label="person", score=0.9, box=_BOX)]

    def poses(scene):
        people = scene.objects
        calls.append("poses")
        return [Pose(box=person.box, score=person.score, keypoints=()) for person in people]

    def labels(scene):
        calls.append("labels")
        return [SceneLabel(label="street", score=0.5)]

    return Scenes({"objects": objects, "poses": poses, "labels": labels})


def test_only_what_is_asked_for_is_computed_and_only_once():
    calls: list[str] = []
    scene = _scenes(calls).scene(Image.new("RGB", (4, 3)), "a")
    assert calls == []
    assert len(scene.poses) == 1
    assert len(scene.objects) == 1
    assert calls == ["objects", "poses"]
    assert list(scene.stages_ms) == ["objects", "poses"]
    assert scene.cached == []
    assert (scene.perceptions.width, scene.perceptions.height) == (4, 3)
    assert scene.perceptions.labels is None


def test_what_was_seen_is_remembered_by_image():
    calls: list[str] = []
    scenes = _scenes(calls)
    image = Image.new("RGB", (4, 3))
    first = scenes.scene(image, "a")
    _ = first.objects
    scenes.remember("a", first)
    second = scenes.scene(image, "a")
    assert (second.objects, second.cached, second.stages_ms) == (first.objects, ["objects"], {})
    assert second.labels[0].label == "street"
    assert calls == ["objects", "labels"]
    third = scenes.scene(image, "another image")
    _ = third.objects
    assert (calls, third.cached) == (["objects", "labels", "objects"], [])


def test_the_memory_of_scenes_is_bounded():
    calls: list[str] = []
    scenes = _scenes(calls)
    for index in range(70):
        scene = scenes.scene(Image.new("RGB", (1, 1)), str(index))
        _ = scene.objects
        scenes.remember(str(index), scene)
    old, recent = (scenes.scene(Image.new("RGB", (1, 1)), name) for name in ("0", "69"))
    assert (old.perceptions.objects, recent.perceptions.objects is not None) == (None, True)
