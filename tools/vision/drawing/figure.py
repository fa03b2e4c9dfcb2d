"""Drawing people from their poses: a plain figure, and the skeleton that OpenPose draws."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PIL import Image, ImageDraw

from edgewright.tools.contracts.perceptions import IN_VIEW, Point, Pose
from edgewright.tools.vision.drawing.canvas import Colour

_PAPER, _FLOOR = (244, 241, 234), (226, 220, 208)
_SKIN, _HAIR, _INK = (236, 196, 164), (86, 58, 44), (40, 40, 46)
_SHIRT, _TROUSERS, _DRESS, _BOOK = (70, 120, 170), (62, 66, 82), (176, 72, 96), (250, 250, 246)
_SHIRT_FAR, _TROUSERS_FAR = (54, 96, 140), (46, 50, 64)
_WEARS_DRESS = frozenset({"girl", "woman", "lady", "princess", "queen", "ballerina", "bride"})
_HOLDS_BOOK = frozenset({"reading", "reader", "student", "book"})

_HEAD = ("nose", "left eye", "right eye", "left ear", "right ear")

_Joints = dict[str, Point]


def figure(pose: Pose, size: tuple[int, int], subject: str) -> Image.Image:
    """Draw a plain figure in a pose, where the person stood.

    Only joints in view are drawn. The subject's words choose clothes and a book; nothing else of
    the subject is shown, which is why the picture needs its caption.

    Args:
        pose: The pose, in pixels of the picture.
        size: Width and height of the picture.
        subject: What the figure stands for, such as ``a reading girl``.
    """
    smooth = 2  # drawn at twice the size, so that edges are smooth
    width, height = size[0] * smooth, size[1] * smooth
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    joints = {
        point.name: (point.x * smooth, point.y * smooth)
        for point in pose.keypoints
        if point.score >= IN_VIEW
    }
    unit = _unit(joints, pose, smooth)
    feet = max((y for _, y in joints.values()), default=height * 0.8)
    draw.rectangle((0, min(feet + unit * 0.25, height * 0.97), width, height), _FLOOR)
    words = frozenset(subject.lower().replace("-", " ").split())
    _Figure(draw, joints, unit, dressed=bool(words & _WEARS_DRESS)).draw(bool(words & _HOLDS_BOOK))
    return image.resize(size, Image.Resampling.LANCZOS)


class _Figure:
    """A figure that is being drawn.

    Args:
        draw: The drawing.
        joints: Joints in view, in pixels of the drawing.
        unit: About the width of the head in pixels.
        dressed: Whether it wears a dress.
    """

    def __init__(
        self, draw: ImageDraw.ImageDraw, joints: _Joints, unit: float, *, dressed: bool
    ) -> None:
        self._draw = draw
        self._joints = joints
        self._unit = unit
        self._dressed = dressed

    def draw(self, with_book: bool) -> None:
        """Draw from back to front."""
        if self._dressed:
            self._long_hair()
        trousers = (_SKIN, _SKIN) if self._dressed else (_TROUSERS, _TROUSERS_FAR)
        for side, colour in (("right", trousers[1]), ("left", trousers[0])):
            self._limb((f"{side} hip", f"{side} knee", f"{side} ankle"), 0.42, colour)
            self._foot(side)
        shirt = (_DRESS, _DRESS) if self._dressed else (_SHIRT, _SHIRT_FAR)
        self._arm("right", shirt[1])
        self._torso(shirt[0])
        self._head()
        self._arm("left", shirt[0])
        if with_book:
            self._book()

    def _limb(self, names: tuple[str, ...], thickness: float, colour: Colour) -> None:
        points = [self._joints[name] for name in names if name in self._joints]
        if names[0] in self._joints and len(points) > 1:
            self._stroke(points, thickness * self._unit, colour)

    def _arm(self, side: str, sleeve: Colour) -> None:
        self._limb((f"{side} shoulder", f"{side} elbow", f"{side} wrist"), 0.32, sleeve)
        if (wrist := self._joints.get(f"{side} wrist")) is not None:
            self._disc(wrist, 0.2, _SKIN)

    def _foot(self, side: str) -> None:
        if (ankle := self._joints.get(f"{side} ankle")) is not None:
            toes = (ankle[0] + (0.3 if side == "left" else -0.3) * self._unit, ankle[1])
            self._stroke([ankle, toes], 0.3 * self._unit, _INK)

    def _torso(self, colour: Colour) -> None:
        corners = ["left shoulder", "right shoulder", "right hip", "left hip"]
        points = [self._joints[name] for name in corners if name in self._joints]
        if len(points) < 2:
            return
        if len(points) > 2:
            self._draw.polygon(points, colour)
        self._stroke([*points, points[0]], 0.36 * self._unit, colour)
        hips = [self._joints.get(f"{side} hip") for side in ("left", "right")]
        if self._dressed and all(hips):
            self._skirt(colour)

    def _skirt(self, colour: Colour) -> None:
        """Draw a skirt from the hips towards the knees."""
        sides = []
        for side in ("left", "right"):
            hip = self._joints[f"{side} hip"]
            knee = self._joints.get(f"{side} knee", (hip[0], hip[1] + 1.5 * self._unit))
            sides.append((hip, _between(hip, knee, 0.85)))
        (left_hip, left_hem), (right_hip, right_hem) = sides
        middle = (left_hem[0] + right_hem[0]) / 2
        flare = 0.45 * self._unit
        hems = [(x + (flare if x >= middle else -flare), y) for x, y in (left_hem, right_hem)]
        self._draw.polygon([left_hip, hems[0], hems[1], right_hip], colour)
        self._stroke([left_hip, hems[0], hems[1], right_hip], 0.25 * self._unit, colour)

    def _head(self) -> None:
        points = [self._joints[name] for name in _HEAD if name in self._joints]
        if not points:
            return
        x = sum(point[0] for point in points) / len(points)
        y = sum(point[1] for point in points) / len(points)
        shoulders = [self._joints.get(f"{side} shoulder") for side in ("left", "right")]
        present = [shoulder for shoulder in shoulders if shoulder]
        if present:
            neck = (sum(p[0] for p in present) / len(present), min(p[1] for p in present))
            self._stroke([(x, y), neck], 0.34 * self._unit, _SKIN)
        self._disc((x, y - 0.14 * self._unit), 0.6, _HAIR)
        self._disc((x, y + 0.02 * self._unit), 0.5, _SKIN)
        for name in ("left eye", "right eye"):
            if name in self._joints:
                self._disc(self._joints[name], 0.06, _INK)

    def _long_hair(self) -> None:
        """Draw hair that falls behind the head to the shoulders."""
        head = [self._joints[n] for n in _HEAD if n in self._joints]
        if head:
            x, y = (sum(values) / len(head) for values in zip(*head, strict=True))
            self._stroke([(x, y), (x, y + 0.8 * self._unit)], 1.3 * self._unit, _HAIR)

    def _book(self) -> None:
        """Draw an open book where the hands are, or before the chest."""
        hands = [self._joints[n] for n in ("left wrist", "right wrist") if n in self._joints]
        if not hands:
            return
        x = sum(hand[0] for hand in hands) / len(hands)
        y = min(hand[1] for hand in hands)
        half, high = 0.75 * self._unit, 0.95 * self._unit
        for sign in (-1, 1):
            page = [
                (x, y - high * 0.8),
                (x + sign * half, y - high),
                (x + sign * half, y),
                (x, y + high * 0.2),
            ]
            self._draw.polygon(page, _BOOK, _INK, width=max(1, round(0.05 * self._unit)))
            for line in range(1, 5):
                start = _between(page[0], page[3], line / 5)
                end = _between(page[1], page[2], line / 5)
                ends = [_between(start, end, 0.15), _between(start, end, 0.85)]
                self._draw.line(ends, (170, 170, 170), max(1, round(0.03 * self._unit)))

    def _stroke(self, points: list[Point], thickness: float, colour: Colour) -> None:
        """Draw a line with round joints and ends."""
        self._draw.line(points, colour, max(1, round(thickness)), joint="curve")
        for point in points:
            self._disc(point, thickness / 2 / self._unit, colour)

    def _disc(self, centre: Point, radius: float, colour: Colour) -> None:
        size = radius * self._unit
        x, y = centre
        self._draw.ellipse((x - size, y - size, x + size, y + size), colour)


#: Limbs of OpenPose's skeleton, by the names of keypoints and "neck", in the order of its colours.
_OPENPOSE = (
    ("neck", "right shoulder"),
    ("neck", "left shoulder"),
    ("right shoulder", "right elbow"),
    ("right elbow", "right wrist"),
    ("left shoulder", "left elbow"),
    ("left elbow", "left wrist"),
    ("neck", "right hip"),
    ("right hip", "right knee"),
    ("right knee", "right ankle"),
    ("neck", "left hip"),
    ("left hip", "left knee"),
    ("left knee", "left ankle"),
    ("neck", "nose"),
    ("nose", "right eye"),
    ("right eye", "right ear"),
    ("nose", "left eye"),
    ("left eye", "left ear"),
)


def openpose_skeleton(pose: Pose, size: tuple[int, int]) -> Image.Image:
    """Draw the skeleton that ControlNets for poses were trained on (OpenPose, Cao et al., 2019).

    Args:
        pose: The pose, in pixels of the picture.
        size: Width and height of the picture.
    """
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    joints = {p.name: (p.x, p.y) for p in pose.keypoints if p.score >= IN_VIEW}
    if "left shoulder" in joints and "right shoulder" in joints:
        joints["neck"] = _between(joints["left shoulder"], joints["right shoulder"], 0.5)
    thickness = max(2, max(size) // 128)
    for index, (one, other) in enumerate(_OPENPOSE):
        if one in joints and other in joints:
            # The limbs are a little darker than the joints.
            colour = _hue(index, len(_OPENPOSE), 0.6)
            draw.line([joints[one], joints[other]], colour, thickness)
    for index, (x, y) in enumerate(joints.values()):
        box = (x - thickness, y - thickness, x + thickness, y + thickness)
        draw.ellipse(box, _hue(index, len(joints), 1.0))
    return image


def _hue(index: int, count: int, value: float) -> Colour:
    """Return the colour of a limb: red, yellow, green, blue and so on around the circle."""
    angle = 6 * index / count
    channels = [max(0.0, min(1.0, abs((angle + shift) % 6 - 3) - 1)) for shift in (0, 4, 2)]
    red, green, blue = (round(255 * value * channel) for channel in channels)
    return red, green, blue


def _unit(joints: Mapping[str, Point], pose: Pose, smooth: int) -> float:
    """Return about the width of the head: a share of the shoulders, the torso or the person."""
    candidates = []
    for one, other, share in (
        ("left shoulder", "right shoulder", 0.55),
        ("left shoulder", "left hip", 0.42),
        ("right shoulder", "right hip", 0.42),
        ("left hip", "left knee", 0.5),
        ("right hip", "right knee", 0.5),
    ):
        if one in joints and other in joints:
            candidates.append(share * math.dist(joints[one], joints[other]))
    return max([*candidates, 0.06 * max(pose.box.width, pose.box.height) * smooth, 2.0])


def _between(one: Point, other: Point, share: float) -> Point:
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share
