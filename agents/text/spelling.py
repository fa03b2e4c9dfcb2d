"""Corrects typing errors in words that would otherwise carry no meaning.

A word is corrected only if no vocabulary knows it and one slip of the keyboard away from a common
word: two letters swapped, one missing, one too many, or one wrong (Damerau 1964); or if it is such
a word with some vowels left out, or a long one with other vowels. Words that were run together are
split, and shorthand ("u r") is written out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from string import ascii_lowercase
from types import MappingProxyType

#: Shorter words are too close to too many others.
MIN_LENGTH = 3
MAX_LENGTH = 24
#: A word is split into at most this many.
_MAX_PARTS = 4
#: A word with other vowels is taken for a known one if both have this many consonants, or as many
#: vowels and one consonant less.
_CONSONANTS = 4
_VOWELS = re.compile(r"[aeiouy]")
_DOUBLED = re.compile(r"(.)\1+")
_SHORT = re.compile(r"(?<![\w./@#'\"-])[a-z]{1,9}(?![\w/@\"'-]|\.\w)")
#: A name goes on with small words: "Leonardo da Vinci".
_NAMED = re.compile(r"\w\W+[A-Z][\w'-]*\s+$|^[A-Z][a-z'-]*\s+$")
_WORD = re.compile(r"(?<![\w./@#'\"-])[a-zA-Z]{3,24}(?![\w/@\"-]|\.\w|'\w)")


class Speller:
    """Corrects single words.

    Args:
        frequency: How common each word to correct to is; larger is commoner.
        is_word: Whether a word exists, so that it is left alone.
        joinable: Words that may have been run together.
        shorthand: Whole words for shorthand.
    """

    def __init__(
        self,
        frequency: Mapping[str, float],
        is_word: Callable[[str], bool],
        joinable: frozenset[str],
        shorthand: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._frequency = frequency
        self._is_word = is_word
        self._joinable = joinable
        self._shorthand = shorthand

    @cached_property
    def _by_skeleton(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for word in self._frequency:
            if word.isalpha():
                found.setdefault(_skeleton(word), []).append(word)
        return found

    def corrected(self, text: str) -> str:
        """Return a text with its typing errors corrected; names in capitals are left alone."""
        return _WORD.sub(self._replacement, _SHORT.sub(self._written_out, text))

    def is_slip(self, word: str) -> bool:
        """Return whether a word is a known one with letters swapped, missing, or other vowels."""
        if len(word) < MIN_LENGTH or len(word) > MAX_LENGTH or self._is_word(word):
            return False
        return any(
            each in self._frequency for slips in (_swapped, _missing) for each in slips(word)
        ) or any(
            len(_skeleton(each)) >= _CONSONANTS or _left_out(word, each)
            for each in self._same_consonants(word)
        )

    def _written_out(self, match: re.Match[str]) -> str:
        """Return the whole word for shorthand, unless it is a part of a name."""
        whole = self._shorthand.get(match[0])
        if not whole or _NAMED.search(match.string, 0, match.start()):
            return match[0]
        return whole

    def _same_consonants(self, word: str) -> list[str]:
        """Return the words with the same consonants and ends, and at least as many letters."""
        skeleton = _skeleton(word)
        return [
            each
            for each in self._by_skeleton.get(skeleton, ())
            if (each[0], _ending(each)) == (word[0], _ending(word))
            and len(each) >= len(word)
            and (
                len(skeleton) >= _CONSONANTS
                or (len(skeleton) == _CONSONANTS - 1 and len(each) == len(word))
                or _left_out(word, each)
            )
        ]

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
            # Hardly anybody mistakes a first letter: "mould" is not "would".
            known = [
                each
                for each in slips(word)
                if each in self._frequency and (slips is not _wrong or each[0] == word[0])
            ]
            if known:
                return max(known, key=lambda each: (each[0] == word[0], self._frequency[each]))
        return max(self._same_consonants(word), key=lambda each: self._frequency[each], default="")

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


def _skeleton(word: str) -> str:
    """Return the consonants of a word, doubled ones once."""
    return _DOUBLED.sub(r"\1", _VOWELS.sub("", word))


def _ending(word: str) -> str:
    return "i" if word[-1] == "y" else word[-1]


def _left_out(word: str, whole: str) -> bool:
    """Return whether a word is what remains of a longer one when letters are left out."""
    letters = iter(whole)
    return len(word) < len(whole) and all(letter in letters for letter in word)


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
