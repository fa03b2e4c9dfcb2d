"""Whether somebody is there: faces confirm what detectors take for people, missing joints deny it.

A detector sees people as a whole, and misses those of whom only the head is in the image; faces
show them. It also takes other things for people, on which no joints are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright.tools.contracts.perceptions import Box, DetectedObject
from edgewright.tools.vision.perception.detectors import Network
from edgewright.tools.vision.perception.faces import sure_faces
from edgewright.tools.vision.perception.pose import PERSON, joints

if TYPE_CHECKING:
    from PIL import Image

#: How far a face alone is believed to be a person's.
_TRUST = 0.8
#: A person's head and body, in widths and heights of the face: to each side, above and below.
_BESIDE, _ABOVE, _BELOW = 1.0, 0.7, 3.5
#: Least closeness of a face to the person whose it is.
_OWN_FACE = 0.1
#: People detected with less than this certainty are in doubt; so many of them are looked at.
_IN_DOUBT, _MAX_IN_DOUBT = 0.8, 6
#: The same for those who cover less than this share of the image: they are seldom something else.
_SMALL, _SMALL_IN_DOUBT = 0.1, 0.65
#: The mean score of the best joints below which nobody is there, and the factor for the certainty
#: that somebody is.
_NOBODY, _DOUBT = 0.35, 0.5


def confirmed(
    find: Network, image: Image.Image, candidates: Sequence[DetectedObject]
) -> tuple[DetectedObject, ...]:
    """Return candidates with a higher score for people who have a face, and with those missed.

    Args:
        find: The face detector; see ``faces.faces``.
        image: Upright RGB image.
        candidates: What may be objects.

    Returns:
        The candidates, best first.
    """
    people = [each for each in candidates if each.label == PERSON]
    in_doubt = [each.box for each in people if each.score < _IN_DOUBT]
    changed: dict[int, DetectedObject] = {}
    new = []
    for face in sure_faces(find, image, in_doubt):
        body = _body(face, image)
        own = [
            (_closeness(face, body, each.box), index)
            for index, each in enumerate(people)
            if index not in changed and _holds(each.box, face)
        ]
        closeness, index = max(own, default=(0.0, -1))
        if closeness >= _OWN_FACE:
            score = 1 - (1 - people[index].score) * (1 - _TRUST)
            changed[index] = people[index].model_copy(update={"score": round(score, 4)})
        elif not own and not any(_holds(people[seen].box, face) for seen in changed):
            new.append(DetectedObject(label=PERSON, score=_TRUST, box=body))
    others = [each for each in candidates if each.label != PERSON]
    judged = [changed.get(index, each) for index, each in enumerate(people)]
    return tuple(sorted([*others, *judged, *new], key=lambda each: -each.score))


def doubted(
    run: Network, image: Image.Image, candidates: Sequence[DetectedObject]
) -> tuple[DetectedObject, ...]:
    """Return candidates, with a lower score for people in doubt on whom no joints are seen.

    Args:
        run: The pose network; see ``pose.poses``.
        image: Upright RGB image.
        candidates: What may be objects.

    Returns:
        The candidates, best first.
    """
    people = [each for each in candidates if each.label == PERSON and _is_doubtful(each, image)]
    nobody = [each for each in people[:_MAX_IN_DOUBT] if joints(run, image, each) < _NOBODY]
    judged = [
        each.model_copy(update={"score": round(each.score * _DOUBT, 4)}) if each in nobody else each
        for each in candidates
    ]
    return tuple(sorted(judged, key=lambda each: -each.score))


def _is_doubtful(person: DetectedObject, image: Image.Image) -> bool:
    small = person.box.area < _SMALL * image.width * image.height
    return person.score < (_SMALL_IN_DOUBT if small else _IN_DOUBT)


def _body(face: Box, image: Image.Image) -> Box:
    """Return about where the head and body to a face are."""
    return Box(
        x0=max(0.0, round(face.x0 - _BESIDE * face.width, 1)),
        y0=max(0.0, round(face.y0 - _ABOVE * face.height, 1)),
        x1=min(float(image.width), round(face.x1 + _BESIDE * face.width, 1)),
        y1=min(float(image.height), round(face.y1 + _BELOW * face.height, 1)),
    )


def _closeness(face: Box, body: Box, person: Box) -> float:
    """Return how well a person's box fits a face and the body below it, 0 to 1."""
    aside = abs(face.centre[0] - person.centre[0]) / max(person.width / 2, 1.0)
    return body.iou(person) * max(0.0, 1 - aside)


def _holds(person: Box, face: Box) -> bool:
    """Return whether a face lies in the upper part of a person's box."""
    x, y = face.centre
    return person.x0 <= x <= person.x1 and person.y0 <= y <= person.y0 + 0.7 * person.height
