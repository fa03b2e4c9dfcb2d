"""The phrases that the reader of quantities and of units of privacy learns from.

In a phrase, ``{four|attackers}`` marks a quantity and what it stands for; unmarked quantities stand
for nothing that training holds. Words without a quantity can be marked too, where they speak of
hostile clients. Short phrases are also learned as parts of longer sentences, and passages about
privacy with other nouns and with sentences about other things beside them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import yaml

from edgewright.agents.fl_coder.constraints.amounts.mentions import Mention, find_mentions
from edgewright.agents.fl_coder.constraints.amounts.values import ROLES, Role
from edgewright.agents.fl_coder.constraints.nouns import CLIENT, PERSON, SAMPLE
from edgewright.agents.fl_coder.constraints.places import sentences

#: What a passage says of privacy: nothing, the unit that is to be protected, or no unit.
Said = Literal["none", "sample", "person", "client", "unnamed"]
SAID: tuple[Said, ...] = get_args(Said)

#: Number of clients where a phrase does not say.
CLIENTS = 20
#: Number of variants of a passage about privacy.
VARIANTS = 2

_MARK = re.compile(r"\{(?P<words>[^|{}]*)\|(?P<role>\w+)\}")
_CLIENTS = re.compile(r"^(\d+): ")
#: Maximum number of words of a phrase in a list, and what stands between phrases.
_SHORT = 12
_BETWEEN = (", ", ", and ", " and ", ", with ", ", but ", "; also ")
_PRIVACY = re.compile(r"priva|differential|\bdp\b|epsilon|delta", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(?P<article>an?)\s+(?=(?P<letter>[a-z]))", re.IGNORECASE)


@dataclass(frozen=True)
class AmountPhrase:
    """A phrase with what its quantities stand for.

    Attributes:
        words: The phrase.
        marks: Start, end and role of each marked quantity.
        clients: Number of clients.
    """

    words: str
    marks: tuple[tuple[int, int, Role], ...]
    clients: int

    @property
    def is_hostile(self) -> bool:
        """Whether the phrase says that clients may be hostile."""
        return any(role in ("attackers", "honest") for _, _, role in self.marks)

    def mentions(self) -> Iterator[tuple[Mention, Role]]:
        """Yield the quantities of the phrase with what they stand for."""
        offset = 0
        for sentence in sentences(self.words):
            offset = self.words.index(sentence, offset)
            for mention in find_mentions(sentence):
                start, end = mention.place.start + offset, mention.place.end + offset
                roles = [role for a, b, role in self.marks if start < b and a < end]
                yield mention, roles[0] if roles else "none"


@dataclass(frozen=True)
class Phrases:
    """Everything that is learned from.

    Attributes:
        amounts: Phrases with quantities.
        units: Passages with the unit of privacy that they name.
    """

    amounts: list[AmountPhrase]
    units: list[tuple[str, Said]]


def load_phrases(source: bytes, *, variants: int = VARIANTS) -> Phrases:
    """Return the phrases of a file, and variants of its passages about privacy."""
    stored = yaml.load(source, Loader=yaml.CSafeLoader)
    rng = random.Random(0)  # noqa: S311
    nouns = _Nouns(stored["nouns"])
    amounts = [_parsed(line) for line in stored["amounts"]]
    lists = [_parsed(line) for line in _joined(stored["amounts"], rng)]
    plain = [each.words for each in amounts if not _is_private(each)]
    units: list[tuple[str, Said]] = []
    for said in SAID:
        for line in stored["units"][said]:
            units.append((line, said))
            for number in range(variants):
                variant, beside = nouns.swapped(line, rng), rng.choice(plain)
                joined = [variant, f"{variant} {beside}", f"{beside} {variant}"]
                units.append((joined[rng.randrange(3) if number else 0], said))
    units += [(words, "none") for words in rng.sample(plain, len(plain) // 3)]
    units += [
        (each.words, "unnamed") for each in amounts if _has_budget(each) and not _names_unit(each)
    ]
    return Phrases(amounts + lists, units)


def _joined(lines: list[str], rng: random.Random) -> Iterator[str]:
    """Yield sentences that list several short phrases, each of which stands for itself."""
    short = [
        line.rstrip(".!?") for line in lines
        if len(line.split()) <= _SHORT and not _CLIENTS.match(line) and ". " not in line
    ]  # fmt: skip
    rng.shuffle(short)
    while len(short) > 3:
        parts = [short.pop() for _ in range(rng.randint(2, 3))]
        first, *others = parts
        yield first + "".join(rng.choice(_BETWEEN) + _uncapitalised(each) for each in others) + "."


def _uncapitalised(line: str) -> str:
    """Return a phrase as it continues a sentence."""
    start = 1 if line.startswith("{") else 0
    if line[start : start + 2].strip("{").isupper() and line[start : start + 2] not in ("I ", "A "):
        return line
    return line[:start] + line[start : start + 1].lower() + line[start + 1 :]


def _is_private(phrase: AmountPhrase) -> bool:
    """Return whether a phrase has a privacy budget or may speak of privacy."""
    return _has_budget(phrase) or bool(_PRIVACY.search(phrase.words))


def _has_budget(phrase: AmountPhrase) -> bool:
    return any(role in ("epsilon", "delta") for _, _, role in phrase.marks)


def _names_unit(phrase: AmountPhrase) -> bool:
    return bool(re.search(rf"\b(?:{SAMPLE}|{PERSON}|{CLIENT})\b", phrase.words, re.IGNORECASE))


def _parsed(line: str) -> AmountPhrase:
    """Return a phrase without its marks, on one line as ``sentences`` returns it."""
    clients = _CLIENTS.match(line)
    line = line[clients.end() :] if clients else line
    words, marks, last = "", [], 0
    for match in _MARK.finditer(line):
        words += line[last : match.start()]
        role: Role = ROLES[ROLES.index(match["role"])]
        marks.append((len(words), len(words) + len(match["words"]), role))
        words, last = words + match["words"], match.end()
    words += line[last:]
    return AmountPhrase(words, tuple(marks), int(clients[1]) if clients else CLIENTS)


class _Nouns:
    """Nouns of samples, persons and clients, one of which can stand for another of its kind."""

    def __init__(self, nouns: dict[str, list[str]]) -> None:
        self._nouns = nouns
        self._kinds = {word.lower(): (kind, each, word != each) for kind, words in nouns.items()
                       for each in words for word in (each, plural(each))}  # fmt: skip
        longest = sorted(map(re.escape, self._kinds), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(longest)})(?!\w)", re.IGNORECASE)

    def swapped(self, line: str, rng: random.Random) -> str:
        """Return a passage whose nouns are others, each the same throughout."""
        chosen: dict[str, str] = {}

        def swap(match: re.Match[str]) -> str:
            kind, noun, is_plural = self._kinds[match[0].lower()]
            free = [each for each in self._nouns[kind] if each not in chosen.values()]
            other = chosen.setdefault(noun, rng.choice(free))
            other = plural(other) if is_plural else other
            return other.capitalize() if match[0][0].isupper() else other

        return _ARTICLE.sub(_with_article, self._pattern.sub(swap, line))


def plural(noun: str) -> str:
    """Return the plural of a noun."""
    if noun in ("person", "child"):
        return {"person": "people", "child": "children"}[noun]
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def _with_article(match: re.Match[str]) -> str:
    article = "an" if match["letter"].lower() in "aeio" else "a"
    return f"{article.capitalize() if match['article'][0].isupper() else article} "
