"""The embedded reader of manuals: rules find values in sentences, MiniLM classifies them."""

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
from edgewright.agents.manuals.kinds import Sentence, classified_sentences
from edgewright.agents.manuals.vocabulary import quantities
from edgewright.tools.manuals.manual import Manual

#: Kinds of sentences about what the device measures.
_ABOUT_READINGS = ("senses", "measuring range", "accuracy")
#: Number of lines at the beginning in which the device is named.
_TITLE_LINES = 10

#: The part of a device's name after the leading letters, which name its series.
_AFTER_SERIES = re.compile(r"[^A-Z].*$")


class EmbeddedExtractor:
    """Extracts facts from a manual without an API key or a network."""

    def extract(self, manual: Manual) -> Extraction:
        """Extract the facts of a manual, each with the first sentence that states it."""
        device = _device(manual)
        names = [fact.value for fact in device]
        found = [
            each for each in classified_sentences(manual) if not _is_about_sibling(each.text, names)
        ]
        sensed = _sensed(found)
        facts = [*device, *sensed.values()]
        for sentence in found:
            facts += _values(sentence, list(sensed))
            if "connection" in (sentence.kind, sentence.section):
                facts += [
                    _fact("interface", name, sentence) for name in named_interfaces(sentence.text)
                ]
        first = {(fact.field, fact.about, fact.value): fact for fact in reversed(facts)}
        distinct = tuple(dict.fromkeys(first[f.field, f.about, f.value] for f in facts))
        return Extraction(facts=distinct, drafted_by="embedded")


def _device(manual: Manual) -> list[Fact]:
    """Return the name of the device: the most frequent of the names in the first lines."""
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


def _is_about_sibling(text: str, names: Sequence[str]) -> bool:
    """Return whether a sentence is only about another device of the same series."""
    named = designations(text)
    series = {_AFTER_SERIES.sub("", name) for name in names}
    siblings = [
        name for name in named if _AFTER_SERIES.sub("", name) in series and name not in names
    ]
    return bool(siblings) and not set(names).intersection(named)


def _sensed(sentences: Sequence[Sentence]) -> dict[str, Fact]:
    """Return the quantities that the device senses.

    They are named in a sentence about readings, which either says that the device senses them or
    has a value in one of their units.
    """
    found: dict[str, Fact] = {}
    for sentence in sentences:
        if sentence.kind not in _ABOUT_READINGS:
            continue
        for name in named_quantities(sentence.text):
            units = {limit.unit for limit in limits(sentence.text)}
            if sentence.kind == "senses" or units.intersection(quantities()[name].units):
                found.setdefault(name, _fact("senses", name, sentence))
    return found


def _values(sentence: Sentence, sensed: Sequence[str]) -> Iterator[Fact]:
    """Yield the units and limits in a sentence."""
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
    """Return the quantity that a limit belongs to, or an empty string.

    It is the last one named before the limit, else one named in the sentence or the heading, else
    the only one with that unit.
    """
    candidates = [name for name in sensed if limit.unit in quantities()[name].units]
    named = {
        name: start for name, start in named_quantities(sentence.text).items() if name in candidates
    }
    before = [name for name, start in named.items() if start < limit.start]
    if named:
        return max(before or named, key=lambda name: named[name])
    in_heading = [name for name in named_quantities(sentence.heading) if name in candidates]
    if in_heading:
        return in_heading[0]
    return candidates[0] if len(candidates) == 1 else ""


def _fact(field: FactField, value: str, sentence: Sentence, about: str = "") -> Fact:
    return Fact(
        field=field,
        value=value,
        about=about,
        quote=sentence.text[:MAX_QUOTE],
        line=sentence.line.number,
        page=sentence.line.page,
    )
