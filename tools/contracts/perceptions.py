"""Perceptions: what experts saw in one image, as boxes, text lines, poses and faces.

All coordinates are pixels of the original image, held upright (its EXIF orientation applied): x
grows to the right, y downwards, and the top left corner is (0, 0). Every type round-trips through
JSON (``model_dump_json`` and ``model_validate_json``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Score = Annotated[float, Field(ge=0, le=1)]
Point = tuple[float, float]

#: Names of a pose's keypoints, in COCO's order; left and right are the person's own.
KEYPOINT_NAMES = (
    "nose",
    "left eye",
    "right eye",
    "left ear",
    "right ear",
    "left shoulder",
    "right shoulder",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left hip",
    "right hip",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
)

#: From this score on, a keypoint is taken to be in view.
IN_VIEW = 0.3


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Box(_Frozen):
    """A rectangle with its sides along the image's.

    Attributes:
        x0: Left side.
        y0: Upper side.
        x1: Right side.
        y1: Lower side.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    @model_validator(mode="after")
    def _ordered(self) -> Box:
        if self.x1 < self.x0 or self.y1 < self.y0:
            raise ValueError("x1 and y1 must not be less than x0 and y0")
        return self

    @property
    def width(self) -> float:
        """Return the width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Return the height in pixels."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Return the area in square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> Point:
        """Return the centre as (x, y)."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def overlap(self, other: Box) -> float:
        """Return the area that both boxes cover, in square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(width, 0.0) * max(height, 0.0)

    def iou(self, other: Box) -> float:
        """Return the area that both cover as a share of the area that either covers."""
        both = self.overlap(other)
        either = self.area + other.area - both
        return both / either if either > 0 else 0.0


class DetectedObject(_Frozen):
    """An object and where it is.

    Attributes:
        label: Lower-case singular noun, such as ``person`` or ``traffic light``.
        score: The detectors' confidence.
        box: Rectangle around it.
    """

    label: str
    score: Score
    box: Box


class TextLine(_Frozen):
    """A line of text.

    Attributes:
        text: The characters as read.
        score: The recogniser's confidence.
        polygon: Corners around the line, clockwise from its first character's upper left.
    """

    text: str
    score: Score
    polygon: tuple[Point, ...] = Field(min_length=3)

    @property
    def box(self) -> Box:
        """Return the smallest box around the polygon."""
        xs, ys = zip(*self.polygon, strict=True)
        return Box(x0=min(xs), y0=min(ys), x1=max(xs), y1=max(ys))


class Keypoint(_Frozen):
    """A joint or a part of the face.

    Attributes:
        name: One of ``KEYPOINT_NAMES``.
        x: Pixels from the left side of the image.
        y: Pixels from the upper side of the image.
        score: Confidence that the point is visible and here.
    """

    name: str
    x: float
    y: float
    score: Score


class Pose(_Frozen):
    """A person's pose.

    Attributes:
        box: Rectangle around the person.
        score: The detectors' confidence that this is a person.
        keypoints: All 17 keypoints in the order of ``KEYPOINT_NAMES``; those out of view have a low
            score.
    """

    box: Box
    score: Score
    keypoints: tuple[Keypoint, ...]


class Face(_Frozen):
    """A face and, if it can be judged, its expression.

    Attributes:
        box: Rectangle around the face.
        score: The detector's confidence.
        frontal: Whether both eyes face the camera; expressions are judged only then.
        expressions: Score by expression, such as ``happy`` or ``neutral``, best first; empty unless
            the expression was judged.
    """

    box: Box
    score: Score
    frontal: bool
    expressions: dict[str, Score] = Field(default_factory=dict)


class SceneLabel(_Frozen):
    """A label of the whole image.

    Attributes:
        label: Name of the class.
        score: Its probability.
    """

    label: str
    score: Score


class Perceptions(_Frozen):
    """What experts saw in one image; each kind is None if no expert looked for it.

    Attributes:
        width: Width of the upright image in pixels.
        height: Height of the upright image in pixels.
        candidates: What may be objects, also what is too uncertain to be reported, best first.
            They are never written to JSON.
        objects: Objects, best first.
        texts: Lines of text in reading order.
        poses: People's poses, best first.
        faces: Faces, best first.
        labels: Labels of the whole image, best first.
    """

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    candidates: tuple[DetectedObject, ...] | None = Field(default=None, exclude=True)
    objects: tuple[DetectedObject, ...] | None = None
    texts: tuple[TextLine, ...] | None = None
    poses: tuple[Pose, ...] | None = None
    faces: tuple[Face, ...] | None = None
    labels: tuple[SceneLabel, ...] | None = None

    def resized(self, width: int, height: int) -> Perceptions:
        """Return these perceptions in the pixels of the same image at another size."""
        by_x, by_y = width / self.width, height / self.height

        def scaled(value: Any) -> Any:
            if isinstance(value, Box):
                return Box(
                    x0=value.x0 * by_x, y0=value.y0 * by_y, x1=value.x1 * by_x, y1=value.y1 * by_y
                )
            if isinstance(value, Keypoint):
                return value.model_copy(update={"x": value.x * by_x, "y": value.y * by_y})
            if isinstance(value, TextLine):
                polygon = tuple((x * by_x, y * by_y) for x, y in value.polygon)
                return value.model_copy(update={"polygon": polygon})
            if isinstance(value, tuple):
                return tuple(scaled(each) for each in value)
            if isinstance(value, BaseModel):
                return value.model_copy(update={name: scaled(each) for name, each in value})
            return value

        resized: Perceptions = scaled(self)
        return resized.model_copy(update={"width": width, "height": height})

    def in_output(self, output: Mapping[str, Any]) -> dict[str, Any]:
        """Return an expert's output with these perceptions instead of its own.

        Args:
            output: The output; lists of it that repeat a kind of perception are replaced too.
        """
        values = self.model_dump(mode="json", exclude_none=True)
        repeated = {kind: values[kind] for kind in ("objects", "poses", "faces") if kind in values}
        return {
            **output,
            **{kind: seen for kind, seen in repeated.items() if kind in output},
            "perceptions": values,
        }

    def merged(self, other: Perceptions) -> Perceptions:
        """Return these perceptions, completed and overridden by other ones of the same image.

        Raises:
            ValueError: The other ones are of an image of another size.
        """
        self._check_size(other)
        found = {name: value for name, value in other if value is not None}
        return self.model_copy(update=found)

    def united(self, other: Perceptions) -> Perceptions:
        """Return what is in these perceptions or in other ones of the same image, each once.

        Raises:
            ValueError: The other ones are of an image of another size.
        """
        self._check_size(other)
        found = {}
        for name, value in other:
            if isinstance(value, tuple):
                own = getattr(self, name) or ()
                found[name] = (*own, *(each for each in value if each not in own))
        return self.model_copy(update=found)

    def _check_size(self, other: Perceptions) -> None:
        if (self.width, self.height) != (other.width, other.height):
            raise ValueError("perceptions of images of different sizes cannot be merged")
