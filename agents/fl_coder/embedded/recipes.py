"""The recipe book: named code templates for each slot, with numbers to fill in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

import yaml

from edgewright.tools.federated.records.candidate import Candidate, CodeSlot

_PLACEHOLDER = re.compile(r"\\\$(\w+)")
_NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"


@dataclass(frozen=True)
class SlotRecipe:
    """A code template for one slot.

    Attributes:
        slot: The slot.
        name: Its name in the book.
        source: The code, with ``$name`` as a placeholder for a number.
    """

    slot: CodeSlot
    name: str
    source: str

    def write(self, **numbers: float) -> str:
        """Return the code with its numbers filled in."""
        return Template(self.source).substitute(
            {name: f"{value:g}" for name, value in numbers.items()}
        )

    def read(self, code: str) -> dict[str, float] | None:
        """Return the numbers in code that this recipe wrote; None if it did not write it."""
        seen: set[str] = set()

        def group(match: re.Match[str]) -> str:
            name = match[1]
            repeated = name in seen
            seen.add(name)
            return f"(?P={name})" if repeated else f"(?P<{name}>{_NUMBER})"

        pattern = _PLACEHOLDER.sub(group, re.escape(self.source))
        found = re.fullmatch(pattern, code)
        return {name: float(text) for name, text in found.groupdict().items()} if found else None


@cache
def book() -> dict[tuple[str, str], SlotRecipe]:
    """Return all recipes by slot and name."""
    text = (files("edgewright.agents.fl_coder.embedded") / "recipes.yaml").read_text("utf-8")
    stored = yaml.load(text, Loader=yaml.CSafeLoader)
    return {
        (slot, name): SlotRecipe(slot, name, source)
        for slot, recipes in stored.items()
        for name, source in recipes.items()
    }


def write(slot: CodeSlot, name: str, **numbers: float) -> str:
    """Return the code of a recipe."""
    return book()[slot, name].write(**numbers)


def read(candidate: Candidate, slot: CodeSlot) -> tuple[str, dict[str, float]]:
    """Find the recipe that wrote a slot of a candidate.

    Returns:
        The recipe's name and numbers; an empty name if the code is not from the book.
    """
    code = candidate.code(slot)
    for (its_slot, name), recipe in book().items():
        if its_slot == slot and (numbers := recipe.read(code)) is not None:
            return name, numbers
    return "", {}
