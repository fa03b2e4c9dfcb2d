"""Finds the images of earlier turns by what was asked of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.embedded.grammar.done import EARLY, kind_of, stems
from edgewright.agents.planner.request import Turn
from edgewright.tools.contracts.images import ImageRef

#: Say of a turn that nothing was asked of an image, or how it was asked.
_NOT_DONE = re.compile(r"\b(?:nothing|never|yet|not|haven't|hasn't|didn't)\b")
_YES_OR_NO = re.compile(r"\byes[\s/-]*(?:or[\s-]*)?no\b")
_DECIDES = re.compile(
    r"\W*(?:and\s+)?(?:is|are|was|were|do|does|did|has|have|can)\b", re.IGNORECASE
)


def asked_about(said: str, turns: Sequence[Turn], seen: Sequence[ImageRef]) -> tuple[ImageRef, ...]:
    """Return the images of which something was asked that a relative clause says.

    Args:
        said: The clause, in lower case: "you counted the chairs", "i asked about first".
        turns: The earlier turns.
        seen: The images of the conversation.

    Returns:
        The images of the task that fits best, the latest of several; none if no task fits.
    """
    done = [
        (task, f"{task.args.get('question') or task.span or turn.request}", turn)
        for turn in turns
        for task in turn.tasks
    ]
    if _NOT_DONE.search(said):
        kind = kind_of(said) if "question" in said or kind_of(said) != kind_of("ask") else ""
        known = {
            value
            for task, _, _ in done
            for value in task.args.values()
            if kind in ("", task.task_type)
        }
        return tuple(image for image in seen if image.uri not in known)
    kind, topic = kind_of(said), stems(said)
    decides = bool(_YES_OR_NO.search(said))
    early = bool(EARLY.search(said))
    best: tuple[tuple[int, int], tuple[ImageRef, ...]] = ((0, 0), ())
    for age, (task, question, turn) in enumerate(done):
        images = tuple(image for image in seen if image.uri in task.args.values())
        shared = len(topic & stems(f"{question} {turn.request if task.span else ''}"))
        score = (
            4 * shared
            + 2 * (task.task_type == kind)
            + 2 * (decides and bool(_DECIDES.match(question)))
        )
        rank = (score, -age if early else age)
        if images and score and (not best[1] or rank > best[0]):
            best = (rank, images)
    return best[1]


def topics(turns: Sequence[Turn], seen: Sequence[ImageRef]) -> list[frozenset[str]]:
    """Return stems of the words with which something was asked of each image in earlier turns."""
    asked: dict[str, set[str]] = {}
    for turn in turns:
        about = {value for task in turn.tasks for value in task.args.values()}
        for task in turn.tasks:
            said = task.args.get("question") or task.span or turn.request
            alone = turn.request if len(about.intersection(i.uri for i in seen)) == 1 else ""
            for value in task.args.values():
                asked.setdefault(value, set()).update(stems(f"{said} {alone}"))
    return [frozenset(asked.get(image.uri, ())) for image in seen]
