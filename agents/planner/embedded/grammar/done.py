"""Words for what was done with an image: their kind of task, and what it was about."""

from __future__ import annotations

import re

from edgewright.agents.planner.embedded.grammar.lexicon import words

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
#: Says that something was done at the beginning.
EARLY = re.compile(r"\b(?:first|start\w*|beg[iau]n\w*|original\w*|initial\w*)\b")
_EMPTY = frozenset(words("no_content"))
_STEM = 5


def kind_of(words: str) -> str:
    """Return the kind of task that words name by its verb or its result, or nothing."""
    return next((kind for stem, kind in _DONE.items() if stem in words.lower()), "")


def stems(text: str) -> set[str]:
    """Return the stems of the words of a text that say what it is about."""
    found = {word for word in _WORD.findall(text.lower()) if word not in _EMPTY}
    return {word[:_STEM] for word in found if not kind_of(word) and not EARLY.match(word)}
