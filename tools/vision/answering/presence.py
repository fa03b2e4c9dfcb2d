"""Answers about which things are there, and how many."""

from __future__ import annotations

from dataclasses import replace

from edgewright.tools.contracts.perceptions import DetectedObject
from edgewright.tools.errors import RefusedError
from edgewright.tools.vision.answering.answers import Answer, hedged, refusal
from edgewright.tools.vision.answering.evidence import ABSENT, COUNTED, Evidence, Finding
from edgewright.tools.vision.answering.places import in_words, is_at
from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.nouns import listed, number_word
from edgewright.tools.vision.asking.phrases import Mention
from edgewright.tools.vision.asking.things import Thing, things
from edgewright.tools.vision.labels import vocabulary

KNOWN_KINDS = "about people, animals, vehicles, food, furniture or text"
#: Probability from which the classifier's name for the main subject is given.
_NAMED, _GUESSED = 0.45, 0.3


def exists(program: p.Exists, evidence: Evidence) -> Answer:
    """Answer whether things are there."""
    mentions = [mention for mention in program.mentions if mention.thing is not None]
    unknown = next((mention for mention in program.mentions if mention.thing is None), None)
    findings = [(mention, _found(mention, evidence)) for mention in mentions]
    there = [pair for pair in findings if pair[1].verdict == "yes"]
    missing = [pair for pair in findings if pair[1].verdict == "no"]
    decisive = missing if program.every else there
    if not decisive and unknown is not None:
        known(unknown)  # refuses
    if not decisive and any(finding.verdict == "unsure" for _, finding in findings):
        raise unsure(next(m for m, finding in findings if finding.verdict == "unsure"))
    holds = not missing if program.every else bool(there)
    return _presence(there, missing, holds != program.negated, evidence)


def count(program: p.Count, evidence: Evidence) -> Answer:
    """Answer how many there are."""
    mention = program.mention
    thing = known(mention)
    finding = evidence.matching(mention)
    if finding.verdict == "no":
        nothing = f"I see no {mention.phrase(0)}."
        return Answer(nothing, "0", finding.score)
    number = len(finding.objects)
    if finding.verdict == "unsure" and (mention.unknown or thing.parent or not number):
        raise unsure(mention)
    if finding.verdict == "unsure" or all(each.score < COUNTED for each in finding.objects):
        raise refusal(
            f"I cannot count the {mention.phrase(0)} here", f"whether there is {thing.phrase()}"
        )
    weakest = min(each.score for each in finding.objects)
    score = min(finding.score, weakest) if number > 1 else finding.score
    text = f"I count {number_word(number)} {_bare(mention.phrase(number))}."
    return Answer(text, str(number), score, evidence.perceptions(finding.objects))


def compare(program: p.Compare, evidence: Evidence) -> Answer:
    """Answer whether there are more of one thing than of another."""
    counted = []
    for mention in (program.left, program.right):
        finding = evidence.matching(replace(mention, definite=False))
        if finding.verdict == "unsure" or (finding.verdict == "yes" and not finding.objects):
            raise unsure(mention)
        counted.append((mention, finding))
    (left, first), (right, second) = counted
    numbers = (len(first.objects), len(second.objects))
    holds = {
        "more": numbers[0] > numbers[1],
        "fewer": numbers[0] < numbers[1],
        "equal": numbers[0] == numbers[1],
        "which": True,
    }[program.relation]
    seen = f"{_amount(numbers[0], left)} and {_amount(numbers[1], right)}"
    score = min(first.score, second.score)
    shown = evidence.perceptions(first.objects + second.objects)
    if program.relation == "which":
        winner = left if numbers[0] > numbers[1] else right
        short = winner.phrase(2) if numbers[0] != numbers[1] else "equal"
        return Answer(f"I count {seen}.", short, score, shown)
    return Answer(f"{'Yes' if holds else 'No'}: I count {seen}.", _yes(holds), score, shown)


def choice(program: p.Choice, evidence: Evidence) -> Answer:
    """Answer which of several things it is."""
    findings = [(mention, evidence.find(known(mention))) for mention in program.options]
    strengths = [_strength(finding) for _, finding in findings]
    best = max(range(len(findings)), key=strengths.__getitem__)
    mention, finding = findings[best]
    others = max(strength for index, strength in enumerate(strengths) if index != best)
    if finding.verdict == "yes" and strengths[best] > 1.3 * others:
        assert mention.thing is not None
        text = f"It is {hedged(finding.score)} {mention.thing.phrase()}.".replace("  ", " ")
        return Answer(
            text, mention.thing.name, finding.score, evidence.perceptions(finding.objects)
        )
    names = [m.thing.phrase() for m, _ in findings if m.thing]
    if all(found.verdict == "no" for _, found in findings):
        return Answer(f"I see neither {listed(names, 'nor')}.", "neither", finding.score)
    raise refusal(f"I cannot tell whether it is {listed(names, 'or')}", "what there is")


def which(program: p.Which, evidence: Evidence) -> Answer:
    """Answer what is there, of a kind if one is named."""
    if program.place:
        return _what_at(program.place, evidence)
    if program.mention is None:
        return _what(evidence)
    mention = program.mention
    kind = known(mention)
    finding = evidence.matching(mention)
    if finding.verdict == "no":
        return Answer(f"I see no {kind.name}.", "none", finding.score)
    names = _names_of(kind, finding, evidence)
    if finding.verdict == "unsure" or not names:
        raise refusal(
            f"I cannot tell which {kind.name} this is", f"whether there is {kind.phrase()}"
        )
    phrases = [thing.phrase() for thing, _ in names]
    score = names[0][1]
    text = f"{hedged(score).capitalize()} {listed(phrases)}.".strip()
    return Answer(
        text[:1].upper() + text[1:], names[0][0].name, score, evidence.perceptions(finding.objects)
    )


def unknowable(program: p.Unknowable, evidence: Evidence) -> Answer:
    """Say that a thing is not there; refuse what cannot be known about one that is."""
    thing = known(program.mention)
    finding = evidence.find(thing)
    if finding.verdict == "no":
        return absent(program.mention, finding, "so this cannot be answered")
    if program.other is not None:
        lacking = evidence.find(known(program.other))
        if lacking.verdict == "no":
            return Answer(f"No: I see no {_lacking(program.other)}.", "no", lacking.score)
    raise refusal(
        f"{program.about} cannot be known from an image",
        f"where the {thing.name} is or how many there are",
    )


def known(mention: Mention) -> Thing:
    """Return what a mention names.

    Raises:
        RefusedError: No expert knows it.
    """
    if mention.thing is None:
        raise refusal(f"I have not learned what {mention.noun[:60]!r} looks like", KNOWN_KINDS)
    return mention.thing


def absent(mention: Mention, finding: Finding, consequence: str) -> Answer:
    """Return the answer that what a question takes for granted is not there."""
    assert mention.thing is not None
    text = f"There is no {mention.thing.name} to be seen, {consequence}."
    return Answer(text, "none", finding.score)


def unsure(mention: Mention) -> RefusedError:
    """Return the error for a thing that may or may not be there."""
    assert mention.thing is not None
    if mention.unknown:
        return refusal(
            f"I have not learned to judge {mention.unknown[:60]!r}",
            f"whether there is {mention.thing.phrase()}",
        )
    name = mention.thing.phrase()
    if mention.thing.parent and not mention.thing.part:
        wider = things().named(mention.thing.parent).phrase()
        return refusal(f"whether {wider} is {name} cannot be told", f"whether there is {wider}")
    if mention.relation == "with":
        return refusal(
            "what somebody has, holds or wears cannot be judged", f"whether there is {name}"
        )
    return refusal(f"the evidence does not tell whether there is {name}", "what there is")


def _found(mention: Mention, evidence: Evidence) -> Finding:
    """Return what was found, with the number that a question names taken into account."""
    finding = evidence.matching(mention)
    if mention.number is None or finding.verdict == "unsure":
        return finding
    number = len(finding.objects)
    if finding.verdict == "yes" and not number:
        return Finding("unsure", finding.score)
    wanted = mention.number
    holds = {
        "=": number == wanted,
        ">": number > wanted,
        ">=": number >= wanted,
        "<": number < wanted,
    }
    return replace(finding, verdict="yes" if holds[mention.bound] else "no")


def _presence(
    there: list[tuple[Mention, Finding]],
    missing: list[tuple[Mention, Finding]],
    yes: bool,
    evidence: Evidence,
) -> Answer:
    parts = []
    if there:
        seen = [_seen(mention, finding) for mention, finding in there]
        parts.append(f"I see {listed(seen)}")
    parts += [_miscounted(mention, finding) for mention, finding in missing if finding.objects]
    if lacking := [_lacking(mention) for mention, finding in missing if not finding.objects]:
        parts.append(f"I see no {listed(lacking, 'or')}")
    score = min(finding.score for _, finding in there + missing)
    objects = tuple(each for _, finding in there for each in finding.objects)
    certainty = hedged(score)
    start = ", ".join(part for part in ("Yes" if yes else "No", certainty) if part)
    if certainty and not yes:
        start = f"{certainty.capitalize()} not"
    text = f"{start}: {' but '.join(parts)}."
    return Answer(text, _yes(yes), score, evidence.perceptions(objects))


def _seen(mention: Mention, finding: Finding) -> str:
    assert mention.thing is not None
    number = len(finding.objects)
    if number < 2 or mention.thing.uncountable:
        return mention.phrase()
    return f"{number_word(number)} {mention.phrase(number)}"


def _lacking(mention: Mention) -> str:
    assert mention.thing is not None
    phrase = mention.phrase(2 if mention.noun == mention.thing.plural else 1)
    return _bare(phrase)


def _miscounted(mention: Mention, finding: Finding) -> str:
    number = len(finding.objects)
    return f"I count {number_word(number)} {_bare(mention.phrase(number))}"


def _bare(phrase: str) -> str:
    return phrase.removeprefix("a ").removeprefix("an ")


def _amount(number: int, mention: Mention) -> str:
    assert mention.thing is not None
    name = mention.thing.name if number == 1 else mention.thing.plural
    return f"{number_word(number)} {name}"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _strength(finding: Finding) -> float:
    best = max((each.score for each in finding.objects), default=0.0)
    return 1 - (1 - best) * (1 - finding.label_score)


def _what(evidence: Evidence) -> Answer:
    """Name the main subject, and the objects beside it."""
    subject, score = evidence.subject
    found = summary(evidence)
    shown = evidence.perceptions(tuple(each for _, group in found for each in group))
    if score >= _NAMED:
        rest = [
            _group_phrase(thing, len(group))
            for thing, group in found
            if not thing.labels & subject.labels and thing.name != subject.name
        ]
        text = f"{hedged(score)} {subject.phrase()}".strip()
        also = f"; I also see {listed(rest)}" if rest else ""
        return Answer(f"{text[:1].upper()}{text[1:]}{also}.", subject.name, score, shown)
    if found:
        names = [_group_phrase(thing, len(group)) for thing, group in found]
        best = max(each.score for each in found[0][1])
        return Answer(f"I see {listed(names)}.", found[0][0].name, best, shown)
    if score >= _GUESSED:
        return Answer(f"Perhaps {subject.phrase()}.", subject.name, score)
    raise refusal("I do not recognise what this shows", "what is written or which colours")


def _what_at(place: str, evidence: Evidence) -> Answer:
    size = evidence.image.size
    found = [
        (thing, kept)
        for thing, group in summary(evidence)
        if (kept := tuple(each for each in group if is_at(each.box, place, size)))
    ]
    if not found:
        raise refusal(f"I recognise nothing {in_words(place)}", "what there is")
    names = [_group_phrase(thing, len(group)) for thing, group in found]
    shown = evidence.perceptions(tuple(each for _, group in found for each in group))
    return Answer(f"I see {listed(names)}.", found[0][0].name, found[0][1][0].score, shown)


def summary(evidence: Evidence) -> list[tuple[Thing, tuple[DetectedObject, ...]]]:
    """Return the things that are there with their objects, the most prominent first."""
    groups: dict[str, list[DetectedObject]] = {}
    catalogue = things()
    for each in evidence.objects:
        if each.score >= COUNTED:
            groups.setdefault(catalogue.of_detection(each.label).name, []).append(each)
    pairs = [(catalogue.of_detection(group[0].label), tuple(group)) for group in groups.values()]
    narrow = [
        (thing, found)
        for thing, found in pairs
        if not any(other.labels and other.labels < thing.labels for other, _ in pairs)
    ]
    present = [pair for pair in narrow if evidence.find(pair[0]).verdict == "yes"]
    return sorted(present, key=lambda pair: -max(each.box.area * each.score for each in pair[1]))


def _names_of(kind: Thing, finding: Finding, evidence: Evidence) -> list[tuple[Thing, float]]:
    """Return the names of what was found of a kind, best first: detected ones, or the label's."""
    names: dict[str, tuple[Thing, float]] = {}
    catalogue = things()
    for each in finding.objects:
        thing = catalogue.of_detection(each.label)
        if thing.name != kind.name and each.score >= ABSENT and thing.name not in names:
            names[thing.name] = (thing, evidence.find(thing).score)
    words = vocabulary()
    own = [
        score if name in kind.labels else 0.0
        for name, score in zip(words.labels, evidence.probabilities, strict=True)
    ]
    total = sum(own)
    if total >= _GUESSED:
        concept, share = words.name([score / total for score in own])
        found = catalogue.find(concept.words[0])
        known_already = found and any(found.labels & thing.labels for thing, _ in names.values())
        if (
            found
            and found.name != kind.name
            and share >= 0.4
            and not known_already
            and not (names and total < 0.6)
        ):
            names[found.name] = (found, total * share)
    return sorted(names.values(), key=lambda pair: -pair[1])


def _group_phrase(thing: Thing, number: int) -> str:
    return thing.phrase() if number == 1 else f"{number_word(number)} {thing.plural}"
