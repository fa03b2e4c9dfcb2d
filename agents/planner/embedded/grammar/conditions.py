"""Reads conditions: "if there is a dog, describe it", "describe it unless …", "if so, …; else …".

A sentence becomes pieces: what to do, each with the guard it depends on, and questions whose
answers later pieces depend on. "Tell me if there is a dog" asks and is no condition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from edgewright.agents.planner.embedded.grammar.checks import asked_by, asks, condition_of
from edgewright.agents.planner.embedded.grammar.clauses import VERBS, beginning
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.quantities import of_each, quantity_of
from edgewright.agents.planner.embedded.grammar.questions import Guard, guard_of

_LEAD = (
    r"(?P<lead>(?:(?:and|but|so|ok|okay|well|look|listen|right|please|only|first|just|then)\b"
    r"[\s,]*)*)"
)
_IF, _UNLESS, _WHEN = any_of("if_word"), any_of("unless_word"), any_of("when_word")
#: "when was this taken" asks; a condition goes on with its subject.
_NOT_ASKED = r"(?!\s+(?:is|are|was|were|do|does|did|has|have|will|would|can|could|should)\b)"
_INITIAL = re.compile(
    rf"{_LEAD}(?:(?P<unless>{_UNLESS})|(?P<if>{_IF})|(?P<when>{_WHEN}){_NOT_ASKED}|(?P<should>should))\s+",
    re.IGNORECASE,
)
_INNER = re.compile(
    rf"\s*,?\s+(?:and\s+|but\s+|though\s+)?(?:(?P<unless>{_UNLESS})|(?P<if>{_IF})|(?P<when>only\s+when|whenever|when(?=\s+(?:you\s+(?:can\s+)?(?:see|spot|find)"
    r"|there(?:'s|\s+is|\s+are)|it\s+(?:shows|contains|has))\b)))\s+",
    re.IGNORECASE,
)
#: Between conditions on the same request: "unless there is a cow or if it is dark".
_ALSO = re.compile(r"\s*,?\s+(?:(and|or|but)\s+)?(if|unless)\s+", re.IGNORECASE)
#: Begins another condition.
_ANOTHER = re.compile(
    rf"(?:and\s+|but\s+)?(?:{_IF}|{_UNLESS}|{_WHEN}{_NOT_ASKED})\s", re.IGNORECASE
)
_ELSE = re.compile(rf"{_LEAD}{any_of('else_word')}(?!\w)[\s,:]*", re.IGNORECASE)
_SO = re.compile(
    rf"{_LEAD}(?P<so>{any_of('so_word')})(?!\w)(?![\s,:]*(?:only\s+)?(?:if|unless|when)\b)[\s,:]*",
    re.IGNORECASE,
)
_INNER_ELSE = re.compile(
    rf"(?<!\beverything)(?<!\ball)(?<!\banything)(?<!\bwhat)[\s,;]+(?:and\s+|but\s+)?(?={any_of('else_word')}(?!\w))",
    re.IGNORECASE,
)
_INNER_SO = re.compile(
    r"[\s,;]+(?=(?:only\s+then|(?:and\s+)?in\s+(?:that|which)\s+case|if\s+so)\b(?!\W*$))"
    rf"|\s*,?\s+and\s+(?={any_of('so_word')}\s*,)",
    re.IGNORECASE,
)
_LAST_SO = re.compile(
    r"[\s,]+(?:but\s+)?(?:only\s+)?if\s+(?:(?P<so>so|yes|(?:it|there|they|he|she)\s+(?:is|are|does|do|has|have)(?:\s+one|\s+any)?|(?:the|your)\s+answer(?:'s|\s+is)\s+yes)|not|(?:it|there|they|he|she)\s+(?:is|are|does|do|has|have)(?:n't|nt|\s+not)|(?:the|your)\s+answer(?:'s|\s+is)\s+no)[\s.,;:!?]*$",
    re.IGNORECASE,
)
_ONLY = re.compile(r"^(?:please\s+)?only\s+(?P<what>\w[^,;:]*?)\s+when\s+", re.IGNORECASE)
_THEN = re.compile(r"[\s,]+then\b[\s,]*(?=\w)", re.IGNORECASE)
_COURTESY = re.compile(
    rf"[\s,]*\b(?:{any_of('plain_courtesy')}\b|{any_of('courtesy')}(?=\s*(?:$|[^\w\s])|\s+{beginning()}))"
    rf"[\s,]*|^{any_of('courtesy')}[\s,]+",
    re.IGNORECASE,
)
_ASKING = re.compile(
    rf"\b{any_of('asking_verb')}(?:\s+{any_of('asking_object')})*(?:\s+(?:at|in|on|from|for|by)\s[^,]*?)?"
    rf"(?:\s+(?:the|this|that|my|both|each|these|all|every)\s+(?:\w+\s+)?(?:{any_of('image_noun')}|one))?\s*,?$",
    re.IGNORECASE,
)
_BEGIN = re.compile(rf"(?:a|an|the|no|how|then|just|only|your|give)\b|{beginning()}", re.IGNORECASE)
#: Verbs that begin what is to be done when no comma separates it from the condition.
_STRONG = re.compile(
    r"(?<!\byou)(?<!\bi)(?<!\bwe)\s(?=(?:(?:please|just|also|then|only)\s+)*(?:describe|caption|classify|categori[sz]e|tell|give|name|count|identify|read"
    r"|explain|say|write|translate|summari[sz]e|train|list|what|which|how|where)\s+\w)|\s(?=(?:describe|caption|classify)$)"
    r"|\s(?=(?:i|we|he|she|they)(?:(?:'d|\s+would)\s+(?:like|love|want)|\s+(?:needs?|wants?))\b)",
    re.IGNORECASE,
)
_HINT = re.compile(
    r"\b(?:if|unless|should|otherwise|else|suppose|supposing|assuming|provided|providing|when|whenever|then|except|case|condition|long|sure|certain|checking|confirmed|checked|verified|established|where|wherever)\b",
    re.IGNORECASE,
)
#: A statement about the speaker, or about what is done, is no condition on an image.
_NO_PREMISE = re.compile(
    r"(?:(?:i|we)\b(?!\s+(?:can\s+)?(?:see|find|spot))"
    r"|you(?:'d|\s+had|\s+were|\s+have\s+to|\s+describe|\s+ask|\s+tell|\s+need|\s+want)\b"
    r"|(?:my|our)\s|(?:it|that|this|you)(?:'s|\s+is|\s+are|'re)\s+(?:done|finished|ready|over|true|honest|short|brief|ok|okay|fine|right|correct)\b)",
    re.IGNORECASE,
)
#: What is done on a condition: an order, a question, a wish, or a few words for a thing.
_REQUEST = re.compile(
    rf"^(?:(?:and|but|so|then|please|only|just|also|ok|okay|in that case)\b[\s,]*)*(?:{beginning()}"
    rf"|(?:i|we)(?:'d|\s+would|\s+also)?\s+(?:want|need|like)\b|\S+(?:\s+\S+){{0,4}}$)",
    re.IGNORECASE,
)
#: "Check whether it snows, and describe it if it does" asks, and then depends on the answer.
_CHECK_AND = re.compile(
    rf"(?P<check>(?:please\s+|first\s+|kindly\s+)*(?:check|see|look|find\s+out|tell\s+me)\s+(?:if|whether)\s+[^,;]+?),?\s+and\s+"
    rf"(?P<rest>(?:then\s+|please\s+)*(?:{'|'.join(sorted(VERBS))})\s.*?\b(?:if|unless)\s+(?:so|yes|not|it|there|they)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
#: "Caption it if there is a bus, and describe the other": begins a request without a condition.
_SECOND_ORDER = re.compile(
    rf"\s*,\s*(?:and|but)\s+(?:also\s+|then\s+|please\s+)*(?=(?:{'|'.join(sorted(VERBS))})\s)",
    re.IGNORECASE,
)
_TASK_NAMED = re.compile(
    r"\b(?:an?|the|your)\s+(?:\w+\s+)?(?:caption|description|label|classification|summary)\b",
    re.IGNORECASE,
)
_END = re.compile(r"[\s.,;:!?]+$")
_JOINED = re.compile(r"\s*,?\s+(?:and|but)\s", re.IGNORECASE)
_ORDER = re.compile(rf"[,:]\s*(?:(?:then|please|just)\s+)*{beginning()}", re.IGNORECASE)
#: What a number without a noun counts: "count the hens, and if there are more than three, …".
_COUNTED = re.compile(
    r"\b(?:count(?:ing)?(?:\s+up)?|how\s+many|the\s+number\s+of)\s+(?:all\s+)?(?:the\s+)?"
    r"(?P<noun>(?!are\b|is\b|do\b|can\b|of\b|it\b|them\b)[\w'-]+(?:\s+(?!(?:are|is|do|can|in|on|and|or|but|for|if|then|please|you|there|here|that|with|to|of|visible)\b)[\w'-]+)?)",
    re.IGNORECASE,
)
_NUMBER_ALONE = re.compile(
    r"(?:(?:there(?:'s|\s+are|\s+is)|it(?:'?s|\s+is|\s+has|\s+shows)|you\s+(?:see|find|count)|they\s+are|that's)\s+)?"
    r"(?P<amount>(?:not?\s+more\s+than|more\s+than|fewer\s+than|less\s+than|at\s+least|at\s+most|exactly|just|only|over|under)\s+(?:the\s+)?(?:\w+)"
    r"|\w+\s+or\s+(?:more|fewer|less))(?:\s+(?:of\s+(?:them|those)|there))?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Piece:
    """A part of a request.

    Attributes:
        text: What is requested; empty for a piece that is only checked.
        guard: What it depends on, if anything.
        about: The words of the condition, which may say which image is checked.
        checked: Whether the guard is itself a question of the person.
    """

    text: str
    guard: Guard | None = None
    about: str = ""
    checked: bool = False


def pieces(
    sentences: Sequence[str], *, before: str = "", reworded: Callable[[str], str] = str
) -> list[Piece]:
    """Read sentences as pieces, in order.

    Args:
        sentences: The sentences of a request or of a list item.
        before: The latest question of the conversation, which "if so" can refer to.
        reworded: Rewords what is asked about one image so that it names none.
    """
    reader = _Reader(guard_of(before) if before and asks(before) else None, reworded)
    reader.count(before)
    found: list[Piece] = []
    upcoming = [*sentences[1:], ""][: len(sentences)]
    for sentence, following in zip(sentences, upcoming, strict=True):
        if not _HINT.search(sentence) and not _refers_back(following):
            found.append(Piece(sentence))
            reader.count(sentence)
            if asks(sentence):
                reader.ask(sentence)
            continue
        sentence = re.sub(r"\s+(?=[.,;:!?])", "", _COURTESY.sub(" ", sentence)).strip()
        sentence = _ONLY.sub(r"\g<what> only when ", sentence)
        found += reader.read(sentence, refers_back=_refers_back(following))
    return [piece for piece in found if piece.text or piece.checked]


def counted(words: str) -> str:
    """Return the noun whose number words ask for, or nothing."""
    match = _COUNTED.search(words)
    return match["noun"] if match else ""


def is_amount(words: str) -> bool:
    """Return whether words only compare a number: "it's more than two"."""
    return bool(_NUMBER_ALONE.fullmatch(_END.sub("", words)))


def _orders(text: str, start: int) -> bool:
    """Return whether something is ordered from a position on."""
    return bool(_ORDER.search(text, start) or _STRONG.search(text, start))


def _refers_back(sentence: str) -> bool:
    return bool(_SO.match(sentence) or _ELSE.match(sentence) or _LAST_SO.search(sentence))


class _Reader:
    """Reads sentences in order and remembers the last condition.

    Args:
        last: The condition that "if so" refers to.
        reworded: Rewords what is asked about one image so that it names none.
    """

    def __init__(self, last: Guard | None, reworded: Callable[[str], str]) -> None:
        self.last = last
        self._reworded = reworded
        self._about = ""
        self._noun = ""

    def ask(self, words: str, *, unless: bool = False) -> Guard:
        """Remember a condition, perhaps of several parts, and return it."""
        first, *others = _ALSO.split(words)
        guard = self._asked(first, unless=unless)
        for joint, word, part in zip(others[::3], others[1::3], others[2::3], strict=True):
            more = self._asked(part, unless=unless or word.lower() == "unless")
            either = (joint or "").lower() == "or" and not unless
            guard = replace(guard, premises=(*guard.premises, *more.premises), any=either)
        self.last, self._about = guard, words
        self.count(guard.premises[0].question)
        return guard

    def _asked(self, words: str, *, unless: bool) -> Guard:
        """Read one condition."""
        asked, opposite = condition_of(words)
        if opposite is not None:
            guard = guard_of(asked)
            return guard.negated() if opposite != unless else guard
        each, none = of_each(asked)
        said = self._reworded(each)
        if self._noun and (number := _NUMBER_ALONE.fullmatch(_END.sub("", said))):
            amount = re.sub(r"\bthe\s+", "", number["amount"], flags=re.IGNORECASE)
            said = f"there are {amount} {self._noun}"
        guard = replace(guard_of(said), over=quantity_of(asked))
        guard = replace(guard, premises=guard.negated().premises) if none else guard
        return guard.negated() if unless else guard

    def count(self, words: str) -> None:
        """Remember what words have counted."""
        self._noun = counted(words) or self._noun

    def read(self, sentence: str, *, refers_back: bool = False) -> list[Piece]:
        """Read one sentence; ``refers_back`` if the next one depends on its answer."""
        parts = [part for chunk in _INNER_ELSE.split(sentence) for part in _INNER_SO.split(chunk)]
        found: list[Piece] = []
        for part, more in zip(parts, [*parts[1:], ""], strict=True):
            found += self._part(part, refers_back if not more else _refers_back(more))
        return found

    def _part(self, part: str, refers_back: bool) -> Iterator[Piece]:
        if match := _CHECK_AND.match(part):
            yield from self._part(match["check"], True)
            part = match["rest"]
        if (match := _ELSE.match(part)) and self.last:
            yield self._guarded(part[match.end() :], self.last.negated())
        elif (match := _SO.match(part)) and self.last and not self._asks_on(match):
            yield self._guarded(part[match.end() :], self.last)
        elif (match := _LAST_SO.search(part)) and self.last:
            guard = self.last if match["so"] else self.last.negated()
            yield self._guarded(part[: match.start()], guard)
        elif refers_back and (asked := asked_by(part)):
            guard = self.ask(asked)
            self._about = part  # it may name the image before what is asked
            yield Piece("", guard, part, checked=True)
        elif match := _INITIAL.match(part):
            yield from self._initial(part, match)
        elif match := _condition_after(part):
            yield from self._final(part, match)
        else:
            if asks(part):
                self.ask(part)
            self.count(part)
            yield Piece(part)

    def _final(self, part: str, match: re.Match[str]) -> Iterator[Piece]:
        """Read a sentence whose condition follows what is to be done."""
        main, condition = part[: match.start()], part[match.end() :]
        own = _INITIAL.match(part[match.start() :].lstrip(" ,"))
        apart = _JOINED.match(match[0]) or asked_by(main)
        if apart and own and _orders(part, match.end()):
            # "Count them, and if …, caption it" begins a second request.
            yield from self._part(main, False)
            yield from self._initial(own.string, own)
            return
        order = _SECOND_ORDER.search(condition)
        words = condition[: order.start()] if order else condition
        yield self._guarded(main, self.ask(words, unless=bool(match["unless"])))
        if order:
            yield from self._part(condition[order.end() :], False)

    def _asks_on(self, match: re.Match[str]) -> bool:
        """Return whether "then" begins a question after the turn before: "then what is it?"."""
        asks = match["so"].lower() == "then" and match.string.rstrip().endswith("?")
        return asks and not self._about

    def _initial(self, part: str, match: re.Match[str]) -> Iterator[Piece]:
        """Read a sentence that begins with its condition."""
        rest = part[match.end() :]
        boundary = _boundary(rest)
        if boundary is None or _NO_PREMISE.match(rest):
            yield Piece(part)
            return
        condition, main = rest[: boundary[0]], rest[boundary[1] :]
        if match["should"]:
            condition = re.sub(r"^(\w+(?:\s+\w+)?)\s+be\b", r"\1 is", condition)
        guard, about = self.ask(condition, unless=bool(match["unless"])), condition
        again = re.search(rf"(?:,\s*|\s+)(?={_ANOTHER.pattern})", main, re.IGNORECASE)
        if again and _boundary(main[again.end() :]):
            yield Piece(_END.sub("", main[: again.start()]), guard, about)
            yield from self._part(main[again.end() :], False)
        else:
            yield Piece(_END.sub("", main), guard, about)

    def _guarded(self, text: str, guard: Guard) -> Piece:
        return Piece(_END.sub("", text.strip(" ,")), guard, self._about)


def _condition_after(part: str) -> re.Match[str] | None:
    """Return where a condition begins that follows what it is a condition of."""
    for match in _INNER.finditer(part):
        main = part[: match.start()]
        word = (match["if"] or match["when"] or "").lower()
        second = _JOINED.match(match[0]) and _orders(part, match.end())
        if word in ("if", "when") and _ASKING.search(main) and not second:
            continue
        if _NO_PREMISE.match(part, match.end()) or re.match(r"\W*$", part[match.end() :]):
            continue
        if _REQUEST.match(_END.sub("", main)) or _asks_something(main):
            return match
    return None


def _asks_something(main: str) -> bool:
    """Return whether the last clause of what comes before a condition asks for something."""
    if _TASK_NAMED.search(main):
        return True
    return bool(_REQUEST.match(_END.sub("", re.split(r"[,;:]\s*(?:and\s+|but\s+)?", main)[-1])))


def _boundary(rest: str) -> tuple[int, int] | None:
    """Return the end of a condition and the start of what is to be done."""
    if (match := _THEN.search(rest)) and match.start():
        return match.span()
    commas = [
        match.span()
        for match in re.finditer(r"\s*[,:]\s*", rest)
        if not _ANOTHER.match(rest, match.end())
    ]
    for start, end in commas:
        if re.match(beginning(), rest[end:], re.IGNORECASE):
            return start, end
    for start, end in commas:
        if _BEGIN.match(rest, end):
            return start, end
    strong = [match.span() for match in _STRONG.finditer(rest) if " " in rest[: match.start()]]
    return strong[0] if strong else None
