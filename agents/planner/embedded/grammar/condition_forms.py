"""The words that begin conditions, and where a condition ends and what is done on it begins."""

from __future__ import annotations

import re
from collections.abc import Callable

from edgewright.agents.planner.embedded.grammar.clauses import VERBS, beginning
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.nothing import NOTHING
from edgewright.agents.planner.embedded.grammar.references import STAND_IN
from edgewright.agents.planner.embedded.grammar.states import is_state

_NOTHING = re.compile(rf"[\s.,;:!{NOTHING}]*")
_LEAD = (
    r"(?P<lead>(?:(?:and|but|so|ok|okay|well|look|listen|right|please|only|first|just|then)\b"
    r"[\s,]*)*)"
)
_IF, _UNLESS, _WHEN = any_of("if_word"), any_of("unless_word"), any_of("when_word")
#: "when was this taken" asks; a condition goes on with its subject.
_NOT_ASKED = r"(?!\s+(?:is|are|was|were|do|does|did|has|have|will|would|can|could|should)\b)"
INITIAL = re.compile(
    rf"{_LEAD}(?:(?P<unless>{_UNLESS})|(?P<if>{_IF})|(?P<when>{_WHEN}){_NOT_ASKED}|(?P<should>should))\s+",
    re.IGNORECASE,
)
#: Images by the answer to a question before: "the cracked ones", "those that do".
SELECTED = re.compile(
    rf"(?:(?<!\w)(?:(?:only|just|the|those|any|all)\s+)+|^(?=\w+\s+\w+\s*:))(?P<word>[a-z]{{3,}})\s+(?:{any_of('image_noun')}(?<=s)|ones)\b"
    rf"|\b(?:(?:only|just)\s+)?(?:(?:the\s+)?(?:{any_of('image_noun')}(?<=s)|ones?|those)\s+(?:that|which|where\s+(?:it|there))|whichever(?:\s+(?:ones?|of\s+them))?)\s+"
    r"(?:do|does|are|is|have|has)(?P<not>n't|\s+not)?(?:\s+(?:one|any|some|it))?(?=\s*(?:[.,;:!?]|$))",
    re.IGNORECASE,
)
_INNER = re.compile(
    rf"\s*,?\s+(?:and\s+|but\s+|though\s+)?(?:then,?\s+)?(?:(?P<unless>{_UNLESS})|(?P<if>{_IF})|(?P<when>only\s+when|whenever|when(?=\s+(?:you\s+(?:can\s+)?(?:see|spot|find)"
    r"|there(?:'s|\s+is|\s+are)|it\s+(?:shows|contains|has))\b)))\s+",
    re.IGNORECASE,
)
#: Between conditions on the same request: "unless there is a cow or if it is dark".
ALSO = re.compile(r"\s*,?\s+(?:(and|or|but)\s+)?(if|unless)\s+", re.IGNORECASE)
#: Begins another condition.
ANOTHER = re.compile(rf"(?:and\s+|but\s+)?(?:{_IF}|{_UNLESS}|{_WHEN}{_NOT_ASKED})\s", re.IGNORECASE)
ELSE = re.compile(rf"{_LEAD}{any_of('else_word')}(?!\w)[\s,:]*", re.IGNORECASE)
SO = re.compile(
    rf"{_LEAD}(?P<so>{any_of('so_word')})(?!\w)(?![\s,:]*(?:only\s+)?(?:if|unless|when)\b)[\s,:]*",
    re.IGNORECASE,
)
INNER_ELSE = re.compile(
    rf"(?<!\beverything)(?<!\ball)(?<!\banything)(?<!\bwhat)[\s,;]+(?:and\s+|but\s+)?(?={any_of('else_word')}(?!\w))",
    re.IGNORECASE,
)
INNER_SO = re.compile(
    r"[\s,;]+(?=(?:only\s+then|(?:and\s+)?in\s+(?:that|which)\s+case|if\s+so)\b(?!\W*$))"
    rf"|(?:\s*,?\s+and\s+|\s*[,;]\s+)(?=(?:if|when)\b)(?={any_of('so_word')}\s*,)",
    re.IGNORECASE,
)
LAST_SO = re.compile(
    r"[\s,]+(?:but\s+)?(?:only\s+)?if\s+(?:(?P<so>so|yes|(?:it|there|they|he|she)\s+(?:is|are|does|do|has|have)(?:\s+one|\s+any)?|(?:the|your)\s+answer(?:'s|\s+is)\s+yes)|not|(?:it|there|they|he|she)\s+(?:is|are|does|do|has|have)(?:n't|nt|\s+not)|(?:the|your)\s+answer(?:'s|\s+is)\s+no)[\s.,;:!?]*$",
    re.IGNORECASE,
)
ONLY = re.compile(r"^(?:please\s+)?only\s+(?P<what>\w[^,;:]*?)\s+when\s+", re.IGNORECASE)
_THEN = re.compile(r"[\s,]+then\b[\s,]*(?=\w)", re.IGNORECASE)
COURTESY = re.compile(
    rf"[\s,]*\b(?:{any_of('plain_courtesy')}\b|{any_of('courtesy')}(?=\s*(?:$|[^\w\s])|\s+{beginning()}))"
    rf"[\s,]*|^{any_of('courtesy')}[\s,]+",
    re.IGNORECASE,
)
_ASKING = re.compile(
    rf"\b{any_of('asking_verb')}(?:e?d|s|ing)?(?:\s+{any_of('asking_object')})*(?:\s+(?:at|in|on|from|for|by)\s[^,]*?)?"
    rf"(?:\s+(?:the|this|that|my|both|each|these|all|every)\s+(?:\w+\s+)?(?:{any_of('image_noun')}|one))?\s*,?$",
    re.IGNORECASE,
)
_BEGIN = re.compile(
    rf"{NOTHING}|(?:a|an|the|no|how|then|just|only|your|give|same(?=\s+(?:as|again|thing|question))|ditto|repeat|(?:in|on|at|from|for)\s+(?:which|what))\b|{beginning()}",
    re.IGNORECASE,
)
#: Verbs that begin what is to be done when no comma separates it from the condition.
_STRONG = re.compile(
    r"(?<!\byou)(?<!\bi)(?<!\bwe)\s(?=(?:(?:please|just|also|then|only)\s+)*(?:use|take|try|look|describe|caption|classify|categori[sz]e|tell|give|name|count|identify|read"
    r"|explain|say|write|translate|summari[sz]e|train|list|what|which|how|where)\s+\w)|\s(?=(?:describe|caption|classify)$)"
    r"|\s(?=(?:can|could|would|will)\s+(?:you|u)\s|you\s+(?:may|can|could|should)\s+(?!see\b|find\b|spot\b)\w)"
    rf"|\s(?=(?:i|we|he|she|they)(?:(?:'d|\s+would)\s+(?:like|love|want)|\s+(?:needs?|wants?))\b)|\s(?={NOTHING})",
    re.IGNORECASE,
)
HINT = re.compile(
    r"\b(?:if|unless|should|otherwise|else|suppose|supposing|assuming|provided|providing|when|whenever|then|except|case|condition|long|sure|certain|checking|confirmed|checked|verified|established|where|wherever|event|which|given)\b",
    re.IGNORECASE,
)
#: A statement about the speaker, or about what is done, is no condition on an image.
NO_PREMISE = re.compile(
    r"(?:(?:i|we)\b(?!\s+(?:can\s+)?(?:see|find|spot))"
    r"|you(?:'d|\s+had|\s+were|\s+have\s+to|\s+describe|\s+ask|\s+tell|\s+need|\s+want)\b"
    r"|(?:my|our)\s|(?:it|that|this|you)(?:'s|\s+is|\s+are|'re)\s+(?:done|finished|ready|over|true|honest|short|brief|ok|okay|fine|right|correct)\b)",
    re.IGNORECASE,
)
#: What is done on a condition: an order, a question, a wish, or a few words for a thing.
_REQUEST = re.compile(
    r"^(?:(?:and|but|so|then|please|only|just|also|ok|okay|right|well|hey|hi|oh|in that case)\b"
    rf"[\s,]*)*(?:{beginning()}"
    rf"|(?:i|we)(?:'d|\s+would|\s+also)?\s+(?:want|need|like)\b|\S+(?:\s+\S+){{0,4}}$)",
    re.IGNORECASE,
)
#: "Check whether it snows, and describe it if it does" asks, and then depends on the answer.
CHECK_AND = re.compile(
    rf"(?P<check>(?:please\s+|first\s+|kindly\s+|(?:can|could|would|will)\s+you\s+)*(?:check|see|look|find\s+out|tell\s+me)\s+(?:if|whether)\s+[^,;]+?),?\s+and\s+"
    rf"(?P<rest>(?:then\s+|please\s+)*(?:{'|'.join(sorted(VERBS))})\s.*?\b(?:(?:if|unless)\s+(?:so|yes|not|it|there|they)\b|(?:those|ones|{any_of('image_noun')})\s+(?:that|which|where)\s+(?:there\s+|it\s+)?(?:is|are|do|does|has|have)\b).*)",
    re.IGNORECASE | re.DOTALL,
)
#: "Caption it if there is a bus, and describe the other": begins a request without a condition.
_SECOND_ORDER = re.compile(
    rf"\s*,\s*(?P<joint>(?:and|but)\s+)?(?:also\s+|then\s+|please\s+)*(?=(?:{'|'.join(sorted(VERBS))})\s|(?:an?|the)\s+{any_of('task_noun')}\b)",
    re.IGNORECASE,
)
_LAST_ORDER = re.compile(rf"\s*,?\s+(?:and|then)\s+(?:then\s+)?(?={beginning()})", re.IGNORECASE)
_NEXT = re.compile(r"\s*[,;]\s*(?:and\s+|but\s+)?(?=(?:if|unless|when)\s)", re.IGNORECASE)
_WH = re.compile(r"\b(?:what|which|who|whose|where|how)\s(?:(?!\band\b)[^,;])*$", re.IGNORECASE)
_TASK_NAMED = re.compile(
    r"\b(?:an?|the|your)\s+(?:\w+\s+)?(?:caption|description|label|classification|summary)\b",
    re.IGNORECASE,
)
#: Says first which image is meant: "the last photo: if there is a car, …".
HEADED = re.compile(
    rf"(?P<head>[^,:;?!]{{2,40}}?)\s*[:,\u2013]\s+(?=(?:(?:only|please|but)\s+)*(?:{_IF}|{_UNLESS}|{_WHEN}{_NOT_ASKED})\s)",
    re.IGNORECASE,
)
HEAD = re.compile(
    rf"(?:(?:and|now|so|ok|for|in|on|with|about)\s+)*(?:the\s+)?{STAND_IN}(?:\s+(?:again|now))?",
    re.IGNORECASE,
)
#: "Describe the first anyway, and the second only if …": what depends names an image alone.
_LAST_ALONE = re.compile(
    r"(?P<first>.+?)(?:\s*[,;]\s*(?:(?:and|but)\s+)?|\s+(?:and|but)\s+)(?:(?:for|of|in|on|with)\s+)?(?P<second>[^,;]{2,40}?)(?:\s+(?:too|also|as\s+well))?",
    re.IGNORECASE | re.DOTALL,
)
_ALL = re.compile(r"\b(?:both|all|each|every|them|these|those)\b", re.IGNORECASE)
END = re.compile(r"[\s.,;:!?]+$")
JOINED = re.compile(r"\s*,?\s+(?:and|but)\s", re.IGNORECASE)
_ORDER = re.compile(rf"[,:]\s*(?:(?:then|please|just)\s+)*{beginning()}", re.IGNORECASE)


def orders(text: str, start: int) -> bool:
    """Return whether something is ordered from a position on."""
    return bool(_ORDER.search(text, start) or _STRONG.search(text, start))


def condition_after(
    part: str, *, refers: Callable[[str], bool] = lambda words: False
) -> re.Match[str] | None:
    """Return where a condition begins that follows what it is a condition of.

    Args:
        part: A sentence or a part of one.
        refers: Whether words mean a question before; "it's fine" is no condition otherwise.
    """
    for match in _INNER.finditer(part):
        main = part[: match.start()]
        word = (match["if"] or match["when"] or "").lower()
        second = JOINED.match(match[0]) and orders(part, match.end())
        asking = _ASKING.search(main) and not _WH.search(main)
        if word in ("if", "when") and asking and not second:
            continue
        words = part[match.end() :]
        if (NO_PREMISE.match(words) and not refers(words)) or re.match(r"\W*$", words):
            continue
        if _REQUEST.match(END.sub("", main)) or _asks_something(main):
            return match
    return None


def alone(main: str, reworded: Callable[[str], str]) -> tuple[str, str, str] | None:
    """Return what is done in any case, what on a condition, and the image that it only names.

    Args:
        main: What stands before "only if".
        reworded: Replaces images by stand-ins.
    """
    match = _LAST_ALONE.fullmatch(main.strip(" ,"))
    if not match or reworded(match["second"]).strip() != STAND_IN:
        return None
    first = reworded(match["first"])
    several = _ALL.search(first)
    start = several.start() if several else first.find(STAND_IN)
    if start < 1 or not _REQUEST.match(first):
        return None
    others = f"{match['first']} except {match['second']}" if several else match["first"]
    return others, f"{first[:start]}{match['second']}", match["second"]


def second_order(condition: str) -> re.Match[str] | None:
    """Return where an order begins after a condition that follows its own."""
    for match in _SECOND_ORDER.finditer(condition):
        if match["joint"] or _INNER.search(condition, match.end()):
            return match
    return None


def whole_before(part: str) -> re.Match[str] | None:
    """Return where a condition begins after a request that has one: "… if so, if not …"."""
    for match in _NEXT.finditer(part):
        before, after = part[: match.start()], INITIAL.match(part, match.end())
        goes_on = after and boundary(part[after.end() :]) and not INITIAL.match(before)
        if goes_on and (LAST_SO.search(before) or condition_after(before)):
            return match
    return None


def last_order(main: str) -> tuple[str, str]:
    """Return what stands before the last order of a sentence, and that order."""
    joints = list(_LAST_ORDER.finditer(main))
    return (main[: joints[-1].start()], main[joints[-1].end() :]) if joints else ("", main)


def does_nothing(text: str) -> bool:
    """Return whether a text requests nothing."""
    return bool(_NOTHING.fullmatch(text))


def _asks_something(main: str) -> bool:
    """Return whether the last clause of what comes before a condition asks for something."""
    if _TASK_NAMED.search(main):
        return True
    return bool(_REQUEST.match(END.sub("", re.split(r"[,;:]\s*(?:and\s+|but\s+)?", main)[-1])))


def boundary(rest: str) -> tuple[int, int] | None:
    """Return the end of a condition and the start of what is to be done."""
    if (match := _THEN.search(rest)) and match.start():
        return match.span()
    commas = [
        match.span()
        for match in re.finditer(r"\s*[,:]\s*", rest)
        if not ANOTHER.match(rest, match.end())
    ]
    for start, end in commas:
        if re.match(beginning(), rest[end:], re.IGNORECASE):
            return start, end
    for start, end in commas:
        if _BEGIN.match(rest, end):
            return start, end
    for match in _STRONG.finditer(rest):
        before = rest[: match.start()]
        if " " in before or is_state(before):
            return match.span()
    return None
