"""Evidence: what experts saw of a thing, and whether that is enough to say that it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from edgewright.tools.contracts.perceptions import (
    Box,
    DetectedObject,
    Face,
    Perceptions,
    Pose,
    TextLine,
)
from edgewright.tools.vision.answering.colours import object_colours, same_colour, sky_colours
from edgewright.tools.vision.answering.places import is_at, related
from edgewright.tools.vision.asking.nouns import plural
from edgewright.tools.vision.asking.phrases import Mention
from edgewright.tools.vision.asking.things import Thing, things
from edgewright.tools.vision.labels import imagenet_labels, vocabulary
from edgewright.tools.vision.perception.detectors import detected_names
from edgewright.tools.vision.scene import Scene

if TYPE_CHECKING:
    from PIL import Image

# Thresholds chosen on the development half of the benchmark's photographs.
#: Detection score from which a thing is there, and from which it counts among others.
PRESENT, COUNTED = 0.45, 0.4
#: Detection score below which a thing is not there.
ABSENT = 0.25
#: Score from which a suspected thing is taken to be the one that a question takes for granted.
PRESUMED = 0.35
#: The same for the classifier's probability that the main subject is the thing.
LABELLED, NOT_LABELLED = 0.45, 0.08
#: Detection score and probability that are enough together.
BOTH = (0.3, 0.15)
#: A thing that only the classifier knows is absent below this probability.
RULED_OUT = 0.12
#: The same for what is no animal, and often lies beside the main subject.
RULED_OUT_BESIDE = 0.01

#: Probability from which the classifier's own label is given instead of a wider word; a word for no
#: more labels than this is always given, since it is plainer.
_CERTAIN, _FEW = 0.75, 4
#: What a thing is made of, or lies in, is named instead of it if it is more probable by this much.
_SURER = 0.05

#: Nothing that is recognised is more certain than this.
_MOST_CERTAIN = 0.99
#: A smooth blue upper edge is a sky, with this score.
_SKY, _SKY_SCORE = "sky", 0.7
_FACE = "face"

Verdict = Literal["yes", "no", "unsure"]


@dataclass(frozen=True)
class Finding:
    """What was found of a thing.

    Attributes:
        verdict: Whether it is there.
        score: How strongly the evidence supports the verdict, 0 to 1.
        objects: Detected objects that are it, best first.
        label_score: The classifier's probability that it is the main subject.
    """

    verdict: Verdict
    score: float
    objects: tuple[DetectedObject, ...] = ()
    label_score: float = 0.0


class Evidence:
    """What experts see in an image, on request: only what is asked for is computed.

    Args:
        scene: The image.

    Attributes:
        scene: The image.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @property
    def image(self) -> Image.Image:
        """The image, upright."""
        return self.scene.image

    @property
    def texts(self) -> tuple[TextLine, ...]:
        """Lines of text in reading order."""
        return self.scene.texts

    @property
    def faces(self) -> tuple[Face, ...]:
        """Faces, best first."""
        return self.scene.faces

    @property
    def poses(self) -> tuple[Pose, ...]:
        """Poses of people, best first."""
        return self.scene.poses

    @property
    def objects(self) -> tuple[DetectedObject, ...]:
        """All detected objects, best first."""
        return self.scene.objects

    @cached_property
    def probabilities(self) -> list[float]:
        """The classifier's probability of each of its labels."""
        by_label: dict[str, float] = {}
        for each in self.scene.labels:
            by_label[each.label] = by_label.get(each.label, 0.0) + each.score
        return [by_label.get(name, 0.0) for name in imagenet_labels()]

    @cached_property
    def subject(self) -> tuple[Thing, float]:
        """What the classifier calls the image, as narrowly as is certain, and its probability."""
        shown = [
            0.0 if name in vocabulary().pictures else score
            for name, score in zip(imagenet_labels(), self.probabilities, strict=True)
        ]
        label = max(range(len(shown)), key=shown.__getitem__)
        score, name = self.probabilities[label], imagenet_labels()[label]
        own = Thing(name, plural(name), labels=frozenset({name}))
        if concept := vocabulary().find(name):
            own = Thing(name, name if concept.phrase == name else plural(name), labels=own.labels)
        wider = things().of_label(name)
        if wider and (len(wider.labels) <= _FEW or score < _CERTAIN):
            wider_score = self.label_score(wider)
            # A fountain is more than water.
            if len(wider.labels) <= _FEW or not wider.stuff or wider_score > score + _SURER:
                return wider, wider_score
        return own, score

    def perceptions(
        self,
        objects: tuple[DetectedObject, ...] = (),
        texts: tuple[TextLine, ...] = (),
        faces: tuple[Face, ...] = (),
    ) -> Perceptions:
        """Return the part of what was seen that an answer rests on."""
        return Perceptions(
            width=self.image.width,
            height=self.image.height,
            objects=objects or None,
            texts=texts or None,
            faces=faces or None,
        )

    def label_score(self, thing: Thing) -> float:
        """Return the classifier's probability that a thing is the main subject."""
        if not thing.labels:
            return 0.0
        names = imagenet_labels()
        return min(
            1.0,
            sum(
                score
                for name, score in zip(names, self.probabilities, strict=True)
                if name in thing.labels
            ),
        )

    def objects_of(self, thing: Thing) -> tuple[DetectedObject, ...]:
        """Return the detected objects that are a thing, best first."""
        if not thing.detected and not thing.labels:
            return ()
        return tuple(each for each in self.objects if _is_kind(each.label, thing))

    def _suspects(self, thing: Thing) -> tuple[DetectedObject, ...]:
        """Return candidates that may be a thing, too uncertain to be reported."""
        if not thing.detected and not thing.labels:
            return ()
        return tuple(each for each in self.scene.candidates if _is_kind(each.label, thing))

    def find(self, thing: Thing) -> Finding:
        """Return what was found of a thing."""
        if thing.name == _FACE:
            return self._find_faces()
        if thing.parent:
            return self._find_narrower(thing)
        if thing.name == _SKY and (shares := sky_colours(self.image)) and shares[0].name == "blue":
            return Finding("yes", _SKY_SCORE)
        objects = self.objects_of(thing)
        detected = max((each.score for each in objects), default=0.0)
        labelled = self.label_score(thing)
        counted = tuple(each for each in objects if each.score >= COUNTED) or objects[:1]
        if detected >= PRESENT or labelled >= LABELLED or _together(detected, labelled):
            score = min(_MOST_CERTAIN, 1 - (1 - detected) * (1 - labelled))
            kept = counted if detected >= ABSENT else self._suspects(thing)[:1]
            return Finding("yes", score, kept, labelled)
        suspects = self._suspects(thing)
        suspected = max((each.score for each in suspects), default=0.0)
        if _together(suspected, labelled):
            score = 1 - (1 - suspected) * (1 - labelled)
            return Finding("yes", score, suspects[:1], labelled)
        if self._is_ruled_out(thing, max(detected, suspected), labelled):
            score = min(_MOST_CERTAIN, 1 - max(suspected, labelled))
            return Finding("no", score, (), labelled)
        presumed = tuple(each for each in suspects if each.score >= PRESUMED)[:1]
        return Finding("unsure", max(suspected, labelled), counted or presumed, labelled)

    def matching(self, mention: Mention) -> Finding:
        """Return what was found of a mentioned thing, its colour, place and relation included."""
        assert mention.thing is not None
        finding = self.find(mention.thing)
        if finding.verdict == "no" or not mention.conditional:
            return finding
        if mention.unknown or not finding.objects:
            return Finding("unsure", finding.score, finding.objects, finding.label_score)
        kept: tuple[DetectedObject, ...] = finding.objects
        for condition in self._conditions(mention):
            if condition is None:
                return Finding("unsure", finding.score, finding.objects, finding.label_score)
            kept = tuple(each for each in kept if condition(each))
        if finding.verdict == "unsure":
            return Finding("unsure", finding.score, kept, finding.label_score)
        return Finding("yes" if kept else "no", finding.score, kept, finding.label_score)

    def colours_of(self, found: DetectedObject) -> tuple[str, ...]:
        """Return the names of the colours that cover a good part of an object."""
        shares = object_colours(self.image, found.box)
        return tuple(each.name for each in shares if each.share >= 0.2)

    def _conditions(self, mention: Mention) -> list[Callable[[DetectedObject], bool] | None]:
        conditions: list[Callable[[DetectedObject], bool] | None] = []
        if mention.colour:
            conditions.append(
                lambda each: any(
                    same_colour(name, mention.colour) for name in self.colours_of(each)
                )
            )
        if mention.place:
            size = self.image.size
            conditions.append(lambda each: is_at(each.box, mention.place, size))
        if mention.relation:
            conditions.append(self._relation(mention))
        return conditions

    def _relation(self, mention: Mention) -> Callable[[DetectedObject], bool] | None:
        other = mention.other
        if other is None or other.thing is None:
            return None
        found = self.matching(other)
        if mention.relation in ("depth", "with"):
            return (lambda each: False) if found.verdict == "no" else None
        if found.verdict == "unsure" or (found.verdict == "yes" and not found.objects):
            return None
        boxes: list[Box] = [each.box for each in found.objects]
        return lambda each: any(
            box != each.box and related(each.box, mention.relation, box) for box in boxes
        )

    def _find_faces(self) -> Finding:
        """Return the faces; people may be turned away, so there may be none."""
        objects = tuple(
            DetectedObject(label=_FACE, score=face.score, box=face.box) for face in self.faces
        )
        if objects:
            return Finding("yes", objects[0].score, objects)
        people = self.find(things().named("person"))
        return replace(people, verdict="unsure" if people.verdict != "no" else "no", objects=())

    def _find_narrower(self, thing: Thing) -> Finding:
        """Return what was found of a thing whose wider kind is all that detectors know."""
        wider, labelled = self.find(things().named(thing.parent)), self.label_score(thing)
        if thing.part == "worn":
            wider = replace(wider, objects=())  # where on a person it is cannot be told
        if labelled >= LABELLED:
            return Finding("yes", labelled, wider.objects, labelled)
        if wider.verdict == "no" and labelled < NOT_LABELLED:
            return Finding("no", wider.score, (), labelled)
        return Finding("unsure", labelled, wider.objects, labelled)

    def _is_ruled_out(self, thing: Thing, detected: float, labelled: float) -> bool:
        if thing.stuff or thing.missed:
            return False
        if thing.detected:
            return detected < ABSENT and labelled < NOT_LABELLED
        animal = thing.labels <= things().named("animal").labels
        return labelled < (RULED_OUT if animal else RULED_OUT_BESIDE)


def _is_kind(label: str, thing: Thing) -> bool:
    """Return whether a detected object is a thing, or a narrower one that the classifier named."""
    if label in thing.detected:
        return True
    if label in detected_names():
        return False
    named = things().find(label) if thing.labels else None
    return bool(named and named.labels and named.labels <= thing.labels)


def _together(detected: float, labelled: float) -> bool:
    return detected >= BOTH[0] and labelled >= BOTH[1]
