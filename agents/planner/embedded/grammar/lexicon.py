"""The word classes of ``lexicon.yaml``, and the forms that are written with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_CLASS = re.compile(r"(?<!\?P)<([a-z_|]+)>")
#: Parts that several entries of a word class share.
_PARTS = {
    "if_it": r"(?:if|when|whenever|should|suppos(?:e|ing)|assum(?:e|ing))\s+"
    r"(?:it|that|there|they|he|she|someone|somebody|anyone|anybody)",
    "goes_on": r"(?!'t)(?=\s*(?:[,.:;!?\u2205]|then\b|$)|\s+(?:i|we|just|please|tell|describe"
    r"|caption|classify|count|what|how|where)\b)",
}


@cache
def words(name: str) -> tuple[str, ...]:
    """Return the entries of a word class."""
    return tuple(read_grammar("lexicon")[name])


@cache
def any_of(*names: str) -> str:
    """Return a regular expression that matches an entry of the word classes, the longest first."""
    entries = sorted((entry for name in names for entry in words(name)), key=len, reverse=True)
    joined = "|".join(entry.replace(" ", r"\s+") for entry in entries)
    return f"(?:{_CLASS.sub(lambda match: _PARTS[match[1]], joined)})"


@cache
def read_grammar(name: str) -> dict[str, Any]:
    """Return the content of a file of this folder."""
    folder = files("edgewright.agents.planner.embedded.grammar")
    content: dict[str, Any] = yaml.load(
        (folder / f"{name}.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader
    )
    return content


def expanded(form: str, definitions: Mapping[str, str]) -> str:
    """Return a form as a regular expression.

    Args:
        form: A regular expression in which ``<name>`` or ``<one|other>`` stands for a definition or
            for word classes. White space in it has no meaning.
        definitions: Forms by name.
    """

    def meaning(match: re.Match[str]) -> str:
        name = match[1]
        if name in definitions:
            return expanded(definitions[name], definitions)
        return any_of(*name.split("|"))

    return _CLASS.sub(meaning, re.sub(r"\s+", "", form))
