"""Answers: a sentence, a short answer, how certain it is, and the evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edgewright.tools.contracts.perceptions import Perceptions
from edgewright.tools.errors import RefusedError

#: Certainty in words by the lowest score that earns it; the shares of right answers that stand
#: behind each word are measured by ``make bench-experts`` on the development half.
_CERTAINTY = ((1.0, "certain"), (0.8, "very probable"), (0.5, "probable"), (0.0, "possible"))
#: Score of what is measured rather than recognised, such as an image's size.
MEASURED = 1.0


@dataclass(frozen=True)
class Comparison:
    """How an image takes part in a comparison with others.

    Attributes:
        measure: The greatest wins.
        best: What is said of the image that wins: "has the most people".
    """

    measure: float
    best: str


@dataclass(frozen=True)
class Answer:
    """An answer with its evidence.

    Attributes:
        text: One sentence for a person.
        short: The answer in a word: ``yes``, ``no``, a number, a colour, a name, or ``none`` if
            what the question takes for granted is not there.
        score: How strongly the evidence supports it, 0 to 1.
        perceptions: What it rests on; None without boxes or text.
        comparison: For a question that compares images; None for another.
    """

    text: str
    short: str
    score: float
    perceptions: Perceptions | None = None
    comparison: Comparison | None = None

    @property
    def certainty(self) -> str:
        """How certain it is, in words."""
        return next(word for least, word in _CERTAINTY if self.score >= least)

    def output(self) -> dict[str, Any]:
        """Return JSON values."""
        shown: dict[str, Any] = {"text": self.text, "answer": self.short}
        shown |= {"score": round(self.score, 4), "certainty": self.certainty}
        if self.comparison is not None:
            shown["comparison"] = asdict(self.comparison)
        if self.perceptions is not None:
            shown["perceptions"] = self.perceptions.model_dump(mode="json", exclude_none=True)
        return shown


def hedged(score: float) -> str:
    """Return the adverb that goes with a score: "Probably"; empty for what is measured."""
    if score >= _CERTAINTY[0][0]:
        return ""
    words = {"very probable": "very probably", "probable": "probably", "possible": "perhaps"}
    return words[next(word for least, word in _CERTAINTY[1:] if score >= least)]


def refusal(reason: str, instead: str) -> RefusedError:
    """Return the error for a question that this image does not answer.

    Args:
        reason: Why not, as a clause.
        instead: What to ask instead, after "ask".
    """
    return RefusedError(f"{reason}; ask {instead}")
