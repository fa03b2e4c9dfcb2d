"""Conditions: what has to hold of earlier results for a task to run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ResultField = Literal["answer", "label", "count", "text"]
Operator = Literal["equals", "not", "at_least", "at_most", "contains"]

_NUMBER = re.compile(r"\d+")
#: Number words as counts are spoken.
NUMBERS = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "hundred": 100}
_WORD = re.compile(r"[\w'-]+")
_WORDED: dict[Operator, str] = {
    "equals": "is",
    "not": "is not",
    "at_least": "is at least",
    "at_most": "is at most",
    "contains": "contains",
}


class Check(BaseModel):
    """A test of one field of an earlier task's result.

    Attributes:
        task: Id of the earlier task.
        field: ``answer`` (yes or no), ``label`` (name of the main subject), ``count`` or ``text``.
        op: How the field is compared with the value. For names and words, ``equals`` compares
            the whole field, and ``not`` is the opposite of ``contains``.
        value: ``yes`` or ``no``, a name, a number or words; letter case does not matter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    field: ResultField
    op: Operator
    value: str = Field(min_length=1, max_length=200)

    @property
    def wording(self) -> str:
        """The check in words, such as "t1 is yes"."""
        return f"{self.task} {_WORDED[self.op]} {self.value}"

    def holds(self, output: Mapping[str, Any]) -> bool | None:
        """Return whether the check holds for an output; None if the output does not say."""
        if self.field == "count":
            return self._compared(count_in(output))
        if self.field == "answer":
            found = answer_in(output)
            return None if found is None else (found == self.value.lower()) == (self.op != "not")
        said = str(output.get("text" if self.field == "text" else "label") or "").lower()
        if not said:
            return None
        words, wanted = _WORD.findall(said), _WORD.findall(self.value.lower())
        within = any(words[start : start + len(wanted)] == wanted for start in range(len(words)))
        same = words == wanted if self.op == "equals" else within
        return same != (self.op == "not")

    def _compared(self, count: int | None) -> bool | None:
        if count is None or not self.value.isdecimal():
            return None
        value = int(self.value)
        compare: dict[Operator, Callable[[int, int], bool]] = {
            "equals": int.__eq__,
            "not": int.__ne__,
            "at_least": int.__ge__,
            "at_most": int.__le__,
            "contains": int.__eq__,
        }
        return compare[self.op](count, value)


class Condition(BaseModel):
    """Checks of earlier results that decide whether a task runs.

    Attributes:
        match: Whether ``all`` checks have to hold, or ``any`` of them.
        checks: The checks, at least one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Literal["all", "any"] = "all"
    checks: tuple[Check, ...] = Field(min_length=1, max_length=10)

    @property
    def wording(self) -> str:
        """The condition in words, such as "t1 is yes and t2 is no"."""
        joint = " and " if self.match == "all" else " or "
        return joint.join(check.wording for check in self.checks)

    def holds(self, outputs: Mapping[str, Mapping[str, Any]]) -> bool | None:
        """Decide the condition.

        Args:
            outputs: Outputs of the tasks that succeeded, by task id.

        Returns:
            None if it cannot be decided: a result is missing, or does not say.
        """
        found = [
            check.holds(outputs[check.task]) if check.task in outputs else None
            for check in self.checks
        ]
        decisive = self.match == "any"
        if decisive in found:
            return decisive
        return None if None in found else not decisive


def answer_in(output: Mapping[str, Any]) -> str | None:
    """Return ``yes`` or ``no`` if an output says so, else None."""
    if "answer" in output:
        answer = str(output["answer"]).lower()
        return answer if answer in ("yes", "no") else None
    first = _WORD.search(str(output.get("text", "")).lower())
    return first[0] if first and first[0] in ("yes", "no") else None


def count_in(output: Mapping[str, Any]) -> int | None:
    """Return the number that an output gives, else None."""
    if isinstance(output.get("count"), int):
        return int(output["count"])
    text = str(output.get("answer") or output.get("text", "")).lower()
    if digits := _NUMBER.search(text):
        return int(digits[0])
    return next((NUMBERS[word] for word in _WORD.findall(text) if word in NUMBERS), None)
