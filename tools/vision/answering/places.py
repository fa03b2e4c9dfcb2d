"""Where objects are in an image, and how they lie to each other."""

from __future__ import annotations

from edgewright.tools.contracts.perceptions import Box

#: Boxes further apart than this share of their mean size are not next to each other.
_NEAR = 0.75
#: Share of a box that must lie in another to be inside or on it.
_MOSTLY, _PARTLY = 0.7, 0.1


def place_name(box: Box, size: tuple[int, int]) -> str:
    """Return the part of the image where a box's centre lies: ``top left`` to ``bottom right``.

    The image is divided into three columns and three rows; the middle one of both is the
    ``centre``.

    Args:
        box: The box.
        size: Width and height of the image.
    """
    x, y = _relative(box, size)
    horizontal = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    vertical = "top" if y < 1 / 3 else "bottom" if y > 2 / 3 else ""
    return " ".join(part for part in (vertical, horizontal) if part) or "centre"


def in_words(place: str) -> str:
    """Return a place as it stands in a sentence: "at the top left", "in the centre"."""
    if place == "centre":
        return "in the centre"
    return f"{'on' if place in ('left', 'right') else 'at'} the {place}"


def is_at(box: Box, place: str, size: tuple[int, int]) -> bool:
    """Return whether a box lies in a part of the image; halves count, and the middle third."""
    x, y = _relative(box, size)
    if place == "centre":
        return 0.3 <= x <= 0.7 and 0.25 <= y <= 0.75
    tests = {"left": x < 0.5, "right": x > 0.5, "top": y < 0.5, "bottom": y > 0.5}
    return all(tests[part] for part in place.split())


def fitting(box: Box, places: tuple[str, ...], size: tuple[int, int]) -> str:
    """Return the one of several places that fits a box best."""
    x, y = _relative(box, size)
    targets = {"left": (0.0, None), "right": (1.0, None), "top": (None, 0.0), "bottom": (None, 1.0)}

    def distance(place: str) -> float:
        if place == "centre":
            return max(abs(x - 0.5), 0.0) * 2 if len(places) > 1 else abs(x - 0.5) + abs(y - 0.5)
        gaps = []
        for part in place.split():
            wanted_x, wanted_y = targets[part]
            gaps.append(abs(x - wanted_x) if wanted_x is not None else abs(y - (wanted_y or 0.0)))
        return max(gaps)

    return min(places, key=distance)


def related(box: Box, relation: str, other: Box) -> bool:
    """Return whether a box stands in a relation to another, as both appear in the image.

    Args:
        box: The box.
        relation: ``left of``, ``right of``, ``above``, ``below``, ``next to``, ``inside`` or
            ``on``.
        other: What it is related to.
    """
    (x, y), (other_x, other_y) = box.centre, other.centre
    across = abs(x - other_x) / max((box.width + other.width) / 2, 1)
    along = abs(y - other_y) / max((box.height + other.height) / 2, 1)
    within = box.overlap(other) / max(box.area, 1)
    if relation in ("left of", "right of"):
        return (x < other_x if relation == "left of" else x > other_x) and across > 0.15
    if relation in ("above", "below"):
        return (y < other_y if relation == "above" else y > other_y) and along > 0.15
    if relation == "next to":
        return _gap(box, other) < _NEAR * (_size(box) + _size(other)) / 2
    if relation == "inside":
        return within > _MOSTLY and box.area < other.area
    return y < other_y and (within > _PARTLY or _gap(box, other) < 0.1 * _size(box)) and across < 1


def _relative(box: Box, size: tuple[int, int]) -> tuple[float, float]:
    x, y = box.centre
    return x / size[0], y / size[1]


def _size(box: Box) -> float:
    return max(box.width, box.height)


def _gap(box: Box, other: Box) -> float:
    """Return the distance between the nearest sides of two boxes; 0 if they overlap."""
    across = max(box.x0 - other.x1, other.x0 - box.x1, 0.0)
    along = max(box.y0 - other.y1, other.y0 - box.y1, 0.0)
    return float((across**2 + along**2) ** 0.5)
