"""Corrects typing errors in words that would otherwise carry no meaning.

A word is corrected only if no vocabulary knows it and one slip of the keyboard away from a common
word: two letters swapped, one missing, one too many, or one wrong (Damerau 1964). Words that were
run together are split.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from string import ascii_lowercase

#: Shorter words are too close to too many others.
MIN_LENGTH = 3
MAX_LENGTH = 24
#: A word is split into at most this many.
_MAX_PARTS = 4
_WORD = re.compile(r"(?<![\w./@#'\"-])[a-zA-Z]{3,24}(?![\w/@\"-]|\.\w|'\w)")


class Speller:
    """Corrects single words.

    Args:
        frequency: How common each word to correct to is; larger is commoner.
        is_word: Whether a word exists, so that it is left alone.
        joinable: Words that may have been run together.
    """

    def __init__(
        self,
        frequency: Mapping[str, float],
        is_word: Callable[[str], bool],
        joinable: frozenset[str],
    ) -> None:
        self._frequency = frequency
        self._is_word = is_word
        self._joinable = joinable

    def corrected(self, text: str) -> str:
        """Return a text with its typing errors corrected; names in capitals are left alone."""
        return _WORD.sub(self._replacement, text)

    def is_slip(self, word: str) -> bool:
        """Return whether a word is a known one with letters swapped or one missing."""
        if len(word) < MIN_LENGTH or len(word) > MAX_LENGTH or self._is_word(word):
            return False
        return any(
            each in self._frequency for slips in (_swapped, _missing) for each in slips(word)
        )

    def _replacement(self, match: re.Match[str]) -> str:
        written = match[0]
        word = written.lower()
        named = written[0].isupper() and match.start() > 0 and not written.isupper()
        if named or self._is_word(word) or word in self._frequency:
            return written
        corrected = self._nearest(word) or self._split(word)
        if not corrected:
            return written
        return corrected.capitalize() if written[0].isupper() else corrected

    def _nearest(self, word: str) -> str:
        """Return the likeliest word one slip away: first by the kind of slip, then by frequency."""
        for slips in (_swapped, _missing, _wrong, _extra):
            known = [each for each in slips(word) if each in self._frequency]
            if known:
                return max(known, key=lambda each: (each[0] == word[0], self._frequency[each]))
        return ""

    def _split(self, word: str, parts: int = _MAX_PARTS) -> str:
        """Return the words that were run together, or nothing."""
        for end in range(len(word) - 1, 1, -1):
            first, rest = word[:end], word[end:]
            if first not in self._joinable:
                continue
            if rest in self._joinable:
                return f"{first} {rest}"
            if parts > 2 and (others := self._split(rest, parts - 1)):
                return f"{first} {others}"
        return ""


def _swapped(word: str) -> Iterator[str]:
    return (word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(len(word) - 1))


def _missing(word: str) -> Iterator[str]:
    return (
        word[:n] + letter + word[n:] for n in range(len(word) + 1) for letter in ascii_lowercase
    )


def _extra(word: str) -> Iterator[str]:
    return (word[:n] + word[n + 1 :] for n in range(len(word)) if len(word) > MIN_LENGTH)


def _wrong(word: str) -> Iterator[str]:
    return (
        word[:n] + letter + word[n + 1 :] for n in range(len(word)) for letter in ascii_lowercase
    )
