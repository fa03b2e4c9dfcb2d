"""The evidence picture: what was seen, drawn on the photograph."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image

from edgewright.tools.contracts.perceptions import (
    IN_VIEW,
    Box,
    DetectedObject,
    Face,
    Perceptions,
    Point,
    Pose,
    TextLine,
)
from edgewright.tools.vision.classification import percent
from edgewright.tools.vision.drawing.canvas import PALETTE, Canvas, Colour

#: Limbs as pairs of keypoints.
LIMBS = (
    ("left shoulder", "right shoulder"),
    ("left shoulder", "left elbow"),
    ("left elbow", "left wrist"),
    ("right shoulder", "right elbow"),
    ("right elbow", "right wrist"),
    ("left shoulder", "left hip"),
    ("right shoulder", "right hip"),
    ("left hip", "right hip"),
    ("left hip", "left knee"),
    ("left knee", "left ankle"),
    ("right hip", "right knee"),
    ("right knee", "right ankle"),
    ("nose", "left eye"),
    ("nose", "right eye"),
    ("left eye", "left ear"),
    ("right eye", "right ear"),
)
_LEFT, _RIGHT, _MIDDLE = PALETTE[1], PALETTE[0], PALETTE[3]
_FACE, _TEXT = PALETTE[6], PALETTE[2]
#: Longer lines of text are shortened on the picture.
_MAX_LABEL = 40


def evidence_picture(image: Image.Image, seen: Perceptions) -> Image.Image:
    """Draw what was seen on an image.

    Args:
        image: The upright RGB image, of any size.
        seen: What was seen; it may be in pixels of another size of the same image.

    Returns:
        A new image, at a size at which the labels can be read.
    """
    canvas = Canvas(image)
    seen = seen.resized(image.width, image.height)
    _draw_objects(canvas, seen.objects or (), bool(seen.poses))
    for pose in seen.poses or ():
        _draw_pose(canvas, pose)
    for face in seen.faces or ():
        _draw_face(canvas, face)
    for line in seen.texts or ():
        _draw_text(canvas, line)
    return canvas.image


def _draw_objects(canvas: Canvas, objects: Iterable[DetectedObject], with_poses: bool) -> None:
    colours: dict[str, Colour] = {}
    shown = [each for each in objects if not (with_poses and each.label == "person")]
    for each in sorted(shown, key=lambda one: -one.box.area):  # small boxes on top
        colour = colours.setdefault(each.label, PALETTE[len(colours) % len(PALETTE)])
        canvas.polygon(_corners(each.box), colour)
    for each in shown:
        label = f"{each.label} {percent(each.score)}"
        canvas.label(label, (each.box.x0, each.box.y0), colours[each.label])


def _draw_pose(canvas: Canvas, pose: Pose) -> None:
    points = {point.name: point for point in pose.keypoints if point.score >= IN_VIEW}
    for one, other in LIMBS:
        if one in points and other in points:
            ends = [(points[name].x, points[name].y) for name in (one, other)]
            canvas.segment(ends[0], ends[1], _side_of(one, other))
    for name, point in points.items():
        canvas.dot((point.x, point.y), _side_of(name, name))
    label = f"person {percent(pose.score)}, {len(points)} joints"
    canvas.label(label, (pose.box.x0, pose.box.y0), _MIDDLE)


def _draw_face(canvas: Canvas, face: Face) -> None:
    canvas.polygon(_corners(face.box), _FACE)
    label = "face, turned away" if not face.frontal else "face"
    if face.expressions:
        best, score = next(iter(face.expressions.items()))
        label = f"{best} {percent(score)}"
    canvas.label(label, (face.box.x0, face.box.y0), _FACE)


def _draw_text(canvas: Canvas, line: TextLine) -> None:
    canvas.polygon(line.polygon, _TEXT)
    text = line.text if len(line.text) <= _MAX_LABEL else f"{line.text[: _MAX_LABEL - 1]}\u2026"
    canvas.label(text, (line.box.x1, line.box.y1), _TEXT)  # beside it: above it is another line


def _side_of(one: str, other: str) -> Colour:
    """Return the colour of the person's left or right, or of what joins both."""
    sides = {name.split()[0] for name in (one, other)} & {"left", "right"}
    if len(sides) != 1:
        return _MIDDLE
    return _LEFT if "left" in sides else _RIGHT


def _corners(box: Box) -> tuple[Point, ...]:
    return (box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)
