"""Reads whom differential privacy is to protect: single samples, persons or whole clients."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from edgewright.agents.fl_coder.constraints.amounts.features import Encoded, encoded
from edgewright.agents.fl_coder.constraints.amounts.phrases import Said
from edgewright.agents.fl_coder.constraints.amounts.reader import units_said

Unit = Literal["sample", "person", "client"]
#: From the weakest protection to the strongest.
UNITS: tuple[Unit, ...] = ("sample", "person", "client")

#: Without any of these words a text is not about privacy, whatever it resembles.
MAY_CONCERN = re.compile(
    r"priva|differential|\bdp\b|dp-|epsilon|\beps\b|\u03b5|delta|confiden|anonym|nois|protect"
    r"|guarantee|secre|sensitiv|leak|reveal|identif|hid|conceal|expos|trace|infer|disclos"
    r"|indistinguish|unit|whether|plausib|\bden[iy]|find out|work out|tell|visible|budget|shield"
    r"|cover|gdpr|safe|blur|know if|adding or removing|neighbou?ring",
    re.IGNORECASE,
)
#: Maximum number of sentences in which those beside the ones about privacy may belong to them.
_FEW = 3
#: Probability from which a sentence is not about privacy, and surely has nothing to do with it.
_NOT_PRIVATE, _UNRELATED = 0.5, 0.9
#: Minimum ratio of the probability of a stronger unit to that of the likeliest one for it to count.
_CLOSE = 0.8


@dataclass(frozen=True)
class StatedUnit:
    """What differential privacy is to protect.

    Attributes:
        unit: The unit; ``client``, which protects most, if the words name none.
        words: The words that speak of privacy; empty if none do.
        required: Probability that the words require privacy, 0 to 1.
        sure: Whether no other unit is nearly as likely.
    """

    unit: Unit
    words: str
    required: float
    sure: bool


def read_unit(text: Encoded) -> StatedUnit:
    """Read whom privacy is to protect, and whether it is required at all.

    If the words ask for several units, or leave two of them open, the strongest of them counts.
    """
    said = units_said(text)
    if not said:
        return StatedUnit("client", "", required=0.0, sure=True)
    order = range(len(said))
    private = [i for i in order if said[i]["none"] < _NOT_PRIVATE]
    related = _UNRELATED if len(said) <= _FEW else _NOT_PRIVATE
    passage = [i for i in order if said[i]["none"] < related]
    passage = passage or [min(order, key=lambda i: said[i]["none"])]
    of_passage = said[passage[0]]
    if len(passage) > 1:
        joined = " ".join(text.sentences[i] for i in passage)
        of_passage = units_said(encoded([joined]))[0]
    shares = _shares(of_passage)
    likeliest = max(shares.values())
    close = [unit for unit in UNITS if shares[unit] >= _CLOSE * likeliest]
    words = ", ".join(text.sentences[i].strip(" .;!?") for i in private)
    return StatedUnit(close[-1], words, 1 - of_passage["none"], len(close) == 1)


def _shares(said: dict[Said, float]) -> dict[Unit, float]:
    """Return the probability of each unit; where none is named, it is the client."""
    return {
        "sample": said["sample"],
        "person": said["person"],
        "client": said["client"] + said["unnamed"],
    }
