"""Reads how many clients may be hostile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from edgewright.agents.fl_coder.constraints.amounts.reader import Amount
from edgewright.agents.fl_coder.constraints.amounts.values import hostile_clients
from edgewright.agents.fl_coder.constraints.denials import DENIED, DISMISSED
from edgewright.agents.fl_coder.constraints.places import Place

HOSTILE = re.compile(
    r"\b(?:malicious|hostile|byzantine|adversar\w*|attack(?:s|ed|ers?|ing)?|poison\w*|"
    r"compromised|hacked|evil|dishonest|traitors?|sabotag\w*|saboteurs?|tamper\w*|cheat\w*|lying|"
    r"lies?|liars?|rogue|infected|hijacked|manipulat\w*|bad\s+actors?|spoil\w*|backdoors?|"
    r"taken\s+over|corrupted|foreign\s+control|garbage|untrustworthy|crook(?:s|ed)?|dodgy|conspir\w*|"
    r"rubbish|junk|bogus|falsif\w*|(?:on\s+purpose|deliberate\w*)|dirty|"
    r"turned\s+against\s+us|ruin\w*|wreck\w*|undermin\w*|subvert\w*|collud\w*|"
    r"label[\s-]?flip\w*|flip\w*\s+(?:their\s+|the\s+)?labels)\b",
    re.IGNORECASE,
)
#: What attackers and those that are like them are called.
ATTACKERS = re.compile(
    r"attackers?|adversar(?:y|ies)|byzantines?|traitors?|saboteurs?|liars?|cheaters?|"
    r"cheats?|crooks?|hackers?|villains?|intruders?|crooked|dodgy|corrupt(?:ed)?|cheating|lying|"
    r"malicious|hostile|evil|rogue|dishonest|compromised|hacked|poisoned|adversarial|infected|bad",
    re.IGNORECASE,
)
#: Words that speak of some attackers without a number.
VAGUE = re.compile(
    r"\b(?:some|a\s+few|few|several|many|a\s+number\s+of|a\s+handful\s+of|multiple|various|"
    r"a\s+minority|a\s+majority|most|an\s+unknown\s+number)\b",
    re.IGNORECASE,
)
#: Words between groups of hostile clients, which count together.
_AND_OTHERS = re.compile(
    r"\b(?:plus|as\s+well\s+as|in\s+addition(?:\s+to)?|and\s+another|besides|on\s+top\s+of\s+(?:that|"
    r"these|those|them)|additionally|further)\b",
    re.IGNORECASE,
)
#: Attackers of another kind.
_SPORT = re.compile(
    r"\battackers?\s+(?:and|or|,)\s+(?:\w+\s+)?(?:defenders?|midfielders?|goal-?keepers?)\b",
    re.IGNORECASE,
)


#: What people do to others than the training: "neighbours cheat each other".
_AMONG_THEM = re.compile(
    r"\b(?:cheat|attack|fight|tease)\w*\s+(?:each\s+other|one\s+another)\b", re.I
)
#: What a number of some of those spoken of before is followed by.
_OF_THEM = re.compile(r"^\s*of\s+(?:them|these|those|whom|which)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Hostile:
    """How many clients may be hostile.

    Attributes:
        count: The largest number that the words allow; None if they give no number.
        words: The words that state it.
        places: Where the numbers that were read stand.
    """

    count: int | None
    words: str
    places: tuple[Place, ...] = ()


def read_hostile(amounts: Sequence[Amount], clients: int) -> Hostile | None:
    """Read the largest number of hostile clients. Return None if the words speak of none.

    Args:
        amounts: What the quantities of a text stand for.
        clients: Number of clients.
    """
    stated = [each for each in amounts if each.role in ("attackers", "honest")]
    best: Hostile | None = None
    places: list[Place] = []
    for sentence, group in groupby(stated, key=lambda each: each.mention.place.sentence):
        together = list(group)
        # Of "ten clinics, two of them hostile", the two count.
        some = [e for e in together if _OF_THEM.search(sentence[e.mention.place.end :])]
        together = some or together
        counts = [hostile_clients(each.mention, each.role, clients) for each in together]
        counts = [each for each in counts if each is None or (each >= 1 and each != clients)]
        if not counts or is_dismissed(sentence):
            continue
        places += [each.mention.place for each in together]
        known = [each for each in counts if each is not None]
        is_open = any(
            each.mention.bound in ("least", "above") and each.role == "attackers"
            for each in together
        )
        most = (sum if _AND_OTHERS.search(sentence) else max)(known) if known else None
        found = Hostile(None if is_open else most, sentence.rstrip(" .;!?"))
        if best is None or is_open or (found.count or 0) > (best.count or 0):
            best = found
    return Hostile(best.count, best.words, tuple(places)) if best else None


def is_dismissed(sentence: str) -> bool:
    """Return whether a sentence says that hostile clients are no matter of the training."""
    return bool(DISMISSED.search(sentence) or _AMONG_THEM.search(sentence))


def of_hostile(clause: str) -> bool:
    """Return whether a clause speaks of hostile clients, and not of players."""
    return bool(HOSTILE.search(clause)) and not _SPORT.search(clause)


def denied(sentence: str) -> bool:
    """Return whether a sentence says that something is not so."""
    return bool(DENIED.search(sentence))
