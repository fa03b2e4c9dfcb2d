"""Rules: forms of question as regular expressions, and what makes a program of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from edgewright.tools.vision.asking.phrases import Mention, mention_of
from edgewright.tools.vision.asking.programs import Program
from edgewright.tools.vision.asking.wording import BE, IMAGE, SEE, SHOW

THIS = r"(?:this|that|it|these|those|they)"
#: "... are there", "... do you see", and the like.
SEEN = (
    rf"(?:{BE} there|{BE} (?:in|on) {IMAGE}|{SEE}|does {IMAGE} {SHOW}|{BE} {THIS}"
    rf"|{BE} (?:visible|shown)|{BE})"
)


@dataclass(frozen=True)
class Rule:
    """A form of question, and what makes a program of a match.

    Attributes:
        pattern: Matches the whole question in plain form.
        program: Returns the program; None if the question is not of this form after all.
    """

    pattern: re.Pattern[str]
    program: Callable[[re.Match[str]], Program | None]


def rule(*forms: str) -> Callable[[Callable[[re.Match[str]], Program | None]], Rule]:
    """Make a rule of a function and the forms that it understands."""
    return lambda program: Rule(re.compile("|".join(f"(?:{form})" for form in forms)), program)


def first(match: re.Match[str], name: str) -> str:
    """Return the group of one of several forms, such as ``noun``, ``noun2``."""
    found = match.groupdict()
    return next((text for key, text in found.items() if key.rstrip("2345") == name and text), "")


def pair(left: str, right: str) -> tuple[Mention, Mention] | None:
    """Parse two noun phrases; None unless experts know both."""
    first, second = mention_of(left), mention_of(right)
    if first is None or second is None or first.thing is None or second.thing is None:
        return None
    return first, second
