"""Identifies requests in a language that the sentence encoder does not read.

Most requests are English beyond doubt by their common words, and nothing else is asked. What is
left goes to lingua, whose low-accuracy models are small and still tell most short texts apart.
Names do not count: "Los Angeles or Las Vegas?" is English.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from lingua import LanguageDetector

#: A text is English without further doubt if at least this share of its words is known.
ENGLISH_SHARE = 0.6
#: A language is named to the person if the identification is at least this likely.
NAMED = 0.5
#: A text is foreign if its likeliest language is this many times as likely as English.
CLEARLY = 2.0
#: A text with less than this share of Latin letters is not English.
LATIN = 0.7

#: Punctuation of a single language, more certain than the identification of a short text.
_MARKS = {"¿": "Spanish", "¡": "Spanish"}

#: What a short follow-up begins with.
_JOINTS = frozenset({"and", "also", "plus", "but"})
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_FILE = re.compile(r"\S*(?:/\S+|\w\.\w{2,4}\b)\S*")


def foreign_language(text: str, is_known: Callable[[str], bool]) -> str | None:
    """Return the name of a text's language, an empty string if it is unclear which, or None.

    Args:
        text: A normalised request.
        is_known: Whether a word in lower case is a common English word.

    Returns:
        None for English, and for texts that are too short or strange to tell.
    """
    words = _WORD.findall(_FILE.sub(" ", text))
    if not words:
        return None
    letters = "".join(words)
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    if latin >= LATIN * len(letters):
        common = [word for word in words if not word[0].isupper() or is_known(word.lower())]
        known = sum(is_known(word.lower()) for word in common)
        if len(words) < 2 or (common and known >= ENGLISH_SHARE * len(common)):
            return None
        if not common and len(words) < 3:
            return None  # names alone
        if len(words) == 2 and words[0].lower() in _JOINTS:
            return None  # "and geese"
    return _identified(text, latin < LATIN * len(letters))


def _identified(text: str, other_letters: bool) -> str | None:
    if marked := next((_MARKS[letter] for letter in text if letter in _MARKS), None):
        return marked
    likely = _detector().compute_language_confidence_values(text)
    best = likely[0]
    english = next(each.value for each in likely if each.language.name == "ENGLISH")
    if best.language.name == "ENGLISH" or best.value < CLEARLY * english:
        return "" if other_letters else None
    return best.language.name.title() if best.value >= NAMED else ""


def notice(language: str) -> str:
    """Return, in a language's own words, that only English is read, and by what it would be.

    Args:
        language: English name of the language; words in English follow in any case.
    """
    name = language or "another language"
    english = (
        f"The request looks like {name}; the embedded planner reads English. "
        "Write it in English, or configure a chat model (EDGEWRIGHT_CHAT_MODEL), which reads it."
    )
    own = _notices().get(language)
    return f"{own} ({english})" if own else english


@cache
def _notices() -> dict[str, str]:
    text = (files("edgewright.agents.text") / "languages.yaml").read_text("utf-8")
    notices: dict[str, str] = yaml.load(text, Loader=yaml.CSafeLoader)
    return notices


@cache
def _detector() -> LanguageDetector:
    from lingua import Language, LanguageDetectorBuilder

    chosen = [getattr(Language, name.upper()) for name in ("English", *_notices())]
    return LanguageDetectorBuilder.from_languages(*chosen).with_low_accuracy_mode().build()
