"""The words of a request as a network sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.agents.text.blocks import Vectors
from edgewright.agents.text.encoder import TokenVectors

#: Maximum number of words and marks; longer requests are read by the grammar alone.
MAX_WORDS = 200

_WORD = re.compile(r"\w+(?:['\u2019\-._/]\w+)*|[^\w\s]")
_SENTENCE_END = re.compile(r"[.!?\n]\s*$")
#: Size of a fact about a word beside the values of a vector.
_FACT = 2.0
#: Number of facts.
FACTS = 8


@dataclass(frozen=True)
class Words:
    """The words and marks of a text.

    Attributes:
        text: The text.
        spans: Where each begins and ends, int ``[W, 2]``.
    """

    text: str
    spans: NDArray[np.intp]

    @classmethod
    def of(cls, text: str) -> Words:
        """Split a text into words and marks; a name such as "IMG_2.jpg" is one word."""
        found = [match.span() for match in _WORD.finditer(text)]
        return cls(text, np.array(found, np.intp).reshape(-1, 2))

    def __len__(self) -> int:
        return len(self.spans)

    def __getitem__(self, number: int) -> str:
        start, end = self.spans[number]
        return self.text[start:end]

    def is_mark(self, number: int) -> bool:
        """Return whether it is a mark and not a word."""
        return not re.search(r"\w", self[number])

    def features(self, tokens: TokenVectors) -> Vectors:
        """Return what is known of each word, float32 ``[W, D + 8]``.

        These are the mean vector of its tokens, and facts about its letters and its place.
        """
        layers, _, width = tokens.vectors.shape
        by_token = tokens.vectors.transpose(1, 0, 2).reshape(-1, layers * width)
        starts, ends = tokens.ends[:, 0], tokens.ends[:, 1]
        found = np.zeros((len(self), layers * width + FACTS), np.float32)
        for number, (start, end) in enumerate(self.spans):
            inside = (starts < end) & (ends > start) & (ends > starts)
            if inside.any():
                found[number, :-FACTS] = by_token[inside].mean(axis=0)
            found[number, -FACTS:] = np.array(self._facts(number), np.float32) * _FACT
        return found

    def _facts(self, number: int) -> list[bool]:
        word, start = self[number], self.spans[number][0]
        before = self.text[self.spans[number - 1][1] : start] if number else "\n"
        return [
            word[:1].isupper(),
            word.isupper() and len(word) > 1,
            any(letter.isdigit() for letter in word),
            self.is_mark(number),
            word in ".!?",
            word in ",;:",
            not number or bool(_SENTENCE_END.search(self.text[:start])),
            "\n" in before,
        ]
