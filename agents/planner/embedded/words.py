"""The text of a request as the encoder reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgewright.agents.planner.embedded.grammar.clauses import Clause
from edgewright.agents.planner.embedded.mentions import masked


@dataclass(frozen=True)
class Words:
    """The text of a request as the encoder reads it.

    Attributes:
        whole: The whole request.
        clauses: Its clauses; at least one.
    """

    whole: str
    clauses: tuple[str, ...]

    @classmethod
    def of(cls, request: str, clauses: Sequence[Clause]) -> Words:
        """Mask what would mislead the encoder. A single clause is the whole request."""
        whole = masked(request).strip()
        if len(clauses) < 2:
            return cls(whole=whole, clauses=(whole,))
        return cls(whole, tuple(masked(clause.text).strip() for clause in clauses))
