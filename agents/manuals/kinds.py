"""Classifies the sentences of a manual by the nearest of a few example sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from edgewright.agents.manuals.draft import MAX_WRAPPED
from edgewright.agents.manuals.findings import (
    is_command,
    measures,
    named_interfaces,
    named_quantities,
    sentences,
)
from edgewright.agents.manuals.vocabulary import line_kinds
from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.encoder import minilm
from edgewright.tools.manuals.manual import MAX_LINE, Line, Manual

#: Maximum number of sentences to classify; a data sheet states its facts on the first pages.
MAX_SENTENCES = 400

#: A heading without marks: a few words without a full stop or a value.
_PLAIN_HEADING = re.compile(r"^(?:\d+(?:\.\d+)*\.?\s+)?[A-Z][A-Za-z ]{2,40}$")


@dataclass(frozen=True)
class Sentence:
    """A sentence that may hold a fact.

    Attributes:
        text: Its text.
        heading: The heading above it.
        line: The line it begins in, joined with its continuation lines.
        kind: What it is about; empty until it is classified.
        section: What its heading is about; empty if there is none.
    """

    text: str
    heading: str
    line: Line
    kind: str = ""
    section: str = ""


def classified_sentences(manual: Manual) -> list[Sentence]:
    """Return the sentences with a quantity, an interface or a value, each with its kind.

    Sentences that try to instruct software are left out.
    """
    found = [
        sentence
        for sentence in _sentences(manual)
        if (
            named_quantities(sentence.text)
            or named_interfaces(sentence.text)
            or measures(sentence.text)
        )
        and not is_command(sentence.text)
    ][:MAX_SENTENCES]
    kinds = _kinds([f"{each.heading}: {each.text}".removeprefix(": ") for each in found])
    headings = list({each.heading for each in found if each.heading})
    sections = dict(zip(headings, _kinds(headings), strict=True))
    return [
        replace(each, kind=kind, section=sections.get(each.heading, ""))
        for each, kind in zip(found, kinds, strict=True)
    ]


def _kinds(texts: Sequence[str]) -> list[str]:
    """Return the kind of the nearest example for each text."""
    nearest = (minilm().vectors(texts) @ _example_vectors().T).argmax(axis=1)
    return [line_kinds()[row][0] for row in nearest.tolist()]


@cache
def _example_vectors() -> Vectors:
    """Return the sentence vectors of the examples, float32 ``[N, 384]``."""
    return minilm().vectors([example for _, example in line_kinds()])


def _sentences(manual: Manual) -> Iterator[Sentence]:
    heading = ""
    for line in _unwrapped(manual.lines):
        words = _heading(line.text)
        if words:
            heading = "" if is_command(line.text) else words
        for text in sentences(line.text.lstrip("# ")):
            yield Sentence(text, heading if text != heading else "", line)


def _heading(text: str) -> str:
    """Return the words of a heading, with or without Markdown's marks; empty for other lines."""
    words = text.lstrip("#")
    if 1 <= len(text) - len(words) <= 6 and words[:1].isspace():
        return words.strip().rstrip("#").rstrip()
    return text if _PLAIN_HEADING.match(text) else ""


def _unwrapped(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield the lines, joined with continuation lines: those that begin in lower case."""
    whole: Line | None = None
    parts = 0
    for line in lines:
        if (
            whole is not None
            and parts < MAX_WRAPPED
            and line.text[:1].islower()
            and (line.number, line.page) == (whole.number + parts, whole.page)
            and len(whole.text) + len(line.text) < MAX_LINE
        ):
            whole = whole.model_copy(update={"text": f"{whole.text} {line.text}"})
            parts += 1
            continue
        if whole is not None:
            yield whole
        whole, parts = line, 1
    if whole is not None:
        yield whole
