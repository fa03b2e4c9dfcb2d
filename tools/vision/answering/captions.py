"""Captions composed from what experts see: nothing is named that none of them saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgewright.tools.contracts.perceptions import DetectedObject, Perceptions, TextLine
from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.answering.answers import hedged
from edgewright.tools.vision.answering.claims import CLAIM, disputed_caption
from edgewright.tools.vision.answering.colours import (
    described,
    image_colours,
    is_grey,
    object_colours,
)
from edgewright.tools.vision.answering.evidence import Evidence
from edgewright.tools.vision.answering.places import related
from edgewright.tools.vision.answering.presence import summary
from edgewright.tools.vision.asking.nouns import listed, number_word
from edgewright.tools.vision.asking.things import Thing
from edgewright.tools.vision.asking.things import things as known_things
from edgewright.tools.vision.perception.detectors import detected_names
from edgewright.tools.vision.perception.needed import DETECTOR, SECOND_DETECTOR
from edgewright.tools.vision.scene import Scene

# Stricter than for questions: nobody asked, so nothing uncertain is said.
#: Score from which an object is named, and probability from which a label is.
_NAMED, _LABELLED = 0.6, 0.8
#: Share of the image that a thing fills, and probability below which the classifier denies it.
_FILLING, _DENIED = 0.25, 0.1
#: Detection score that stands against the classifier, whose probability of something else is this.
_CERTAIN, _ELSE = 0.85, 0.6
_MOST_THINGS, _MOST_TEXT = 4, 60
#: Share of an object's colour, and of the image, from which its colour is named.
_COLOURED, _LARGE = 0.5, 0.02
#: Score and height, as a share of the image, from which a line of text is quoted.
_READ, _TALL = 0.8, 0.02
_EXPRESSED = 0.6


@dataclass(frozen=True)
class Caption:
    """A caption and what it rests on.

    Attributes:
        text: One or two sentences.
        things: Names of all things in it.
        score: The score of the least certain of them.
        perceptions: Their boxes and text.
    """

    text: str
    things: tuple[str, ...]
    score: float
    perceptions: Perceptions


class EvidenceCaptioner:
    """Captions an image with what experts see in it; implements ``SceneExpert``."""

    id = "evidence-captioner"
    card = "image-to-text"
    model = PERCEPTION
    approximate = False
    needs = (DETECTOR, SECOND_DETECTOR)

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: only the image is needed."""

    def answer(self, scene: Scene, args: Mapping[str, str]) -> dict[str, Any]:
        """Compose the caption; ``things`` lists what it names."""
        caption = captioned(scene)
        output = {
            "text": caption.text,
            "things": list(caption.things),
            "score": round(caption.score, 4),
            "perceptions": caption.perceptions.model_dump(mode="json", exclude_none=True),
        }
        if claim := args.get(CLAIM):
            output["disputes"] = disputed_caption(claim, Evidence(scene))
        return output


def captioned(scene: Scene) -> Caption:
    """Compose the caption of a scene."""
    evidence = Evidence(scene)
    groups = _groups(evidence)
    subject = _subject(groups, evidence)
    lines = _lines(evidence)
    first, things = _first_sentence(groups, subject, evidence)
    sentences = [first, *_text_sentence(lines), *_expression_sentence(groups, evidence)]
    scores = [max(each.score for each in objects) for _, objects in groups]
    score = min([*scores, *([evidence.subject[1]] if subject else [])], default=0.0)
    objects = tuple(each for _, group in groups for each in group)
    return Caption(" ".join(sentences), things, score, evidence.perceptions(objects, lines))


def _groups(evidence: Evidence) -> list[tuple[Thing, tuple[DetectedObject, ...]]]:
    """Return the things to name with their objects, the most prominent first."""
    kept = [
        (thing, sure)
        for thing, objects in summary(evidence)
        if (sure := tuple(each for each in objects if each.score >= _NAMED))
        and not _vague(thing)
        and not _contradicted(thing, sure, evidence)
    ]
    return kept[:_MOST_THINGS]


def _vague(thing: Thing) -> bool:
    """Return whether a thing has only a wide name that the classifier gave it, such as "animal".

    Detectors know narrower names. Where none of them is likely, it is not certain either that
    there is an animal at all.
    """
    detected = [known_things().of_detection(name) for name in detected_names()]
    own = any(each.name == thing.name for each in detected)
    return not own and any(each.labels and each.labels < thing.labels for each in detected)


def _contradicted(thing: Thing, objects: tuple[DetectedObject, ...], evidence: Evidence) -> bool:
    """Return whether the classifier denies a thing that it knows.

    It does if the thing fills the image, or if its detection is not certain and the classifier is
    certain that the image shows something else.
    """
    if not thing.labels or evidence.label_score(thing) >= _DENIED:
        return False
    size = evidence.image.width * evidence.image.height
    fills = max(each.box.area for each in objects) >= _FILLING * size
    certain = max(each.score for each in objects) >= _CERTAIN
    return fills or (evidence.subject[1] >= _ELSE and not certain)


def _subject(
    groups: list[tuple[Thing, tuple[DetectedObject, ...]]], evidence: Evidence
) -> Thing | None:
    """Return what the classifier calls the image; None if it is unsure or objects say it."""
    subject, score = evidence.subject
    if score < _LABELLED or any(subject.labels & thing.labels for thing, _ in groups):
        return None
    return subject


def _first_sentence(
    groups: list[tuple[Thing, tuple[DetectedObject, ...]]],
    subject: Thing | None,
    evidence: Evidence,
) -> tuple[str, tuple[str, ...]]:
    grey, _ = is_grey(evidence.image)
    kind = "A black-and-white photograph" if grey else "A photograph"
    phrases = [_phrase(thing, objects, grey, evidence) for thing, objects in groups]
    names = [thing.name for thing, _ in groups]
    if subject is None and not phrases:
        colour = "" if grey else f", mostly {image_colours(evidence.image)[0].name}"
        return f"{kind}{colour}; nothing in it is recognised for certain.", ()
    if subject is None:
        return f"{kind} of {_placed(groups, phrases)}.", tuple(names)
    shown = f"{hedged(evidence.subject[1])} shows {subject.phrase()}"
    others = f", with {listed(phrases)}" if phrases else ""
    return f"{kind} that {shown}{others}.".replace("  ", " "), (subject.name, *names)


def _phrase(
    thing: Thing, objects: tuple[DetectedObject, ...], grey: bool, evidence: Evidence
) -> str:
    if len(objects) > 1:
        return f"{number_word(len(objects))} {thing.plural}"
    box = objects[0].box
    size = evidence.image.width * evidence.image.height
    if grey or thing.name == "person" or box.area < _LARGE * size:
        return thing.phrase()
    colour, share = described(object_colours(evidence.image, box))
    if share < _COLOURED or not colour or " " in colour or colour in thing.name:
        return thing.phrase()
    return Thing(f"{colour} {thing.name}", f"{colour} {thing.plural}").phrase()


def _placed(groups: list[tuple[Thing, tuple[DetectedObject, ...]]], phrases: list[str]) -> str:
    """List things; two single ones that lie beside each other with their relation."""
    if len(groups) == 2 and all(len(objects) == 1 for _, objects in groups):
        first, second = (objects[0].box for _, objects in groups)
        for relation in ("on", "left of", "right of"):
            if related(first, relation, second) and first.overlap(second) < 0.1 * first.area:
                words = {"left of": "to the left of", "right of": "to the right of"}
                return f"{phrases[0]} {words.get(relation, relation)} {phrases[1]}"
    return listed(phrases)


def _lines(evidence: Evidence) -> tuple[TextLine, ...]:
    least = _TALL * evidence.image.height
    return tuple(
        line
        for line in evidence.texts
        if line.score >= _READ and line.box.height >= least and len(line.text) > 1
    )


def _text_sentence(lines: tuple[TextLine, ...]) -> list[str]:
    if not lines:
        return []
    quoted = " / ".join(line.text for line in lines)
    if len(quoted) > _MOST_TEXT:
        quoted = quoted[:_MOST_TEXT].rsplit(" ", 1)[0] + " \u2026"
    return [f"The text reads \u201c{quoted}\u201d."]


def _expression_sentence(
    groups: list[tuple[Thing, tuple[DetectedObject, ...]]], evidence: Evidence
) -> list[str]:
    if not any(thing.name == "person" for thing, _ in groups):
        return []
    judged = [face for face in evidence.faces if face.expressions]
    if len(judged) != 1:
        return []
    name, score = max(judged[0].expressions.items(), key=lambda item: item[1])
    if score < _EXPRESSED or name == "neutral":
        return []
    return [f"The person looks {name}."]
