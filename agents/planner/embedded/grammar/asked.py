"""Remembers what a message asks, for the conditions that refer to it.

"Is it sharp? If it is blurred, …" says its question again in other words, "how many hens? If under
ten, …" leaves out what is counted, "check 1: … if check 1 is positive, …" numbers its questions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgewright.agents.planner.embedded.grammar.amounts import AMOUNT, NUMBER, compared, number_of
from edgewright.agents.planner.embedded.grammar.guards import Guard, Premise
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, words
from edgewright.agents.planner.embedded.grammar.states import opposed

_WORD = re.compile(r"[a-z][a-z'-]*")
_END = re.compile(r"[\s.,;:!?]+$")
#: Said before what a condition states: "it turns out that", "you find that".
_LEAD = re.compile(
    r"^(?:(?:really|actually|indeed|still|even|only)\s+)*(?:(?:it\s+)?turns?\s+out\s+(?:that\s+)?(?=\w+\s)"
    r"|(?:you|we|i)\s+(?:can\s+|do\s+)?(?:find|see|think|say|reckon|decide|believe|judge)\s+(?:that\s+)?(?=(?:it|they|there|he|she|the)\b))",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    r"(?:(?:(?:the|your|that)\s+)?(?:answer|result|reply|outcome)|it|that|this|(?:check|question|test|number|point)\s+(?P<number>\w+)"
    r"|the\s+(?P<ordinal>first|second|third|last)(?:\s+(?:one|check|question|answer|test))?)"
    r"(?:\s+to\s+(?:that|it|this))?(?:\s+(?:is|was|comes\s+(?:out|back)(?:\s+as)?|turns\s+out)|'s)\s+(?:a\s+)?"
    r"(?P<not>not\s+)?(?:(?P<yes>yes|positive|true|affirmative|the\s+case|so)|(?P<no>no|negative|false))",
    re.IGNORECASE,
)
_ORDER = {
    "first": 0,
    "1": 0,
    "one": 0,
    "second": 1,
    "2": 1,
    "two": 1,
    "third": 2,
    "3": 2,
    "three": 2,
}
#: Before and after an amount that leaves out what is counted.
_COUNTING = (
    r"(?:(?:there(?:'s|'re|\s+are|\s+is)|it(?:'?s|\s+is|\s+has|\s+shows|\s+says)|you\s+(?:can\s+)?(?:see|find|count|get|have)"
    r"|(?:we|i)\s+(?:have|get)|they(?:\s+are|'re)|that(?:'s|\s+is)"
    r"|(?:the|your|that)\s+(?:count|number|total|result|answer|sum|figure)(?:\s+(?:is|comes\s+to|turns\s+out\s+to\s+be))?)\s+)?"
)
_OF_THEM = (
    r"(?:\s+(?:of\s+(?:them|those|these)|in\s+total|altogether|there|too|also|as\s+well|left))*"
)
#: An amount at the end of a condition, where no noun follows it.
_AMOUNT_LAST = re.compile(rf"(?:.*?\s)?(?P<amount>{AMOUNT}){_OF_THEM}", re.IGNORECASE)
#: "Two or more are lit".
_AMOUNT_STATE = re.compile(
    rf"(?P<amount>{AMOUNT})(?:\s+of\s+(?:them|those|these))?\s+(?P<state>(?:are|have)\s+\w.*)",
    re.IGNORECASE,
)
_AMOUNT_ALONE = re.compile(rf"{_COUNTING}(?P<amount>{AMOUNT}){_OF_THEM}", re.IGNORECASE)
_NUMBER_ALONE = re.compile(rf"{_COUNTING}(?P<number>{NUMBER}){_OF_THEM}", re.IGNORECASE)
#: The opposite of the amount before: "if it's fewer", "any other number".
_OTHER_AMOUNT = re.compile(
    rf"{_COUNTING}(?:(?:any|some)\s+other\s+(?:number|amount|count)|a\s+different\s+(?:number|count)"
    rf"|fewer|less|more|not){_OF_THEM}",
    re.IGNORECASE,
)
_NOT_ANY = re.compile(rf"{_COUNTING}(?:none|zero|nothing|no\s+\w+){_OF_THEM}", re.IGNORECASE)
_ANY = re.compile(
    rf"{_COUNTING}(?:any|some|one\s+or\s+more|at\s+least\s+one){_OF_THEM}", re.IGNORECASE
)
#: What a number without a noun counts: "count the hens, and if there are more than three, …".
_COUNTED = re.compile(
    r"\b(?:count(?:ing)?(?:\s+up)?|tally(?:\s+up)?|tot\s+up|add\s+up|how\s+many|(?:number|count|total|tally)\s+of)\s+(?:all\s+)?(?:of\s+)?(?:the\s+)?"
    r"(?P<noun>(?!are\b|is\b|do\b|can\b|of\b|it\b|them\b)[\w'-]+(?:\s+(?!(?:are|is|do|can|in|on|and|or|but|for|if|then|please|you|there|here|that|with|to|of|visible)\b)[\w'-]+)?)"
    r"|\b(?!please\b|then\b|also\b|just\b|and\b|you\b)(?P<before>[a-z]{3,})\s+count\s*(?:[?.,:;]|$)",
    re.IGNORECASE,
)
#: A number that somebody states: "I make it eight lambs", "it should have two funnels".
_STATED = re.compile(
    rf"(?:^|:\s|\b(?:there(?:'s|'re|\s+(?:is|are|were|should\s+be|must\s+be))|(?:has|have|had|got|counted|see|saw|make\s+it|be))\s+)(?:{AMOUNT}|{NUMBER})\s+"
    rf"(?P<noun>(?!(?:of|in|on|left|there|{any_of('image_noun')}|ones?|things?|questions?|i|we|you|more)\b)[a-z][\w'-]*)",
    re.IGNORECASE,
)
#: "Are there any hens? If there are more than three, …"
_THINGS = re.compile(
    r"(?:are\s+there|(?:do|can|could|did)\s+(?:you|we)\s+(?:see|spot|find|make\s+out|have))\s+(?:any\s+|some\s+)?"
    r"(?P<noun>[a-z][\w'-]*(?:\s+[a-z][\w'-]*)??(?<=s)|people|children)(?=\s*\?|\s+(?:in|on|at|there|here|visible)\b)",
    re.IGNORECASE,
)
_NOBODY = re.compile(r"\b(?:nobody|no\s+one|no-one)\b", re.IGNORECASE)
_PERSON = re.compile(
    r"(?:(?P<no>nobody|no\s+one|none)|(?:some|any)(?:body|one))(?:'s|\s+is|\s+was)?(?:\s+(?:there|in\s+(?:it|there)))?",
    re.IGNORECASE,
)
_IS_THERE = re.compile(
    r"(?:it|they|he|she|one)(?:'s|'re|\s+is|\s+are)(?:n't|\s+not)?(?:\s+(?:really|still|indeed))?\s+there|(?:it|they|he|she)(?:\s+is|\s+are)n't",
    re.IGNORECASE,
)
#: Asks for a state: "is the stove off", and states another: "it is still burning".
_STATE_ASKED = re.compile(
    r"(?:is|are)\s+(?!there\b|it\s+an?\b|this\s+an?\b|that\s+an?\b|any|some)(?:(?!\b(?:an?|or)\b).)+$",
    re.IGNORECASE,
)
_OTHER_STATE = re.compile(
    r"(?:it|they|he|she|that)(?:'s|'re|\s+is|\s+are|\s+looks?|\s+seems?)\s+(?:(?:still|already|too|rather|all)\s+)?(?!an?\b|the\b|in\b|on\b|at\b|more\b|less\b|over\b|under\b|\w+er\b)[a-z-]+",
    re.IGNORECASE,
)
_OR_NOT = re.compile(r"\s+or\s+not\b", re.IGNORECASE)
_NEGATED = re.compile(
    r"\b(?:not|no|never|isn't|aren't|wasn't|weren't|doesn't|don't|hasn't|haven't|can't|nobody|none|nothing)\b",
    re.IGNORECASE,
)
_EXISTING = re.compile(
    r"\b(?:there|see|find|spot|shows?|contains?|has|have|got|any(?:one|body|thing)?|some(?:one|body|thing)?|nobody|no)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\s(?:in|on|at|under|inside|behind|near|of|with)\s+(?!(?:in|at|on)\b).*$", re.IGNORECASE
)
_EMPTY = frozenset(words("no_content"))
_PARTICLES = frozenset({"on", "off", "in", "out", "up", "down", "there", "here"})
#: Follow a particle that is a state: "is the light on in the hall?".
_AFTER_STATE = frozenset({"in", "at", "right", "now", "or", "and", "please"})
_MIN_STEM = 4


@dataclass(frozen=True)
class _Question:
    """A question or a condition of the message.

    Attributes:
        asked: Its text.
        said: All its words.
        content: Its content words, in order.
        key: The word that its answer hangs on: the state, or the thing that may be there.
        guard: What holds if the answer is yes.
        about: The words that say which image it is about.
    """

    asked: str
    said: tuple[str, ...]
    content: tuple[str, ...]
    key: str
    guard: Guard
    about: str


class Asked:
    """What a message has asked so far.

    Attributes:
        last: The condition that "if so" refers to.
        about: The words that say which image that one is about.
        noun: What was counted last.
    """

    def __init__(self) -> None:
        self.last: Guard | None = None
        self.about = ""
        self.noun = ""
        self._counting = ""
        self._questions: list[_Question] = []

    def remember(self, asked: str, guard: Guard, about: str, *, unless: bool = False) -> None:
        """Remember a question, or the statement of a condition.

        Args:
            asked: Its words.
            guard: What holds if the answer is yes, or if it is no for ``unless``.
            about: The words that say which image it is about.
            unless: Whether something is done if the statement is not true.
        """
        self.last, self.about = guard, about
        asked = _OR_NOT.sub("", asked)
        content = _content(asked)
        if content and len(guard.premises) == 1 and not guard.paired and " or " not in asked:
            holds = guard.negated() if unless else guard
            self._questions.append(
                _Question(
                    asked,
                    tuple(_WORD.findall(asked.lower())),
                    content,
                    _key(asked, content),
                    holds,
                    about,
                )
            )
        self.count(guard.premises[0].question, about)
        things = _THINGS.match(guard.premises[0].question)
        if things:
            self.noun, self._counting = things["noun"], about

    def count(self, words: str, about: str = "") -> None:
        """Remember what words have counted."""
        noun = counted(words)
        if not noun and not self.noun and (stated := _STATED.search(words)):
            noun = stated["noun"]
        if noun:
            self.noun, self._counting = noun, about or words

    @property
    def repeated(self) -> bool:
        """Whether the last question was asked of several images."""
        same = [each for each in self._questions if each.guard == self.last]
        return len({each.about for each in same}) > 1

    def meant(self, said: str) -> tuple[Guard, str] | None:
        """Return what the words of a condition mean by a question before.

        Returns:
            The guard, and the words that say which image it is about; None if they mean no
            question before.
        """
        said = _LEAD.sub("", _END.sub("", said.strip()))
        if match := _ANSWER.fullmatch(said):
            found = self._numbered(match)
            positive = bool(match["yes"]) != bool(match["not"])
            return found and (found[0] if positive else found[0].negated(), found[1])
        return self._amount(said) or self._again(said)

    def _numbered(self, match: re.Match[str]) -> tuple[Guard, str] | None:
        word = (match["number"] or match["ordinal"] or "").lower()
        if word in _ORDER and _ORDER[word] < len(self._questions):
            question = self._questions[_ORDER[word]]
            return question.guard, question.about
        return (self.last, self.about) if self.last else None

    def _amount(self, said: str) -> tuple[Guard, str] | None:
        """Return the guard of an amount that leaves out what is counted."""
        if self.last and self.last.premises[0].field == "count" and _OTHER_AMOUNT.fullmatch(said):
            return self.last.negated(), self.about
        if not self.noun:
            return None
        if match := _AMOUNT_STATE.fullmatch(said):
            op, number = compared(match["amount"]) or ("at_least", 1)
            question = f"how many {self.noun} {match['state']}?"
            return Guard(
                (Premise(question, field="count", op=op, value=str(number)),)
            ), self._counting
        if match := _AMOUNT_LAST.fullmatch(said):
            op, number = compared(match["amount"]) or ("at_least", 1)
        elif match := _NUMBER_ALONE.fullmatch(said):
            op, number = "equals", number_of(match["number"])
        elif _NOT_ANY.fullmatch(said) and (said.split()[-1] == "none" or self.noun in said):
            op, number = "at_most", 0
        elif _ANY.fullmatch(said):
            op, number = "at_least", 1
        else:
            return None
        question = f"how many {self.noun} are there?"
        premise = Premise(question, field="count", op=op, value=str(number))
        return Guard((premise,)), self._counting

    def _again(self, said: str) -> tuple[Guard, str] | None:
        """Return the guard of a question that a statement says again, or the opposite of."""
        content = _content(said)
        negative = bool(_NEGATED.search(said))
        if self.last and negative and not content and not _NOBODY.search(said):
            return self.last.affirmed().negated(), self.about
        if (
            self.last
            and (person := _PERSON.fullmatch(said))
            and " person" in self.last.premises[0].question
        ):
            present = replace(self.last.premises[0], value="no" if person["no"] else "yes")
            return replace(self.last, premises=(present,)), self.about
        if self.last and _IS_THERE.fullmatch(said):
            stated = self.last.affirmed()
            return (stated.negated() if negative else stated), self.about
        for question in reversed(self._questions) if content else ():
            same = [word for word in content if _in(word, question.content)]
            others = [word for word in content if word not in same]
            against = [word for word in others if opposed(word, question.said)]
            if (not others and not _in(question.key, same)) or len(against) != len(others) > 0:
                continue
            holds = negative if against else not negative
            return (question.guard if holds else question.guard.negated()), question.about
        return self._contrasted(said)

    def _contrasted(self, said: str) -> tuple[Guard, str] | None:
        """Return the opposite of the last question for a state that it does not name.

        "Is the stove off? If it is still burning, …": who means the same says "if it is".
        """
        last = self._questions[-1] if self._questions else None
        if last is None or last.guard is not self.last or not _STATE_ASKED.match(last.asked):
            return None
        if not _OTHER_STATE.fullmatch(said) or _NEGATED.search(said):
            return None
        return last.guard.negated(), last.about


def counted(words: str) -> str:
    """Return the noun whose number words ask for, or nothing."""
    match = _COUNTED.search(words)
    return (match["noun"] or f"{match['before']}s") if match else ""


def is_amount(words: str) -> bool:
    """Return whether words only compare a number: "it's more than two"."""
    return bool(_AMOUNT_ALONE.fullmatch(_END.sub("", words)))


def _content(said: str) -> tuple[str, ...]:
    """Return the content words of a text; particles only at its end, where they are states."""
    found = _WORD.findall(re.sub(r"\bblack\s+and\s+white\b", "black-and-white", said.lower()))
    return tuple(
        word
        for word, after in zip(found, [*found[1:], "in"], strict=False)
        if word not in _EMPTY or (word in _PARTICLES and after in _AFTER_STATE)
    )


def _key(asked: str, content: Sequence[str]) -> str:
    """Return the word that the answer to a question hangs on."""
    there = _content(_PLACE.sub("", f" {_END.sub('', asked)}"))
    if there and (len(there) > 1 or _EXISTING.search(asked)):
        return there[-1]
    return content[-1]


def _in(word: str, others: Sequence[str]) -> bool:
    return any(_alike(word, other) for other in others)


def _alike(one: str, other: str) -> bool:
    """Return whether two words have the same stem: "rust" and "rusty", "hen" and "hens"."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    if longer == f"{shorter}s":
        return True
    return (
        len(shorter) >= _MIN_STEM
        and longer[: len(shorter)] == shorter
        and len(longer) <= len(shorter) + 3
    )
