"""Scoring an answer or a caption against what was written down by looking at the photograph."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from edgewright.tools.vision.asking.nouns import singulars

Verdict = Literal["right", "wrong", "refused"]

#: In ``accept``: the answer must be refused; it must say that there is no such thing.
REFUSE = "refuse"


def verdict(question: dict[str, Any], output: dict[str, Any] | None) -> Verdict:
    """Return whether an answer is right.

    Args:
        question: A line of ``questions.jsonl``.
        output: The expert's output; None if it refused.
    """
    accept = question.get("accept", [])
    if output is None or output.get("answer") == "unsure":
        return "right" if REFUSE in accept else "refused"
    if "words" in question:
        written = _letters(output["text"])
        return "right" if all(_letters(word) in written for word in question["words"]) else "wrong"
    short = str(output.get("answer", output["text"])).lower()
    parts = [short] if short in accept else short.split(" and ")
    return "right" if all(_accepted(part, accept) for part in parts) else "wrong"


def wrong_things(named: Sequence[str], things: Sequence[str]) -> list[str]:
    """Return the things that a caption names although they are not there.

    Args:
        named: Nouns that the caption names.
        things: Nouns that it may truthfully name.
    """
    there = {form for thing in things for form in singulars(thing.lower())}
    return [name for name in named if not there & set(singulars(name.lower()))]


def _accepted(answer: str, accept: Sequence[str]) -> bool:
    forms = set(singulars(answer))
    return any(forms & set(singulars(each.lower())) for each in accept)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())
