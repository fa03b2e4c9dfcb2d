"""The earlier tasks that a follow-up means: "only the count", "my first question", "both"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.embedded.grammar.done import kind_of
from edgewright.agents.planner.embedded.grammar.lexicon import words
from edgewright.agents.planner.plan import Task
from edgewright.agents.planner.request import Turn

_ASKED = r"(?:questions?|things?|tasks?|requests?|checks?|parts?|bits?)"
#: Several earlier tasks: "both questions", "the same two things", "all of those".
_SEVERAL = re.compile(
    rf"\b(?:(?:the\s+)?same\s+(?P<n>two|three)|(?:all|the|those)\s+(?P<m>two|three)|both|all)(?:\s+(?:of\s+)?(?:the|my|those|these))?\s+(?P<what>{_ASKED})\b"
    r"|\b(?:both|all)\s+of\s+(?:those|these|that)\b",
    re.IGNORECASE,
)
#: One of them by its order: "my first question", "the second part".
_NTH = re.compile(
    rf"\b(?P<rank>first|original|second|third|last)\s+(?P<what>{_ASKED}|(?=again\b))", re.IGNORECASE
)
#: One of them by what it is about: "only the count", "just the phone".
_ONLY = re.compile(
    r"\b(?:only|just)\s+(?:(?:need|want|do|answer|for|the|my|a|an|that)\s+)*"
    r"(?P<what>[a-z][\w' -]{2,40}?)(?:\s+(?:part|one|bit|question|thing))?"
    r"(?=\s*(?:[.,;!?)]|$|\s(?:for|of|on|in|with|please|this|here)\b))"
    r"|(?:^|[(,]\s*)(?:the\s+)?(?P<before>[a-z][\w'-]{2,})\s+only\b",
    re.IGNORECASE,
)
_RANKS = {"first": 0, "original": 0, "second": 1, "third": 2, "last": -1}
_WORD = re.compile(r"[a-z]{3,}")
#: Most words that such a follow-up has besides those for its images.
_MAX_WORDS = 12


def recalled(text: str, turns: Sequence[Turn], *, new_images: bool) -> list[Task]:
    """Return the tasks of earlier turns that a text means.

    Args:
        text: A request without its mentions of images.
        turns: The earlier turns.
        new_images: Whether images came with it; otherwise "both of those" may mean images.

    Returns:
        The tasks, one for each card and question; none if the text means none in particular.
    """
    asked = [list(_distinct(turn.tasks)) for turn in turns if turn.tasks]
    if not asked or len(text.split()) > _MAX_WORDS:
        return []
    match = _SEVERAL.search(text)
    if match and (match["what"] or (new_images and len(asked[-1]) > 1)):
        count = {"two": 2, "three": 3}.get((match["n"] or match["m"] or "").lower(), 2)
        if len(asked[-1]) > 1:
            return asked[-1]
        return _distinct([task for tasks in asked for task in tasks])[-count:]
    if match := _NTH.search(text):
        parts = match["what"].lower().startswith(("part", "bit")) or len(asked) == 1
        each = [[task] for task in asked[-1]] if parts else asked
        rank = _RANKS[match["rank"].lower()]
        return each[rank] if -len(each) <= rank < len(each) else []
    if match := _ONLY.search(text):
        said = match["what"] or match["before"]
        return next((found for tasks in reversed(asked) if (found := _about(said, tasks))), [])
    return []


def _distinct(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks once for each card and question, without those that are only checked."""
    checked = {check.task for task in tasks if task.when for check in task.when.checks}
    once = {
        (task.tool, task.args.get("question", "").lower()): task
        for task in reversed(tasks)
        if task.id not in checked and not task.when
    }
    return list(reversed(once.values()))


def _about(said: str, tasks: Sequence[Task]) -> list[Task]:
    """Return the only one of several tasks that a few words name by its kind or its subject."""
    kind = kind_of(said)
    content = set(_WORD.findall(said.lower())) - set(words("closed_class"))
    found = [
        task
        for task in tasks
        if (
            kind
            and task.task_type == kind
            and (kind != "visual-question-answering" or _counts(task))
        )
        or (content and _shares(content, task.args.get("question", "")))
    ]
    return found if len(found) == 1 else []


def _counts(task: Task) -> bool:
    return bool(
        re.search(
            r"\bhow\s+many\b|\bcount\b|\bnumber\b", task.args.get("question", ""), re.IGNORECASE
        )
    )


def _shares(content: set[str], question: str) -> bool:
    asked = {word.removesuffix("s") for word in _WORD.findall(question.lower())}
    return all(word.removesuffix("s") in asked for word in content)
