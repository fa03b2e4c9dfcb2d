"""The embedded reader of manuals: rules say what a sentence holds, MiniLM what it is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from edgewright.agents.manuals.draft import MAX_QUOTE, Extraction, Fact, FactField
from edgewright.agents.manuals.findings import (
    Limit,
    designations,
    is_command,
    limits,
    measures,
    named_interfaces,
    named_quantities,
    ranges,
    tolerances,
)
from edgewright.agents.manuals.kinds import Sentence, telling_sentences
from edgewright.agents.manuals.vocabulary import quantities
from edgewright.tools.manuals.manual import Manual

#: Kinds of sentence that are about what the device measures.
_ABOUT_READINGS = ("senses", "measuring range", "accuracy")
#: Lines at the beginning in which a device is named.
_TITLE_LINES = 10

#: All of a device's name but the letters that it begins with, which name its series.
_BEHIND_SERIES = re.compile(r"[^A-Z].*$")


class EmbeddedExtractor:
    """Reads a manual without a key or a network."""

    def extract(self, manual: Manual) -> Extraction:
        """Read the facts of a manual; each is quoted from the first sentence that holds it."""
        device = _device(manual)
        names = [fact.value for fact in device]
        told = [each for each in telling_sentences(manual) if not _of_sibling(each.text, names)]
        sensed = _sensed(told)
        facts = [*device, *sensed.values()]
        for sentence in told:
            facts += _values(sentence, list(sensed))
            if "connection" in (sentence.kind, sentence.section):
                facts += [
                    _fact("interface", name, sentence) for name in named_interfaces(sentence.text)
                ]
        first = {(fact.field, fact.about, fact.value): fact for fact in reversed(facts)}
        distinct = tuple(dict.fromkeys(first[f.field, f.about, f.value] for f in facts))
        return Extraction(facts=distinct, drafted_by="embedded")


def _device(manual: Manual) -> list[Fact]:
    """Find what the device is called: of the names in the first lines, the one used most."""
    uses = Counter(name for line in manual.lines for name in designations(line.text))
    named = [
        (uses[name], line, name)
        for line in manual.lines[:_TITLE_LINES]
        if not is_command(line.text)
        for name in designations(line.text)
        if name in line.text[:MAX_QUOTE]
    ]
    if not named:
        return []
    _, line, best = max(named, key=lambda entry: entry[0])
    quote = line.text[:MAX_QUOTE]
    return [Fact(field="device", value=best, quote=quote, line=line.number, page=line.page)]


def _of_sibling(text: str, names: Sequence[str]) -> bool:
    """Whether a sentence is about another device of the series alone."""
    named = designations(text)
    series = {_BEHIND_SERIES.sub("", name) for name in names}
    siblings = [
        name for name in named if _BEHIND_SERIES.sub("", name) in series and name not in names
    ]
    return bool(siblings) and not set(names).intersection(named)


def _sensed(told: Sequence[Sentence]) -> dict[str, Fact]:
    """Return what the device senses: named where readings are the subject, by value or by verb."""
    found: dict[str, Fact] = {}
    for sentence in told:
        if sentence.kind not in _ABOUT_READINGS:
            continue
        for name in named_quantities(sentence.text):
            units = {limit.unit for limit in limits(sentence.text)}
            if sentence.kind == "senses" or units.intersection(quantities()[name].units):
                found.setdefault(name, _fact("senses", name, sentence))
    return found


def _values(sentence: Sentence, sensed: Sequence[str]) -> Iterator[Fact]:
    """Yield the units and limits of a sentence."""
    text = sentence.text
    if sentence.kind == "supply":
        volts = [limit for limit in ranges(text) or measures(text) if limit.unit == "V"]
        yield from (_fact("limit", limit.text, sentence, "supply") for limit in volts)
    elif sentence.kind == "operating conditions":
        degrees = [limit for limit in ranges(text) if limit.unit == "°C"]
        yield from (_fact("limit", limit.text, sentence, "operation") for limit in degrees)
    elif sentence.kind in _ABOUT_READINGS:
        for prefix, found in (("", ranges(text)), ("accuracy of ", tolerances(text))):
            for limit in found:
                if name := _owner(limit, sentence, sensed):
                    yield _fact("unit", limit.unit, sentence, name)
                    yield _fact("limit", limit.text, sentence, prefix + name)


def _owner(limit: Limit, sentence: Sentence, sensed: Sequence[str]) -> str:
    """Return the quantity that a limit belongs to: named nearest before it, else by its unit."""
    fitting = [name for name in sensed if limit.unit in quantities()[name].units]
    named = {
        name: place for name, place in named_quantities(sentence.text).items() if name in fitting
    }
    before = [name for name, place in named.items() if place < limit.start]
    if named:
        return max(before or named, key=lambda name: named[name])
    under = [name for name in named_quantities(sentence.heading) if name in fitting]
    if under:
        return under[0]
    return fitting[0] if len(fitting) == 1 else ""


def _fact(field: FactField, value: str, sentence: Sentence, about: str = "") -> Fact:
    return Fact(
        field=field,
        value=value,
        about=about,
        quote=sentence.text[:MAX_QUOTE],
        line=sentence.line.number,
        page=sentence.line.page,
    )
