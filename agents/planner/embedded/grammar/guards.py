"""Questions about images whose answers decide what is done, and the answers that count."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgewright.agents.planner.condition import Operator, ResultField
from edgewright.agents.planner.embedded.grammar.quantities import OPPOSITE, Quantity


@dataclass(frozen=True)
class Premise:
    """A question about an image, and the answer that makes a condition true.

    Attributes:
        question: The question.
        field: ``answer`` for yes or no, ``count`` for a number.
        op: Comparison of the answer with the value.
        value: ``yes``, ``no`` or a number.
    """

    question: str
    field: ResultField = "answer"
    op: Operator = "equals"
    value: str = "yes"

    def negated(self) -> Premise:
        """Return the premise that holds when this one does not."""
        if self.field == "answer":
            return replace(self, value="no" if self.value == "yes" else "yes")
        number = int(self.value)
        if self.op == "at_least":
            return replace(self, op="at_most", value=str(number - 1))
        if self.op == "at_most":
            return replace(self, op="at_least", value=str(number + 1))
        return replace(self, op="not" if self.op == "equals" else "equals")


#: Comparisons of a count that say that there is none.
_NONE = (("at_most", "0"), ("equals", "0"))


@dataclass(frozen=True)
class Guard:
    """Premises, all or any of which have to hold.

    Attributes:
        premises: At least one.
        any: Whether one of them is enough.
        paired: Whether each is about an image of its own, in order.
        over: Of several images, whether they have to hold of ``some`` or of ``every`` one, or of
            ``each`` by itself for what is done with that one.
    """

    premises: tuple[Premise, ...]
    any: bool = False
    paired: bool = False
    over: Quantity = "some"

    def affirmed(self) -> Guard:
        """Return the guard of what "if it is" says: that what is asked about is so.

        After "if there is no dog, skip it", "if there is" is the opposite of that condition.
        """
        denied = all(
            each.value == "no" or (each.field == "count" and (each.op, each.value) in _NONE)
            for each in self.premises
        )
        return self.negated() if denied else self

    def negated(self) -> Guard:
        """Return the guard that holds when this one does not (De Morgan)."""
        return replace(
            self,
            premises=tuple(each.negated() for each in self.premises),
            any=not self.any and len(self.premises) > 1,
            over=OPPOSITE[self.over],
        )
