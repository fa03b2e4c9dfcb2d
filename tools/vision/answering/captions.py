"""Captions composed from what experts see: nothing is named that none of them saw."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from edgewright.tools.contracts.perceptions import DetectedObject, Perceptions, TextLine
from edgewright.tools.errors import RefusedError
from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.answering.answers import Answer, hedged
from edgewright.tools.vision.answering.appearance import medium
from edgewright.tools.vision.answering.claims import CLAIM, disputed_caption
from edgewright.tools.vision.answering.colours import (
    described,
    image_colours,
    is_blue_sky,
    is_grey,
    object_colours,
)
from edgewright.tools.vision.answering.evidence import Evidence
from edgewright.tools.vision.answering.places import in_words, place_name, related
from edgewright.tools.vision.answering.presence import summary, which
from edgewright.tools.vision.answering.surroundings import surroundings
from edgewright.tools.vision.answering.whole_image import quoted
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.nouns import listed, number_word, with_article
from edgewright.tools.vision.asking.things import Thing
from edgewright.tools.vision.asking.things import things as known_things
from edgewright.tools.vision.perception.detectors import detected_names
from edgewright.tools.vision.perception.needed import DETECTOR, SECOND_DETECTOR
from edgewright.tools.vision.scene import Scene

#: Things with their objects.
Groups: TypeAlias = list[tuple[Thing, tuple[DetectedObject, ...]]]

# Stricter than for questions: nobody asked, so nothing uncertain is said.
#: Score from which an object is named, and probability from which a label is.
_NAMED, _LABELLED = 0.6, 0.8
#: Share of the image that a thing fills, and probability below which the classifier denies it.
_FILLING, _DENIED = 0.25, 0.1
#: Detection score that stands against the classifier, whose probability of something else is this.
_CERTAIN, _ELSE = 0.85, 0.6
_MOST_THINGS, _MOST_TEXT = 4, 60
#: More of one kind may be there than detectors see.
_MOST_COUNTED = 4
#: Probability from which labels of many landscapes together name one.
_LANDSCAPE, _BROADLY = "landscape", 0.55
#: Probability from which a sign is one if there is text on it.
_SIGN, _SIGN_LABELLED = "sign", 0.3
#: Lines of text from which an image in which nothing else is seen shows text.
_PAGE = 6
#: Share of the image up to which the place of a single thing is named.
_SMALL = 0.05
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
    lines = _lines(evidence)
    subject = _subject(groups, lines, evidence)
    first, things = _first_sentence(groups, subject, lines, evidence)
    sentences = [first, *_text_sentence(lines), *_expression_sentence(groups, evidence)]
    scores = [max(each.score for each in objects) for _, objects in groups]
    score = min([*scores, *([subject[1]] if subject else [])], default=0.0)
    objects = tuple(each for _, group in groups for each in group)
    return Caption(" ".join(sentences), things, score, evidence.perceptions(objects, lines))


def description(program: p.Describe, evidence: Evidence) -> Answer:
    """Describe the image; what happens there is not judged."""
    caption = captioned(evidence.scene)
    if not caption.things:
        with suppress(RefusedError):
            named = which(p.Which(), evidence)
            return replace(named, text=f"{caption.text} {named.text}")
    text = f"{caption.text} What happens there cannot be told." if program.happens else caption.text
    short = caption.things[0] if caption.things else "nothing"
    return Answer(text, short, caption.score, caption.perceptions)


def _groups(evidence: Evidence) -> Groups:
    """Return the things to name with their objects, the most prominent first."""
    kept = [
        (thing, objects)
        for thing, objects in summary(evidence)
        if any(each.score >= _NAMED for each in objects)
        and not _vague(thing)
        and not _contradicted(thing, objects, evidence)
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
    groups: Groups, lines: tuple[TextLine, ...], evidence: Evidence
) -> tuple[Thing, float] | None:
    """Return what the classifier calls the image; None if it is unsure or objects say it.

    It need not be sure of a sign that has text on it, nor of which landscape it sees.
    """
    subject, score = evidence.subject
    if any(subject.labels & thing.labels for thing, _ in groups):
        return None
    if score >= _LABELLED:
        return subject, score
    if groups:
        return None
    sign, landscape = known_things().named(_SIGN), known_things().named(_LANDSCAPE)
    if lines and (score := evidence.label_score(sign)) >= _SIGN_LABELLED:
        return sign, score
    score = evidence.label_score(landscape)
    return (landscape, score) if score >= _BROADLY else None


def _first_sentence(
    groups: Groups,
    subject: tuple[Thing, float] | None,
    lines: tuple[TextLine, ...],
    evidence: Evidence,
) -> tuple[str, tuple[str, ...]]:
    grey, _ = is_grey(evidence.image)
    made = medium(evidence.image)
    place = surroundings(evidence)
    kind = _kind(made if made == "photograph" else "image", grey, place[0] if place else "")
    phrases = [_phrase(thing, objects, grey, evidence) for thing, objects in groups]
    names = [thing.name for thing, _ in groups]
    if subject is None and not phrases and len(lines) >= _PAGE:
        return f"{kind} with {number_word(len(lines))} lines of text.", ("text",)
    if subject is None and not phrases and not lines and made == "blank":
        return f"A blank image; it is {image_colours(evidence.image)[0].name} all over.", ()
    if subject is None and not phrases:
        colour = "" if grey else f", mostly {image_colours(evidence.image)[0].name}"
        return f"{kind}{colour}; nothing in it is recognised for certain.", ()
    sky = ""
    if place and place[0] == "outdoors" and is_blue_sky(evidence.image):
        sky = " under a blue sky"
        names.append("sky")
    if subject is None:
        return f"{kind} of {_placed(groups, phrases, evidence)}{sky}.", tuple(names)
    thing, score = subject
    shown = f"{hedged(score)} shows {thing.phrase()}"
    others = f", with {listed(phrases)}" if phrases else ""
    return f"{kind} that {shown}{others}{sky}.", (thing.name, *names)


def _kind(noun: str, grey: bool, place: str) -> str:
    """Return what kind of image it is: "An outdoor photograph"."""
    colour = "black-and-white" if grey else ""
    where = {"indoors": "indoor", "outdoors": "outdoor", "": ""}[place]
    return with_article(" ".join(word for word in (colour, where, noun) if word)).capitalize()


def _phrase(
    thing: Thing, objects: tuple[DetectedObject, ...], grey: bool, evidence: Evidence
) -> str:
    number = len(objects)
    if number > 1:
        least = "at least " if number > _MOST_COUNTED else ""
        return f"{least}{number_word(number)} {thing.plural}"
    box = objects[0].box
    size = evidence.image.width * evidence.image.height
    if grey or thing.name == "person" or box.area < _LARGE * size:
        return thing.phrase()
    colour, share = described(object_colours(evidence.image, box))
    if share < _COLOURED or not colour or " " in colour or colour in thing.name:
        return thing.phrase()
    return Thing(f"{colour} {thing.name}", f"{colour} {thing.plural}").phrase()


def _placed(groups: Groups, phrases: list[str], evidence: Evidence) -> str:
    """List things: a single small one with its place, two beside each other with their relation."""
    if len(groups) == 1 and len(groups[0][1]) == 1:
        box, size = groups[0][1][0].box, evidence.image.size
        place = place_name(box, size)
        if box.area < _SMALL * size[0] * size[1] and place != "centre":
            return f"{phrases[0]} {in_words(place)}"
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
    text = quoted(lines)
    if len(text) > _MOST_TEXT:
        text = text[:_MOST_TEXT].rsplit(" ", 1)[0].removesuffix(" /") + " \u2026"
    return [f"The text reads \u201c{text}\u201d."]


def _expression_sentence(groups: Groups, evidence: Evidence) -> list[str]:
    if not any(thing.name == "person" for thing, _ in groups):
        return []
    judged = [face for face in evidence.faces if face.expressions]
    if len(judged) != 1:
        return []
    name, score = max(judged[0].expressions.items(), key=lambda item: item[1])
    if score < _EXPRESSED or name == "neutral":
        return []
    return [f"The person looks {name}."]
