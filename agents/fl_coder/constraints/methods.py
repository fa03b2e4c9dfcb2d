"""Reads which methods a person names, and what cannot be held."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.amounts.reader import Amount
from edgewright.agents.fl_coder.constraints.denials import DISMISSED
from edgewright.agents.fl_coder.constraints.places import Place, sentences

#: Words for FedProx, whose weight is usually 0.1.
PROXIMAL = re.compile(r"\bfed[\s-]?prox\b|\bproximal\b", re.IGNORECASE)
_NOT_PROXIMAL = re.compile(
    r"\b(?:no|not|without|avoid|never|don't)\s+(?:\w+\s+){0,2}$", re.IGNORECASE
)
USUAL_WEIGHT = 0.1
_LARGEST_WEIGHT = 10.0
#: What cannot be held, and what to do instead.
_REFUSED = (
    (
        re.compile(
            r"\b(?:recall|precision|sensitivity|specificity|f1)\b", re.IGNORECASE
        ),
        "training neither aims nor stops at it; it aims at accuracy over all classes, and the "
        "model's recall must be measured before use",
    ),
    (
        re.compile(
            r"\b(?:equal\w*|fair\w*|same\s+accuracy|balanced)\b[^.;]{0,30}\b(?:over|across|between|"
            r"for\s+all|among)\b",
            re.IGNORECASE,
        ),
        "the data do not say which group a sample belongs to, so it can be neither trained for nor "
        "measured; partition by an attribute, so that the worst client is reported",
    ),
    (
        re.compile(
            r"\b(?:fed-?nova|fed-?ada-?grad|moon|feddc|fedbn|fed-?per)\b",
            re.IGNORECASE,
        ),
        "it is not available; the strategies are FedAvg, FedProx, FedAvgM, FedAdam, FedYogi, "
        "SCAFFOLD, FedDyn, the trimmed mean, the median, Krum and Multi-Krum",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class StatedProximal:
    """FedProx, with its weight and where that stands.

    Attributes:
        weight: The usual one if the words give none.
        places: Where the number stands.
    """

    weight: float
    places: tuple[Place, ...] = ()


def read_proximal(text: str, amounts: Sequence[Amount]) -> StatedProximal | None:
    """Read FedProx's weight. Return None if FedProx is neither named nor weighted.

    Args:
        text: The person's words.
        amounts: What the quantities in them stand for.
    """
    stated = [
        each.mention
        for each in amounts
        if each.role == "proximal" and 0 < each.mention.low <= _LARGEST_WEIGHT
    ]
    if stated:
        return StatedProximal(stated[0].share[0], (stated[0].place,))
    named = any(
        match and not _NOT_PROXIMAL.search(sentence[: match.start()])
        for sentence in sentences(text)
        for match in [PROXIMAL.search(sentence)]
    )
    return StatedProximal(USUAL_WEIGHT) if named else None


def read_refused(text: str) -> list[tuple[str, str]]:
    """Return the sentences of a text that ask for what cannot be held, each with the reason."""
    return [
        (sentence.strip(" .;!?"), reason)
        for sentence in sentences(text)
        for pattern, reason in _REFUSED
        if pattern.search(sentence) and not DISMISSED.search(sentence)
    ]
