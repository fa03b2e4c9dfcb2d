"""The expert that finds objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edgewright.tools.contracts.perceptions import DetectedObject
from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.answering.places import in_words, place_name
from edgewright.tools.vision.asking.nouns import listed, number_word, plural, singulars
from edgewright.tools.vision.asking.things import things
from edgewright.tools.vision.perception.needed import DETECTOR, SECOND_DETECTOR
from edgewright.tools.vision.scene import Scene

#: With more objects, it is not said where they are.
_PLACED = 3
_SEPARATOR = re.compile(r"\s*(?:,|;|&|\band\b|\bor\b)\s*")
_LEADING = re.compile(r"^(?:all|any|the|every|each|a|an|some|both)\s+(?:the\s+)?")
_EVERYTHING = frozenset({"", "object", "objects", "thing", "things", "everything", "item", "items"})


class ObjectDetector:
    """Finds objects, all or those of some kinds; implements ``SceneExpert``."""

    id = "object-detector"
    card = "object-detection"
    model = PERCEPTION
    approximate = False
    needs = (DETECTOR, SECOND_DETECTOR)

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def answer(self, scene: Scene, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the objects with boxes and scores, and a sentence that counts them."""
        wanted = args.get("objects", "")
        found = [each for each in scene.objects if is_wanted(each.label, wanted)]
        seen = scene.perceptions.model_copy(update={"objects": tuple(found)})
        return {
            "text": counted(found, wanted.strip(), scene.image.size),
            "objects": [each.model_dump(mode="json") for each in found],
            "perceptions": seen.model_dump(mode="json", exclude_none=True),
        }


def is_wanted(label: str, wanted: str) -> bool:
    """Return whether an object is of one of the kinds that somebody named.

    Args:
        label: The object's label.
        wanted: The kinds, such as ``cars and people``; empty for all.
    """
    kinds = [_LEADING.sub("", kind) for kind in _SEPARATOR.split(wanted.strip().lower())]
    if set(kinds) <= _EVERYTHING:
        return True
    return any(_names(kind, label) for kind in kinds if kind)


def _names(kind: str, label: str) -> bool:
    """Return whether a singular or plural noun names an object with a label."""
    if label in singulars(kind):
        return True
    thing = things().find(kind)
    if thing is None:
        return False
    if thing.parent:  # what was detected does not tell men from women
        thing = things().named(thing.parent)
    own = things().of_detection(label)
    return label in thing.detected or bool(own.labels and own.labels <= thing.labels)


def counted(found: Sequence[DetectedObject], wanted: str, size: tuple[int, int]) -> str:
    """Return a sentence that counts objects, and says where they are if they are few of a kind.

    Args:
        found: The objects.
        wanted: The kinds that somebody named; empty for all.
        size: Width and height of the image.
    """
    if not found:
        what = _LEADING.sub("", _SEPARATOR.sub(" or ", wanted)) or "object that the detectors know"
        return f"I found no {what}."
    counts = Counter(each.label for each in found)
    parts = [
        f"{number_word(count)} {label if count == 1 else plural(label)}"
        for label, count in counts.most_common()
    ]
    where = ""
    if len(counts) == 1 and len(found) <= _PLACED:
        ordered = sorted(found, key=lambda each: each.box.x0)
        places = list(dict.fromkeys(in_words(place_name(each.box, size)) for each in ordered))
        where = f" {listed(places)}"
    return f"Found {listed(parts)}{where}."
