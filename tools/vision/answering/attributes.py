"""Answers about the colour, place and size of things, and how they lie to each other."""

from __future__ import annotations

from dataclasses import replace

from edgewright.tools.contracts.perceptions import Box, DetectedObject
from edgewright.tools.vision.answering.answers import Answer, hedged, refusal
from edgewright.tools.vision.answering.appearance import background_colour, main_colour
from edgewright.tools.vision.answering.colours import (
    ColourShare,
    described,
    image_colours,
    is_grey,
    object_colours,
    same_colour,
    sky_colours,
    vivid_colours,
)
from edgewright.tools.vision.answering.evidence import Evidence, Finding
from edgewright.tools.vision.answering.places import fitting, in_words, is_at, place_name, related
from edgewright.tools.vision.answering.presence import absent, known, summary, unsure
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.nouns import listed
from edgewright.tools.vision.asking.phrases import Mention
from edgewright.tools.vision.asking.things import things

#: Share of the image's main colour from which something that fills it has that colour.
_FILLS = 0.6
_NO_COLOURS = "the picture is in black and white, so colours cannot be told"
#: Score from which a joint tells where clothes are.
_VISIBLE = 0.3
#: Areas that differ by less than this factor are of the same size.
_SIMILAR = 1.15


def colour(program: p.Colour, evidence: Evidence) -> Answer:
    """Answer which colour a thing has, or the image as a whole."""
    grey, _ = is_grey(evidence.image)
    if program.background:
        return background_colour(evidence)
    if program.mention is None:
        if grey:
            return Answer("The picture is in black and white.", "grey", 0.9)
        return main_colour(image_colours(evidence.image), "The picture")
    mention = program.mention
    thing = known(mention)
    finding = _located(mention, evidence)
    if finding.verdict == "no":
        return absent(mention, finding, "so no colour")
    if grey:
        raise refusal(_NO_COLOURS, f"where the {thing.name} is")
    shares, shown = _colours_of(mention, finding, evidence)
    name, share = described(shares)
    if not name:
        raise refusal(f"no colour of the {thing.name} stands out", f"where the {thing.name} is")
    score = share * (finding.score if finding.verdict == "yes" else 0.6)
    verb = "are" if mention.noun == thing.plural and not thing.uncountable else "is"
    text = f"The {mention.noun} {verb} {hedged(score)} {name}.".replace("  ", " ")
    return Answer(text, name, score, evidence.perceptions(shown))


def is_colour(program: p.IsColour, evidence: Evidence) -> Answer:
    """Answer whether a thing has a colour, or which of several."""
    given = colour(program.of, evidence)
    if given.short == "none":
        return given
    seen = given.short.split(" and ")
    if len(program.colours) > 1:
        fits = [name for name in program.colours if name in seen] or [
            name for name in program.colours if any(same_colour(name, each) for each in seen)
        ]
        if not fits:
            return replace(given, text=f"Neither: {given.text[:1].lower()}{given.text[1:]}")
        both = len(fits) == len(program.colours)
        return replace(given, short=" and ".join(fits) if both else fits[0])
    wanted = program.colours[0]
    holds = wanted in seen or same_colour(wanted, seen[0])
    yes = "yes" if holds != program.negated else "no"
    nearly = ", nearly" if yes == "yes" and holds and wanted not in seen else ""
    text = f"{yes.capitalize()}{nearly}: {given.text[:1].lower()}{given.text[1:]}"
    return replace(given, text=text, short=yes)


def where(program: p.Where, evidence: Evidence) -> Answer:
    """Answer where a thing is."""
    mention = program.mention
    finding = _one(mention, evidence)
    if finding.verdict == "no":
        return absent(mention, finding, "so it is nowhere")
    size = evidence.image.size
    names = list(dict.fromkeys(place_name(each.box, size) for each in finding.objects))
    several = len(finding.objects) > 1
    verb = "are" if several and mention.thing and mention.noun == mention.thing.plural else "is"
    text = f"The {mention.noun} {verb} {listed([in_words(name) for name in names])}."
    return Answer(text, names[0], finding.score, evidence.perceptions(finding.objects))


def is_at_place(program: p.IsAt, evidence: Evidence) -> Answer:
    """Answer whether a thing is in a part of the image, or in which of several."""
    mention = program.mention
    finding = _one(mention, evidence)
    if finding.verdict == "no":
        return absent(mention, finding, "so it is nowhere")
    best, size = _largest(finding), evidence.image.size
    shown = evidence.perceptions(finding.objects)
    if len(program.places) > 1:
        place = fitting(best.box, program.places, size)
        text = f"The {mention.noun} is {in_words(place)}."
        return Answer(text, place, finding.score, shown)
    there = [each for each in finding.objects if is_at(each.box, program.places[0], size)]
    yes = "yes" if bool(there) != program.negated else "no"
    place = place_name((there or [best])[0].box, size)
    noun = mention.thing.name if mention.thing and not mention.definite else mention.noun
    text = (
        f"{yes.capitalize()}: {'the' if mention.definite else 'one'} {noun} is {in_words(place)}."
    )
    return Answer(text, yes, finding.score, shown)


def is_related(program: p.Related, evidence: Evidence) -> Answer:
    """Answer whether one thing stands in a relation to another."""
    subject = _one(program.subject, evidence)
    other = _one(program.other, evidence)
    for mention, finding in ((program.subject, subject), (program.other, other)):
        if finding.verdict == "no":
            return absent(mention, finding, "so this cannot be answered")
    if program.relation == "depth":
        raise refusal(
            "what is in front and what behind cannot be seen", "what is left, right, above or below"
        )
    holds = any(
        related(each.box, program.relation, target.box)
        for each in subject.objects
        for target in other.objects
        if each.box != target.box
    )
    yes = "yes" if holds != program.negated else "no"
    isnt = "is" if holds else "is not"
    relation = _relation_words(program.relation)
    text = (
        f"{yes.capitalize()}: the {program.subject.noun} {isnt} {relation} "
        f"the {program.other.noun}."
    )
    shown = evidence.perceptions(subject.objects + other.objects)
    return Answer(text, yes, min(subject.score, other.score), shown)


def related_what(program: p.RelatedWhat, evidence: Evidence) -> Answer:
    """Answer what stands in a relation to a thing."""
    finding = _one(program.other, evidence)
    if finding.verdict == "no":
        return absent(program.other, finding, "so nothing is there")
    if program.relation == "depth":
        raise refusal(
            "what is in front and what behind cannot be seen", "what is left, right, above or below"
        )
    target = _largest(finding)
    found = [
        each
        for each in evidence.objects
        if each.box != target.box
        and each.label not in (program.other.thing.detected if program.other.thing else ())
        and each.score >= 0.4
        and related(each.box, program.relation, target.box)
    ]
    where_ = f"{_relation_words(program.relation)} the {program.other.noun}"
    if not found:
        raise refusal(f"I recognise nothing {where_}", "what there is")
    names = list(dict.fromkeys(things().of_detection(each.label).name for each in found))
    phrases = [things().named(name).phrase() if things().find(name) else name for name in names]
    text = f"I see {listed(phrases)} {where_}."
    return Answer(text, names[0], found[0].score, evidence.perceptions((*found, target)))


def bigger(program: p.Bigger, evidence: Evidence) -> Answer:
    """Answer whether one thing looks bigger than another, by the area of their boxes."""
    findings = [_one(mention, evidence) for mention in (program.left, program.right)]
    for mention, finding in zip((program.left, program.right), findings, strict=True):
        if finding.verdict == "no":
            return absent(mention, finding, "so sizes cannot be compared")
    left, right = (_largest(finding) for finding in findings)
    larger, smaller = max(left.box.area, right.box.area), min(left.box.area, right.box.area)
    if larger < _SIMILAR * max(smaller, 1.0):
        raise refusal("both look about the same size", "how many there are")
    score = min(finding.score for finding in findings)
    shown = evidence.perceptions((left, right))
    holds = (left.box.area > right.box.area) != program.smaller
    if program.which:
        named = program.left if holds else program.right
        how = "smaller" if program.smaller else "bigger"
        return Answer(f"The {named.noun} looks {how} in the picture.", named.noun, score, shown)
    winner = program.left if left.box.area > right.box.area else program.right
    yes = "yes" if holds else "no"
    text = f"{yes.capitalize()}: the {winner.noun} looks bigger in the picture."
    return Answer(text, yes, score, shown)


def largest(program: p.Largest, evidence: Evidence) -> Answer:
    """Answer which of the recognised things takes up most of the image, or least."""
    found = [(thing, each) for thing, group in summary(evidence) for each in group]
    if not found:
        raise refusal("I do not recognise what this shows", "what is written or which colours")
    choose = min if program.smallest else max
    thing, best = choose(found, key=lambda pair: pair[1].box.area)
    how = "smallest" if program.smallest else "largest"
    text = f"Of what I recognise, {thing.phrase()} looks the {how}."
    return Answer(text, thing.name, best.score, evidence.perceptions((best,)))


def _located(mention: Mention, evidence: Evidence) -> Finding:
    finding = evidence.matching(mention) if mention.conditional else evidence.find(known(mention))
    if finding.verdict == "unsure" and not finding.objects and not _may_fill(mention):
        raise unsure(mention)
    if mention.unjudged and len(finding.objects) != 1:
        raise unsure(mention)  # which of them is meant cannot be judged
    return finding


def _one(mention: Mention, evidence: Evidence) -> Finding:
    """Return a finding with objects, or one that says that there is none."""
    known(mention)
    finding = evidence.matching(mention)
    if finding.verdict == "unsure" and not _is_presumed(mention, finding):
        raise unsure(mention)
    if finding.verdict != "no" and not finding.objects:
        raise refusal(f"I cannot tell where the {mention.noun} is", "what there is")
    return finding


def _is_presumed(mention: Mention, finding: Finding) -> bool:
    """Return whether "the man" can be taken to be the person, "the cup" the only suspect."""
    clear = not mention.unjudged or len(finding.objects) == 1
    return bool(mention.definite and finding.objects and clear)


def _may_fill(mention: Mention) -> bool:
    return bool(mention.thing and mention.thing.stuff)


def _largest(finding: Finding) -> DetectedObject:
    return max(finding.objects, key=lambda each: each.box.area * each.score)


def _colours_of(
    mention: Mention, finding: Finding, evidence: Evidence
) -> tuple[tuple[ColourShare, ...], tuple[DetectedObject, ...]]:
    """Return the colours of a thing: of its box, of the sky's band, or of what fills the image."""
    if finding.objects:
        best = _largest(finding)
        part = mention.thing.part if mention.thing else ""
        if part:
            clothes = _half_of_body(best, part, evidence)
            corners = (round(clothes.x0), round(clothes.y0), round(clothes.x1), round(clothes.y1))
            return image_colours(evidence.image.crop(corners)), (best,)
        return object_colours(evidence.image, best.box), (best,)
    image = evidence.image
    if mention.thing and mention.thing.name == "sky":
        return sky_colours(image), ()
    if finding.label_score > 0.3 and not _may_fill(mention):
        middle = Box(
            x0=image.width * 0.15,
            y0=image.height * 0.15,
            x1=image.width * 0.85,
            y1=image.height * 0.85,
        )
        return object_colours(image, middle), ()
    shares = image_colours(image)
    if mention.thing and mention.thing.vivid and (own := vivid_colours(shares)):
        return own, ()
    return (shares, ()) if shares[0].share >= _FILLS else ((), ())


def _half_of_body(person: DetectedObject, part: str, evidence: Evidence) -> Box:
    """Return where clothes are by the pose: from shoulders to hips, or from hips to ankles."""
    joints = ("shoulder", "hip") if part == "upper" else ("hip", "ankle")
    pose = next((each for each in evidence.poses if each.box == person.box), None)
    points = [
        point
        for point in (pose.keypoints if pose else ())
        if point.score >= _VISIBLE and point.name.endswith(joints)
    ]
    box = person.box
    top, bottom = (0.25, 0.55) if part == "upper" else (0.55, 0.95)
    y0, y1 = box.y0 + top * box.height, box.y0 + bottom * box.height
    x0, x1 = box.x0 + 0.2 * box.width, box.x1 - 0.2 * box.width
    if len(points) >= 2:
        xs, ys = [point.x for point in points], [point.y for point in points]
        if max(ys) - min(ys) > 0.1 * box.height:
            y0, y1 = min(ys), max(ys)
        else:
            y0, y1 = min(ys), min(box.y1, min(ys) + 0.35 * box.height)
        if max(xs) - min(xs) > 0.1 * box.width:
            x0, x1 = min(xs), max(xs)
    return Box(x0=x0, y0=y0, x1=max(x0 + 1, x1), y1=max(y0 + 1, y1))


def _relation_words(relation: str) -> str:
    return {"left of": "to the left of", "right of": "to the right of"}.get(relation, relation)
