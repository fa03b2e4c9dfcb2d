"""Forms of English nouns: plurals, singulars, articles, numbers in words."""

from __future__ import annotations

import re

_IRREGULAR = {
    "people": "person",
    "persons": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "geese": "goose",
    "wolves": "wolf",
    "knives": "knife",
    "leaves": "leaf",
    "shelves": "shelf",
    "calves": "calf",
    "feet": "foot",
    "teeth": "tooth",
    "oxen": "ox",
    "buses": "bus",
    "lenses": "lens",
}
#: Nouns that are the same in plural, have none, or are always in plural.
_SAME = frozenset(
    {"sheep", "fish", "cattle", "broccoli", "coffee", "food", "cutlery", "furniture", "water"}
    | {"grass", "sky", "snow", "trousers", "pants", "jeans", "shorts", "scissors", "skis"}
)
#: What a single one of them is called.
_PORTION = re.compile(r"^(?:pair|piece) of ")
_NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
_VALUES = {word: value for value, word in enumerate(_NUMBERS)} | {"zero": 0, "single": 1}
_VOWELS = "aeiou"
#: Words that begin with the sound of "you" or a silent h.
_ARTICLES = {"unicorn": "a", "uniform": "a", "hour": "an", "one": "a", "ewe": "a"}


def singulars(noun: str) -> tuple[str, ...]:
    """Return the forms that may be a noun's singular, the noun itself first."""
    head, _, last = noun.rpartition(" ")
    forms = [last]
    if last in _IRREGULAR:
        forms.append(_IRREGULAR[last])
    if last.endswith("ies"):
        forms.append(last[:-3] + "y")
    if last.endswith("ves"):
        forms.append(last[:-3] + "f")
    if last.endswith("es"):
        forms.append(last[:-2])
    if last.endswith("s") and not last.endswith("ss"):
        forms.append(last[:-1])
    return tuple(f"{head} {form}" if head else form for form in forms)


def plural(noun: str) -> str:
    """Return the plural, by the last word: irregular if it is listed, otherwise regular."""
    portion = _PORTION.match(noun)
    if portion or noun in _SAME:
        return noun[portion.end() :] if portion else noun
    head, _, last = noun.rpartition(" ")
    return f"{head} {_plural(last)}" if head else _plural(last)


def _plural(noun: str) -> str:
    for form, singular in _IRREGULAR.items():
        if singular == noun and form != "persons":
            return form
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in _VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


def with_article(noun: str) -> str:
    """Return a noun after its indefinite article."""
    first = noun.split()[0].lower()
    article = _ARTICLES.get(first, "an" if first[:1] in _VOWELS else "a")
    return f"{article} {noun}"


def number_word(number: int) -> str:
    """Return a small number in words, a larger one in digits."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)


def number_of(word: str) -> int | None:
    """Return the value of a number in words or digits; None if it is none."""
    return int(word) if word.isdecimal() and len(word) < 7 else _VALUES.get(word)


def listed(parts: list[str], joint: str = "and") -> str:
    """Join parts as in a sentence: ``a, b and c``."""
    return f" {joint} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
