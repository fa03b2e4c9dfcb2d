"""Finding objects: two detectors, a closer look at parts of the image, and a second opinion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.contracts.perceptions import Box, DetectedObject
from edgewright.tools.vision.labels import Concept, Vocabulary, vocabulary
from edgewright.tools.vision.perception import detectors
from edgewright.tools.vision.perception.boxes import (
    Detections,
    Floats,
    area,
    fused,
    joined,
    suppressed,
)
from edgewright.tools.vision.perception.detectors import Network, coco_names

#: Returns the probability of each label of ImageNet for an RGB image.
Classify = Callable[[Image.Image], Sequence[float]]

#: Images are reduced to this long side first; no network sees more of them.
_LONG_SIDE = 1280
#: From this long side on, parts of the image are looked at more closely, if at first sight
#: something small may be there: it covers less than this share, with at least this score.
_LARGE, _SMALL, _HINT = 700, 0.1, 0.2
#: A part has at least this share of the long side.
_PART = 0.6
#: Pixels from the edge of a part within which a box is taken to be cut off.
_CUT_OFF = 4
#: How far the score of one detector alone is believed.
_TRUST = 0.8
_SAME_OBJECT, _SAME_PLACE = 0.5, 0.65
#: A box of which this share lies in a better one of its label shows a part of the same object.
_PART_OF_IT = 0.6
#: Better than this, a candidate is shown to the classifier.
_CANDIDATE, _MAX_CANDIDATES = 0.25, 12
#: The classifier changes the odds of a label that it knows by its probability over this one, within
#: these limits (natural logarithms); below the share of the image, by less.
_USUAL_PROBABILITY, _LIMITS, _CLEAR_SHARE = 0.05, (-3.0, 2.0), 0.02
#: From this probability on, the classifier names what fills at least this share of the image.
_NAMED, _NAMED_SHARE = 0.6, 0.08
#: A group of at most so many labels says as much as a label, in plainer words.
_NARROW = 8
#: How far the crop for the classifier reaches beyond the box, as a share of its long side.
_MARGIN = 0.1


class ObjectFinder:
    """Finds objects in an image.

    Args:
        first: NanoDet; see ``detectors.nanodet``.
        second: The detector of Open Images' classes; see ``detectors.ssd``.
        classify: The second opinion; None does without.
    """

    def __init__(self, first: Network, second: Network, classify: Classify | None) -> None:
        self._first = first
        self._second = second
        self._classify = classify

    def objects(self, image: Image.Image) -> tuple[DetectedObject, ...]:
        """Find objects.

        Args:
            image: Upright RGB image.

        Returns:
            The objects, best first.
        """
        return convincing(self.candidates(image))

    def candidates(self, image: Image.Image) -> tuple[DetectedObject, ...]:
        """Find what may be objects, also what is too uncertain to be reported.

        Args:
            image: Upright RGB image.

        Returns:
            The candidates, best first.
        """
        scale = max(1.0, max(image.size) / _LONG_SIDE)
        small = image
        if scale > 1:
            size = (max(1, round(image.width / scale)), max(1, round(image.height / scale)))
            small = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
        found = self._candidates(small)
        found = found.chosen(found.scores > _CANDIDATE)
        if self._classify is not None:
            found = _second_opinions(small, found, self._classify, vocabulary())
            found = found.chosen(found.scores > _CANDIDATE)
        ratio = np.array([image.width / small.width, image.height / small.height] * 2)
        limits = np.array([*image.size, *image.size])
        return tuple(
            DetectedObject(label=str(label), score=round(float(score), 4), box=_box(corners))
            for label, score, corners in zip(
                found.labels, found.scores, np.clip(found.boxes * ratio, 0, limits), strict=True
            )
        )

    def _candidates(self, image: Image.Image) -> Detections:
        """Return what the two detectors find together."""
        whole = _looked_at(image, lambda square: detectors.nanodet(self._first, square))
        small = area(whole.boxes) < _SMALL * image.width * image.height
        parts = parts_of(*image.size) if (whole.scores[small] >= _HINT).any() else []
        closer = [self._closer(image, part) for part in parts]
        near = suppressed(joined([whole, *closer]), max_iou=_SAME_OBJECT)
        other = detectors.ssd(self._second, image)
        return fused([near, other], trust=_TRUST, min_iou=_SAME_OBJECT)

    def _closer(self, image: Image.Image, part: tuple[int, int, int, int]) -> Detections:
        """Return what is seen wholly in one part of an image."""
        left, top, right, bottom = part
        crop = image.crop(part)
        found = _looked_at(crop, lambda square: detectors.nanodet(self._first, square))
        x0, y0, x1, y1 = found.boxes.T
        cut_off = (
            ((x0 < _CUT_OFF) & (left > 0))
            | ((y0 < _CUT_OFF) & (top > 0))
            | ((x1 > crop.width - _CUT_OFF) & (right < image.width))
            | ((y1 > crop.height - _CUT_OFF) & (bottom < image.height))
        )
        moved = found.boxes + np.array([left, top, left, top], dtype=np.float32)
        return Detections(moved, found.scores, found.labels).chosen(~cut_off)


#: A less certain person of whom better ones cover this share is a part of them.
_UNCERTAIN_PERSON, _COVERED = 0.6, 0.8


def convincing(candidates: Sequence[DetectedObject]) -> tuple[DetectedObject, ...]:
    """Return the candidates that are good enough for their labels, the best of each place.

    Args:
        candidates: What may be objects, best first.
    """
    known = _thresholds()
    good = [each for each in candidates if each.score >= known.get(each.label, known["other"])]
    kept: list[DetectedObject] = []
    for each in good:
        needless = any(_same_place(each, other) for other in kept) or _made_of(each, kept)
        if not needless and not _is_group(each, good):
            kept.append(each)
    return tuple(kept)


def _same_place(found: DetectedObject, better: DetectedObject) -> bool:
    """Return whether a better object makes another one needless: its place, or a part of it."""
    smaller = min(found.box.area, better.box.area)
    inside = found.box.overlap(better.box) / max(smaller, 1e-6)
    # People do stand in front of each other.
    is_part = found.label == better.label != "person" and inside > _PART_OF_IT
    return is_part or found.box.iou(better.box) > _SAME_PLACE


def _made_of(found: DetectedObject, better: Sequence[DetectedObject]) -> bool:
    """Return whether a less certain person is made of parts of better ones."""
    if found.label != "person" or found.score >= _UNCERTAIN_PERSON:
        return False
    shared = sum(found.box.overlap(each.box) for each in better if each.label == "person")
    return shared > _COVERED * found.box.area


def _is_group(found: DetectedObject, objects: Sequence[DetectedObject]) -> bool:
    """Return whether a less certain person is several others in one box."""
    if found.label != "person" or found.score >= _UNCERTAIN_PERSON:
        return False
    others = [each for each in objects if each.label == "person" and each is not found]
    return sum(found.box.overlap(each.box) > _COVERED * each.box.area for each in others) > 1


def parts_of(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Return overlapping parts that cover an image, for a closer look; none if it is small.

    Args:
        width: Width of the image.
        height: Height of the image.

    Returns:
        Left, upper, right and lower side of each part.
    """
    if max(width, height) < _LARGE:
        return []
    side = max(min(width, height), round(_PART * max(width, height)))
    if side > 0.9 * max(width, height):  # almost square
        side = round(_PART * max(width, height))
    across, down = min(side, width), min(side, height)
    return [
        (left, top, left + across, top + down)
        for top in sorted({0, height - down})
        for left in sorted({0, width - across})
    ]


def _looked_at(image: Image.Image, look: Callable[[Image.Image], Detections]) -> Detections:
    """Look at an image in the middle of a grey square, which keeps its proportions."""
    side = max(image.size)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    found = look(_squared(image))
    boxes = found.boxes - np.array([left, top, left, top], dtype=np.float32)
    limits = np.array([*image.size, *image.size], dtype=np.float32)
    return Detections(np.clip(boxes, 0, limits), found.scores, found.labels)


def _squared(image: Image.Image) -> Image.Image:
    side = max(image.size)
    if image.size == (side, side):
        return image
    square = Image.new("RGB", (side, side), (114, 114, 114))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _second_opinions(
    image: Image.Image, found: Detections, classify: Classify, words: Vocabulary
) -> Detections:
    """Return candidates with the scores, and sometimes the labels, that a classifier supports."""
    found = found.chosen(np.arange(min(len(found), _MAX_CANDIDATES)))
    scores, labels = [], []
    shares = area(found.boxes) / (image.width * image.height)
    for corners, score, label, share in zip(
        found.boxes, found.scores, found.labels, shares, strict=True
    ):
        judged = float(score), str(label)
        if share >= _NAMED_SHARE or words.find(str(label)):  # it knows nothing of other small ones
            judged = _judged(*judged, float(share), classify(_crop(image, corners)), words)
        scores.append(judged[0])
        labels.append(judged[1])
    every = Detections(found.boxes, np.array(scores, np.float32), np.array(labels, dtype=np.str_))
    every = every.chosen(np.argsort(-every.scores, kind="stable"))
    return suppressed(every, max_iou=_SAME_OBJECT)


def _judged(
    score: float, label: str, share: float, probabilities: Sequence[float], words: Vocabulary
) -> tuple[float, str]:
    """Return the score and label of one candidate, given what the classifier says of its crop."""
    concept = words.find(label)
    name, certainty = words.name(probabilities)
    # A person fills the box that is named after what he holds or wears, so only animals count.
    may_be_named = label != "person" or set(name.labels) <= _animals()
    may_be_named &= not words.pictures.intersection(words.labels[index] for index in name.labels)
    if share >= _NAMED_SHARE and certainty >= _NAMED and may_be_named:
        known = concept is not None and bool(set(concept.labels) & set(name.labels))
        return (max(certainty, score), label) if known else (certainty, _everyday(name, words))
    if concept is None:
        return score, label
    change = np.log(max(concept.score(probabilities), 1e-6) / _USUAL_PROBABILITY)
    change = float(np.clip(change, *_LIMITS)) * min(1.0, share / _CLEAR_SHARE)
    odds = score / max(1 - score, 1e-6) * np.exp(change)
    return float(odds / (1 + odds)), label


@cache
def _animals() -> frozenset[int]:
    """Return the classifier's labels that are animals."""
    animal = vocabulary().find("animal")
    return frozenset(animal.labels if animal else ())


def _everyday(name: Concept, words: Vocabulary) -> str:
    """Return a plain word for what a classifier saw: the detectors' own if they have one."""
    labels = set(name.labels)
    detected = [concept for label in coco_names() if (concept := words.find(str(label)))]
    narrow = [group for group in words.groups if len(group.labels) <= _NARROW]
    covering = (one for one in (*detected, *narrow) if labels <= set(one.labels))
    return next(covering, name).words[0]


def _crop(image: Image.Image, corners: Floats) -> Image.Image:
    """Return a box with some of its surroundings, squared."""
    x0, y0, x1, y1 = (float(value) for value in corners)
    margin = _MARGIN * max(x1 - x0, y1 - y0)
    left, top = max(0, int(x0 - margin)), max(0, int(y0 - margin))
    right = min(image.width, max(int(x1 + margin), left + 1))
    bottom = min(image.height, max(int(y1 + margin), top + 1))
    return _squared(image.crop((left, top, right, bottom)))


@cache
def _thresholds() -> dict[str, float]:
    """Return the least score of each label; ``other`` is for those that are not listed."""
    text = (files("edgewright.tools.vision.perception") / "thresholds.yaml").read_text("utf-8")
    entries = yaml.load(text, Loader=yaml.CSafeLoader)
    listed = {label: entry["score"] for entry in entries["listed"] for label in entry["labels"]}
    return {"other": entries["other"], **listed}


def _box(corners: NDArray[np.float64]) -> Box:
    x0, y0, x1, y1 = (round(float(value), 1) for value in corners)
    return Box(x0=x0, y0=y0, x1=max(x0, x1), y1=max(y0, y1))
