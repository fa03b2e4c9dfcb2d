"""Finds the quantities in a person's words that no reader used, so that none is lost in silence."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from edgewright.agents.fl_coder.constraints.denials import DISMISSED
from edgewright.agents.fl_coder.constraints.hostile import of_hostile
from edgewright.agents.fl_coder.constraints.nouns import DATA, OWNERS, SMALL, counted, may_own_data
from edgewright.agents.fl_coder.constraints.numbers import Number, numbers_of, tokens_of
from edgewright.agents.fl_coder.constraints.places import (
    Place,
    place_of,
    place_of_match,
    sentences,
)
from edgewright.agents.fl_coder.constraints.units import BYTES, SECONDS

#: What a clause promises.
Topic = Literal["attackers", "privacy", "limit"]

_PRIVACY = re.compile(r"\b(?:privacy|private\w*|dp|dp-sgd|epsilon|eps|delta|leak\w*)\b|[εδϵ]", re.I)
_LIMIT = re.compile(
    r"\b(?:at\s+(?:the\s+)?(?:very\s+)?(?:most|least|max(?:imum)?|latest|longest)"
    r"|(?:no|not|never)\s+(?:\w+\s+)?(?:more|longer|later|larger|bigger|higher|fewer|less|worse|lower"
    r"|above|over|below)|(?:more|less|fewer)\s+than"
    r"|max\w*|min(?:imum|imal)|limit\w*|cap(?:ped|s)?|ceiling|quota|budget\w*|allowance|deadline"
    r"|exceed\w*|as\s+(?:many|much|few|little)\s+as|stop\w*|quit\w*|halt\w*|within|up\s+to"
    r"|only|under|below|until|inside)\b|[≤<>≥]",
    re.IGNORECASE,
)
#: Amounts that words leave open, of what training has limits for.
_UNITS = "|".join(sorted(map(re.escape, {"round", *SECONDS, *BYTES} - {"s", "h", "b"})))
_VAGUE = re.compile(
    r"\b(?:few|several|some|many|handful|dozens|hundreds|thousands)\s+(?:of\s+)?"
    rf"(?:(?:hundred|thousand|million)\s+)?(?:\w+\s+)?(?:{_UNITS})s?\b",
    re.IGNORECASE,
)
_DATA_WORD = re.compile(rf"\b(?:{DATA.pattern})\b", re.IGNORECASE)
_SMALL_NUMBER = re.compile(r"(?<!\d)\d(?!\d)")
_DIGIT_DATA = re.compile(r"\b(?:digits?|numerals?|numbers)\b", re.IGNORECASE)
#: A name before its number: "we use Room 5".
_NAMED = re.compile(r"(?<=[a-z,] )[A-Z]\w* $")
_ORDINAL = frozenset({"st", "nd", "rd", "th"})
_GENERATION = frozenset({"g", "d"})
_TIMES = frozenset({"x", "*", "by"})
_THAN = frozenset({"as", "more", "less", "fewer", "slower", "faster", "larger", "smaller", "the"})
_OF_ALL = frozenset({"of", "the", "our", "all", "these"})
_AGES = frozenset({"years", "months", "decades"})
_MEASURES = frozenset({*SECONDS, *BYTES})
#: Words around a number of samples that are not named again: "the smallest has 60".
_HOLDING = frozenset({"has", "have", "had", "holds", "hold", "hardly", "barely", "perhaps"})
_EACH = (["each"], ["apiece"])


@dataclass(frozen=True)
class Unread:
    """A quantity that no reader used.

    Attributes:
        place: Where it stands.
        topic: What its clause promises; None if it promises nothing.
    """

    place: Place
    topic: Topic | None

    @property
    def words(self) -> str:
        """The quantity, with the word that follows it."""
        noun = re.match(r"[- ]?([^\W\d_]+)", self.place.sentence[self.place.end :])
        return self.place.words + (noun[0] if noun and noun[1] not in SMALL else "")

    @property
    def question(self) -> str:
        """What to ask the person about a quantity in a promise."""
        said = f"“{self.words}” in “{self.place.sentence.strip(' .;')}” was not understood"
        return {
            "attackers": f"{said}. What does it say about hostile clients?",
            "privacy": f"{said}. What does it say about privacy?",
            "limit": f"{said}, so nothing holds it. What does it limit?",
            None: f"{said}. What is it for?",
        }[self.topic]


def find_unread(
    text: str,
    used: Iterable[Place],
    clients: int,
    *,
    counted_owners: bool,
    unimportant: Iterable[Place] = (),
) -> tuple[Unread, ...]:
    """Find the quantities in a text that nothing used and that do not describe the data.

    Args:
        text: The person's words.
        used: Where the readers found what they read.
        clients: Number of clients.
        counted_owners: Whether the words say how many owners the data have; what else is counted
            only describes them.
        unimportant: Where quantities stand that surely promise nothing, whatever their clauses
            speak of.
    """
    taken, idle = set(used), tuple(unimportant)
    about = _About(clients, counted_owners, _DIGIT_DATA.search(text) is not None)
    found = [
        Unread(place, _topic(place))
        for sentence in sentences(text)
        for place in _quantities(sentence, taken, about)
        if not DISMISSED.search(place.clause)
    ]
    return tuple(
        u for u in found if u.topic is None or not any(u.place.overlaps(each) for each in idle)
    )


def without_places(unread: Iterable[Unread], used: tuple[Place, ...]) -> tuple[Unread, ...]:
    """Return the quantities that do not stand where something was read."""
    return tuple(u for u in unread if not any(u.place.overlaps(each) for each in used))


@dataclass(frozen=True)
class _About:
    """What is known of the data: clients, whether the words count owners, whether digits show."""

    clients: int
    counted_owners: bool
    digits: bool


@dataclass(frozen=True)
class _Quantity:
    """A number in a sentence, with the words around it."""

    number: Number
    place: Place
    before: list[str]
    after: list[str]

    @property
    def topic(self) -> Topic | None:
        return _topic(self.place)

    @property
    def is_whole(self) -> bool:
        return not self.number.share and self.number.low == int(self.number.low)

    @property
    def is_measured(self) -> bool:
        """Whether a unit of time or of size follows."""
        return bool({word for each in self.after[:1] for word in (each, each[:-1])} & _MEASURES)


def _quantities(sentence: str, taken: set[Place], about: _About) -> Iterator[Place]:
    """Yield the quantities of a sentence that are neither taken nor a name or a description."""
    tokens = tokens_of(sentence)
    words = [token.text for token in tokens]
    found = [
        _Quantity(
            number,
            place_of(sentence, tokens, number),
            words[max(0, number.first - 2) : number.first],
            words[number.after : number.after + 6],
        )
        for number in numbers_of(tokens)
    ]
    free = [q for q in found if not any(q.place.overlaps(each) for each in taken)]
    known = {
        end for q in found if q not in free for end in (q.number.low, q.number.high)
    }  # 25 rounds, 25 being the most
    for quantity in free:
        said = quantity.number.article or quantity.number.low in known
        if not (said or _is_name(quantity) or _describes(quantity, about)):
            yield quantity.place
    for match in _VAGUE.finditer(sentence):
        place = place_of_match(match)
        if _LIMIT.search(place.clause) and not any(place.overlaps(each) for each in taken):
            yield place


def _is_name(quantity: _Quantity) -> bool:
    """Return whether a number belongs to a name, a date, a size of images or an idiom."""
    words, after = quantity.place.words.lower(), quantity.place.sentence[quantity.place.end :]
    before = quantity.place.sentence[: quantity.place.start]
    if (words == "one" and not quantity.is_measured) or words.endswith("single"):
        return True
    if re.search(r"[^\W\d_][-_.]?$", before):
        return True  # resnet18, covid-19
    if after[:1].isalpha() and quantity.after[0] in _ORDINAL | _GENERATION:
        return True
    if re.fullmatch(r"(?:19|20)\d\d", words):
        return True  # a year
    if _TIMES.intersection(quantity.after[:1] + quantity.before[-1:]):
        return True  # 28 x 28
    if quantity.after[:1] == ["times"] and _THAN.intersection(quantity.after[1:2]):
        return True  # four times as many
    owner = quantity.before[-1:] and OWNERS.fullmatch(quantity.before[-1])
    if owner and not quantity.before[-1].endswith("s"):
        return True  # client 0
    return quantity.topic is None and bool(quantity.is_whole and _NAMED.search(before))


def _describes(quantity: _Quantity, about: _About) -> bool:
    """Return whether a number only says something of the data or of those who own them."""
    number, after, topic = quantity.number, quantity.after, quantity.topic
    nouns = [word for word in after if word not in _OF_ALL] if number.share else after
    if any(map(DATA.fullmatch, itertools.takewhile(lambda word: word not in SMALL, nouns[:3]))):
        return True
    if topic in ("limit", "privacy"):
        return False
    if about.clients in (number.low, number.of):
        of_all = bool(number.of) or bool(_OF_ALL.intersection(quantity.before[-1:]))
        return topic is None or of_all or any(map(OWNERS.fullmatch, after[:3]))
    noun = counted(after)
    if may_own_data(noun) and not number.share:
        return about.counted_owners
    if topic is not None:
        return False
    if noun in _AGES or (quantity.is_measured and _DATA_WORD.search(quantity.place.sentence)):
        return True
    if noun or not quantity.is_whole:
        return False
    sentence = quantity.place.sentence
    several = _DIGIT_DATA.search(sentence) or len(_SMALL_NUMBER.findall(sentence)) > 1
    if about.digits and number.high < 10 and several:
        return True  # which digits are shown
    return bool(_HOLDING.intersection(quantity.before)) or after[:1] in _EACH


def _topic(place: Place) -> Topic | None:
    """Return what the clause around a quantity promises, or the sentence around a bare number."""
    clause, sentence = place.clause, place.sentence
    bounded = _LIMIT.search(clause) is not None
    bare = bounded and not re.match(r"[- ]?[^\W\d_]", sentence[place.end :])
    if of_hostile(clause):
        return "attackers"
    if _PRIVACY.search(sentence if bare else clause):
        return "privacy"
    return "limit" if bounded else None
