"""Checks that what a chat model says of a result is in the result: labels, numbers, names, yes/no.

Every word that says something must be one of the result or of the request.

The check is strict rather than clever: a true sentence that it does not understand gives way to the
template's wording, which says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_TWO_TO_TWELVE = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_NUMBER_WORDS = {word: float(value) for value, word in enumerate(_TWO_TO_TWELVE, start=2)}
_MAX_NUMBER = 1e15
_NEGATIONS = frozenset({"no", "not", "none", "nothing", "neither", "never", "without"})
#: Words that begin with a capital letter without being names.
_PLAIN = frozenset({"I", "It", "The", "Yes", "No", "OK"})
#: Words that a statement may use besides those of its result and of the request: they word a result
#: and add nothing to it.
_WORDING = frozenset(
    re.findall(
        r"\S+",
        """
    a about above all also although an and any appear appears are as at based be because been below
    best both but by can cannot certain certainty clearly confidence confident could definitely
    depict depicted depicts detected does done each either else estimate every expert fairly few
    for found from further give given gives had has have here how i identified image in indeed
    indicate indicates into is isn't aren't it its itself just kind labelled labeled least less lies
    like likely looks main mainly may maybe me might model more most mostly much must nearly of on
    one only or other out over part per percent percentage perhaps photo photograph picture
    pictured possible possibly present probability probable probably quite rather read reads
    recognised recognized result results same say says scene score scored see seem seems seen
    several should show showing shown shows so some such suggest suggests sure task than that the
    their them then there these they thing this those to together tool top under unclear unlikely
    up very visible was we were what when where which while who whole with within would yes you
    your contain contains consist consists include includes labels label written text
    """,
    )
)


def is_supported(text: str, output: dict[str, Any], request: str) -> bool:
    """Return whether a statement says nothing beyond a result.

    Args:
        text: The statement.
        output: The result's output.
        request: The user's words, which may be repeated.
    """
    values = list(_leaves(output))
    said = " ".join([*(value for value in values if isinstance(value, str)), request])
    return (
        _numbers(text) <= _known_numbers(values, said)
        and _names(text) <= set(map(str.lower, _WORD.findall(said)))
        and _content(text) <= {_stem(word) for word in _words(said)}
        and _says_label(text, output)
        and _agrees(text, str(output.get("text", "")))
    )


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _numbers(text: str) -> set[float]:
    digits = {float(number.replace(",", ".")) for number in _NUMBER.findall(text)}
    words = {_NUMBER_WORDS[word] for word in _WORD.findall(text.lower()) if word in _NUMBER_WORDS}
    return digits | words


def _known_numbers(values: list[Any], said: str) -> set[float]:
    """Return the numbers of a result: as they are, rounded, and as percentages."""
    known = _numbers(said)
    for value in values:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and abs(value) < _MAX_NUMBER:
            known |= {round(scale * value, digits) for scale in (1, 100) for digits in (0, 1, 2)}
            known.add(float(value))
    return known


def _names(text: str) -> set[str]:
    """Return the words with a capital letter that do not begin a sentence, in lower case."""
    found = set()
    for sentence in re.split(r"(?<=[.!?:])\s+", text):
        words = _WORD.findall(sentence)
        found |= {word.lower() for word in words[1:] if word[0].isupper() and word not in _PLAIN}
    return found


def _content(text: str) -> set[str]:
    """Return the words that say something, without their ending in the plural."""
    wording = _WORDING | _NEGATIONS | _NUMBER_WORDS.keys()
    return {_stem(word) for word in _words(text) if word not in wording}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    ending = "es" if word.endswith(("ses", "xes", "ches", "shes")) else "s"
    return word.removesuffix(ending) if len(word) > 3 and not word.endswith("ss") else word


def _says_label(text: str, output: dict[str, Any]) -> bool:
    """Return whether the best label is named, if the result has labels."""
    labels = output.get("labels")
    if not isinstance(labels, list) or not labels or not isinstance(labels[0], dict):
        return True
    names = str(labels[0].get("label", "")).lower().replace("_", " ").split(",")
    return any(name.strip() and name.strip() in text.lower() for name in names)


def _agrees(text: str, result: str) -> bool:
    """Return whether a statement says yes or no as the result does."""
    answer = _polarity(result)
    return answer is None or _polarity(text) is answer


def _polarity(text: str) -> bool | None:
    words = _words(text)
    if words[:1] == ["yes"]:
        return True
    if words[:1] == ["no"]:
        return False
    negated = any(word in _NEGATIONS or word.endswith("n't") for word in words)
    return False if negated and words else None
