"""Finds the images of earlier turns by what was asked of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.embedded.grammar.lexicon import words
from edgewright.agents.planner.request import Turn
from edgewright.tools.contracts.images import ImageRef

_WORD = re.compile(r"[a-z]{3,}")
#: Kinds of task by the verb for what was done.
_DONE = {
    "describ": "image-to-text",
    "descript": "image-to-text",
    "caption": "image-to-text",
    "title": "image-to-text",
    "summar": "image-to-text",
    "story": "image-to-text",
    "alt text": "image-to-text",
    "alternative text": "image-to-text",
    "alt-text": "image-to-text",
    "classif": "image-classification",
    "label": "image-classification",
    "categor": "image-classification",
    "breed": "image-classification",
    "species": "image-classification",
    "identif": "image-classification",
    "nam": "image-classification",
    "count": "visual-question-answering",
    "ask": "visual-question-answering",
}
#: Say of a turn that it was an early one, that nothing was asked, or how it was asked.
_EARLY = re.compile(r"\b(?:first|start\w*|beg[iau]n\w*|original\w*|initial\w*)\b")
_NOT_DONE = re.compile(r"\b(?:nothing|never|yet|not|haven't|hasn't|didn't)\b")
_YES_OR_NO = re.compile(r"\byes[\s/-]*(?:or[\s-]*)?no\b")
_DECIDES = re.compile(r"\W*(?:and\s+)?(?:is|are|was|were|do|does|did|has|have|can)\b", re.IGNORECASE)
_EMPTY = frozenset(words("no_content"))
_STEM = 5


def kind_of(words: str) -> str:
    """Return the kind of task that words name by its verb or its result, or nothing."""
    return next((kind for stem, kind in _DONE.items() if stem in words.lower()), "")


def asked_about(
    said: str, turns: Sequence[Turn], seen: Sequence[ImageRef]
) -> tuple[ImageRef, ...]:
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
        known = {value for task, _, _ in done for value in task.args.values()}
        return tuple(image for image in seen if image.uri not in known)
    kind, topic = kind_of(said), _stems(said)
    decides = bool(_YES_OR_NO.search(said))
    early = bool(_EARLY.search(said))
    best: tuple[tuple[int, int], tuple[ImageRef, ...]] = ((0, 0), ())
    for age, (task, question, turn) in enumerate(done):
        images = tuple(image for image in seen if image.uri in task.args.values())
        shared = len(topic & _stems(f"{question} {turn.request if task.span else ''}"))
        score = 4 * shared + 2 * (task.task_type == kind) + 2 * (
            decides and bool(_DECIDES.match(question))
        )
        rank = (score, -age if early else age)
        if images and score and (not best[1] or rank > best[0]):
            best = (rank, images)
    return best[1]


def _stems(text: str) -> set[str]:
    """Return the stems of the words of a text that say what it is about."""
    found = {word for word in _WORD.findall(text.lower()) if word not in _EMPTY}
    return {word[:_STEM] for word in found if not kind_of(word) and not _EARLY.match(word)}
