"""Turns the words of a condition into questions about an image, with the answers that count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from edgewright.agents.planner.embedded.grammar.amounts import AMOUNT, NUMBER, compared, number_of
from edgewright.agents.planner.embedded.grammar.guards import Guard, Premise
from edgewright.agents.planner.embedded.grammar.references import STAND_IN
from edgewright.agents.planner.embedded.grammar.states import is_state

_SEE = (
    r"(?:you|we|i)\s+(?:can\s+|could\s+)?(?:also\s+)?"
    r"(?:see|find|spot|notice|detect|recogni[sz]e|make out|discover"
    rf"|(?:count|get|have)(?=\s+{AMOUNT}))"
)
_PICTURE = (
    r"(?:it|this|that|(?:the|this|that|my)\s+(?:picture|photo|photograph|image|shot|snapshot|pic|scene"
    r"|camera)(?:\s+file)?)"
)
_SHOWS = r"(?:shows?|contains?|has|have|includes?|depicts?|got|has\s+got|features?)"
_THERE = r"(?:there(?:'s|s|\s+is|\s+are|\s+was|\s+were)|(?:is|are)\s+there)"
_EXISTS = re.compile(
    rf"(?:{_THERE}|{_SEE}|{_PICTURE}\s+(?:does\s+not\s+show|doesn't\s+show|{_SHOWS})"
    rf"|(?:does|do)\s+{_PICTURE}\s+(?:show|contain|have|include|depict)"
    rf"|(?:do|can|could)\s+{_SEE})\s+(?P<thing>.+)",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    rf"(?:(?:is|are)\s+)?(?P<thing>(?:an?|any|some|no|{AMOUNT}|{NUMBER})\s+[^,]+?)\s+(?:is|are)?\s*"
    r"(?P<place>visible|present|shown|there|in\s+it|in\s+view|in\s+sight|to\s+be\s+seen|depicted|in\s+(?:the|this)\s+\w+|(?:shows?|turns?|appears?|comes?)(?:\s+up)?(?:\s+in\s+\w+(?:\s+\w+)?)?)",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"(?P<who>somebody|someone|anybody|anyone|nobody|no\s+one|none|a\s+person|people)(?:'s|\s+is|\s+are|s)?\b\s*(?P<where>.*)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"^(?P<amount>{AMOUNT})\s+(?:of\s+(?:them|the|those)\s+)?(?P<thing>\S.*)$"
    rf"|^(?P<n>(?!one\b|zero\b|0\b|1\b){NUMBER})\s+(?P<thing2>\S.*)$",
    re.IGNORECASE,
)
#: "Fewer than three cars are parked", "at least five pupils have their hands up".
_COUNTED_STATE = re.compile(
    rf"(?:(?:is|are|do|have|has)\s+)?(?P<thing>{AMOUNT}\s+[\w' -]+?)\s+"
    r"(?P<state>(?:is|are|be|have|has|were)\s+\w.*)",
    re.IGNORECASE,
)
_MEASURED = re.compile(
    r"\b(?:degrees?|per\s?cent|bars?|met(?:re|er)s?|years?|hours?|minutes?"
    r"|(?:kilo|centi|milli)\w+|kg|cm|mm|lit(?:re|er)s?|euros?|dollars?|pounds?)\b",
    re.IGNORECASE,
)
#: "The bike has only one wheel", "does the house have at least three windows".
_COUNTED_OBJECT = re.compile(
    r"(?:(?:has|have)\s+(?!there\b)[\w' -]+?(?:\s+got)?"
    r"|(?:does|do)\s+[\w' -]+?\s+(?:have|show|contain)"
    r"|[\w' -]+?(?:\s+(?:has|have|had|shows?|contains?)(?:\s+got)?|'s\s+got))\s+"
    rf"(?P<thing>{AMOUNT}\s+\w.*)",
    re.IGNORECASE,
)
_NUMBER_OF = re.compile(
    r"^the\s+(?:total\s+)?(?:number|count|amount)\s+of\s+(?P<thing>.+?)\s+(?:is\s+|are\s+|comes\s+to\s+)?"
    rf"(?P<amount>{AMOUNT})$",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(
    r"\b(?:no\s+one|nobody|none|nothing)\b|\bno\b|\bnot\s+(?:a|an|any|the)?\b|n't\b|\bisnt\b|\bdoesnt\b|\barent\b",
    re.IGNORECASE,
)
_EITHER = re.compile(r"\s+or\s+(?:else\s+)?(?=(?:an?|any|some|the|it|there)\b)", re.IGNORECASE)
_BOTH = re.compile(
    r"^both\s+|\s+and\s+(?:also\s+)?(?=(?:an?|some|no)\b)|,?\s+but\s+(?:also\s+)?(?=(?:no|an?)\b)",
    re.IGNORECASE,
)
_BARE_PLURAL = re.compile(
    r"(?!(?:an?|any|some|no|the|more|its|his|her|their|my)\b|\d)(?:\w+\s+)?(?:\w+[^su\W]s|people|children|men|women)",
    re.IGNORECASE,
)
_PLACED = re.compile(r"\s+(?:in|on|at|under|near|with)\s", re.IGNORECASE)
_NEITHER = re.compile(
    rf"(?:{_THERE}\s+|{_SEE}\s+|{_PICTURE}\s+{_SHOWS}\s+)?neither\s+(?P<one>.+?)\s+nor\s+(?P<other>.+?)"
    r"(?:\s+(?:is|are)(?:\s+(?:there|visible|present|shown|in\s+(?:it|view|sight)))?)?$",
    re.IGNORECASE,
)
#: Between statements about an image each.
_ELSEWHERE_OR, _ELSEWHERE_AND = (
    re.compile(rf"\s*,?\s+(?:{words})\s+(?=(?:if\s+)?{STAND_IN}\b)", re.IGNORECASE)
    for words in ("or", "and|but|while|whereas")
)
_SAME_OF = re.compile(
    rf"{STAND_IN}\s+(?:does|is|has|do|are|did)(?P<not>n't|nt|\s+not)?(?:\s+(?:too|either|as\s+well|also))*",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(
    r"^(?P<subject>.+?)(?:\s+(?P<aux>is|are|was|were|has|have|can|does|do)|(?P<short>'s|'re))\b\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"^(?:is|are|was|were|does|do|did|has|have|can|could|isn't|aren't)\b", re.IGNORECASE
)
#: "If mushroom, describe it"
_NOUN_ALONE = re.compile(
    r"(?!(?:it|so|yes|no|not|they|possible|true|there)\b)[a-z-]{3,}", re.IGNORECASE
)
#: "Hard hat", "helmet on".
_PHRASE_ALONE = re.compile(
    r"(?!(?:it|so|yes|no|not|they|true|there|in|on|at|an?|any)\b)[a-z][\w-]*(?:\s+[a-z][\w-]*){1,2}",
    re.IGNORECASE,
)
_QUALITY = re.compile(r"[a-z]{2,}(?:[^aeiou]y|ed|ing|ful|less|able|ible|ous|ish)", re.IGNORECASE)
_THING_ALONE = re.compile(r"an?\s+[a-z-]+(?:\s+[a-z-]+)?", re.IGNORECASE)
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|shows?|does|do|can)\b", re.IGNORECASE)
_TAIL = re.compile(r"[\s.,;:!?]+$")


_ASKING = re.compile(
    r"(?:(?:and|so|ok|okay|also|now|then)\s+)*(?:(?:in|on|at|of|from)\s+(?=which|what))?(?:how|what|where|which|who|whose|is|are|does|do|has|have(?=\s+(?:you|we|they|any|there)\b)|can|could)\b",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"\b(?:it|its|he|she|him|her|they|them|this|that|these|those|there|here|(?:is|was)\s+the\s+weather|season|background|foreground|time\s+of\s+(?:day|year))\b|'s\s+(?:it|he|she|the\s+weather)\b"
    r"|^\W*(?:(?:and|so|but|ok)\s+)*(?:how\s+\w+|(?:what|which)\s+\w+)(?:\s+(?:do|would)\s+you\s+(?:think|say|guess))?\W*$",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"(?:(?:and|so|ok|okay|also|now|then|please|just|only|(?:can|could|will|would)\s+you|i(?:'d|\s+would)?\s+(?:like|want|need)\s+to\s+know"
    r"|(?:tell|show)\s+(?:me|us)|say|check|see|find\s+out|let\s+me\s+know)\b[\s,:]*|(?:on|in|at|from|for)\s+(?:the|my|this|that)\s+[^,?]{1,40},\s+|[^,:?]{2,40}:\s+)*"
    r"(?:how|what|where|which|who|whose|whether|if|is|are|does|do|has|have(?!\s+(?:it|this|that|him|her|them)\b)|any)\b",
    re.IGNORECASE,
)
#: Maximum number of words of a brief question.
_BRIEF = 8
_ABOUT = re.compile(
    rf"^(?:(?:and|so|ok|please|well)\b[\s,]*)*(?:(?:what|where|who|how)\s+)?(?:is|are|was|were|does|do|has|have(?!\s+(?:it|this|that)\b)|can|could)\s+"
    rf"(?:{_PICTURE}|there|these|those|he|she|they|(?:any|some|no)(?:body|one|thing))\b"
    r"|^\W*how\s+many\s+\w+(?:\s+\w+)?(?:\s+are\s+there)?\W*$"
    rf"|^\W*compare\b.*{STAND_IN}|\b(?:differs?|difference|different)\b.*{STAND_IN}",
    re.IGNORECASE,
)


def about_image(text: str) -> bool:
    """Return whether a text is a question whose subject is an image or what is in it."""
    return bool(_ABOUT.match(text))


def asks_openly(text: str) -> bool:
    """Return whether a text is a question in any form: "which kind", "tell me how tall it is"."""
    return bool(_OPEN.match(text))


def refers(text: str) -> bool:
    """Return whether a question is about what is spoken of: "can I eat it?", "how old?"."""
    return bool(_REFERS.search(text))


def asks_briefly(text: str) -> bool:
    """Return whether a text is a question of a few words."""
    return len(text.split()) <= _BRIEF and bool(text.rstrip().endswith("?") or _ASKING.match(text))


def guard_of(words: str) -> Guard:
    """Read the words of a condition, a statement or a question, as a guard."""
    words = _TAIL.sub("", words.strip())
    if match := _NEITHER.match(words):
        named = (match["one"], match["other"])
        return Guard(tuple(premise_of(f"there is {thing}").negated() for thing in named))
    for pattern, either in ((_ELSEWHERE_OR, True), (_ELSEWHERE_AND, False)):
        parts = pattern.split(words)
        if len(parts) > 1 and all(STAND_IN in part for part in parts):
            return Guard(_premises(parts), any=either, paired=True)
    for pattern, either in ((_EITHER, True), (_BOTH, False)):
        parts = _split(words, pattern)
        if len(parts) > 1:
            own = all(STAND_IN in part for part in parts)
            return Guard(tuple(premise_of(part) for part in parts), any=either, paired=own)
    return Guard((premise_of(words),))


def _premises(parts: Sequence[str]) -> tuple[Premise, ...]:
    """Read statements, each about its own image; "the other doesn't" repeats the one before."""
    found: list[Premise] = []
    for part in parts:
        again = _SAME_OF.fullmatch(part.strip()) if found else None
        if again:
            found.append(found[-1].negated() if again["not"] else found[-1])
        else:
            found.append(premise_of(part))
    return tuple(found)


def premise_of(words: str) -> Premise:
    """Read one statement or question as a premise."""
    words = re.sub(r"\btheres\b", "there's", re.sub(r"\s+", " ", words), flags=re.IGNORECASE)
    counting = None if _MEASURED.search(words) else _counting(words)
    if counting:
        return counting
    if _ASKED.match(words) and not _NEGATIVE.search(words):
        return Premise(f"{words}?")  # the person's own words
    thing, place = _thing(words)
    if thing and not _COUNTED.match(thing):
        positive, negative = _positive(thing if not _negated_verb(words) else f"no {_bare(thing)}")
        if _BARE_PLURAL.fullmatch(_PLACED.split(positive, maxsplit=1)[0]):
            positive = f"any {positive}"
        plural = bool(
            re.match(
                r"(?:any|some)\s+(?:\w+\s+)??(?:\w+s|people|children|men|women)\b",
                positive,
                re.IGNORECASE,
            )
        )
        question = f"{'are' if plural else 'is'} there {positive}{f' {place}' if place else ''}?"
        return Premise(question, value="no" if negative else "yes")
    positive, negative = _positive(words)
    if is_state(positive) or _QUALITY.fullmatch(positive) or _THING_ALONE.fullmatch(positive):
        return Premise(f"is it {positive}?", value="no" if negative else "yes")
    if _NOUN_ALONE.fullmatch(positive):
        return Premise(f"is there {_with_article(positive)}?", value="no" if negative else "yes")
    if _PHRASE_ALONE.fullmatch(positive) and not _VERB.search(positive):
        return Premise(_asked_in_brief(positive), value="no" if negative else "yes")
    return Premise(_inverted(positive), value="no" if negative else "yes")


def _counting(words: str) -> Premise | None:
    """Return the premise of a statement or question that compares a number of things, if any."""
    words = _NUMBER_OF.sub(r"there are \g<amount> \g<thing>", words)
    thing, place = _thing(words)
    if thing:
        counted = _COUNTED.match(thing)
        return _counted(counted, place) if counted else None
    if state := _COUNTED_STATE.fullmatch(words):
        counted = _COUNTED.match(state["thing"])
        stated = re.sub(r"^be\b", "are", state["state"], flags=re.IGNORECASE)
        premise = _counted(counted, "") if counted else None
        return premise and replace(premise, question=premise.question.replace("are there", stated))
    owned = _COUNTED_OBJECT.fullmatch(words)
    counted = _COUNTED.match(owned["thing"]) if owned else None
    return _counted(counted, "") if counted else None


def _asked_in_brief(words: str) -> str:
    """Return the question of "hard hat" or "helmet on"."""
    *before, last = re.sub(r"^the\s+", "", words, flags=re.IGNORECASE).split()
    if before and (is_state(last) or last.lower() in ("on", "off", "up", "down", "in", "out")):
        return f"is the {' '.join(before)} {last}?"
    return f"is there {words if words.endswith('s') else _with_article(words)}?"


def _split(words: str, pattern: re.Pattern[str]) -> list[str]:
    """Split what a statement says exists, and repeat the statement for each part."""
    thing, place = _thing(words)
    if not thing or re.match(r"(?:no|nobody|neither)\b", thing):
        return [words]
    parts = [part.strip() for part in pattern.split(thing) if part.strip()]
    return [f"there is {part}{f' {place}' if place else ''}" for part in parts]


def _thing(words: str) -> tuple[str, str]:
    """Return what a statement or question says exists, and where; empty if it says none."""
    if match := _EXISTS.fullmatch(words):
        return match["thing"].strip(), ""
    if match := _BODY.fullmatch(words):
        none = re.match(r"no|none", match["who"], re.IGNORECASE)
        where = re.sub(r"^(?:visible|there|present)$", "", match["where"])
        return ("no person" if none else "a person"), where
    if match := _PRESENT.fullmatch(words):
        place = match["place"]
        keep = re.match(r"(?:on|at|under|behind)\b", place)
        return match["thing"].strip(), place if keep else ""
    if _COUNTED.match(words) and not _VERB.search(words):
        return words, ""
    if re.match(r"(?:no|any)\s", words, re.IGNORECASE) and not re.search(
        r"\s(?:is|are|has)\s", words
    ):
        return re.sub(r"\s+in\s+it$", "", words), ""
    return "", ""


def _negated_verb(words: str) -> bool:
    return bool(re.search(r"(?:n't|\bnot)\s+(?:show|contain|have|include|depict)", words))


def _bare(thing: str) -> str:
    return re.sub(r"^(?:an?|any|some)\s+", "", thing, flags=re.IGNORECASE)


def _counted(match: re.Match[str], place: str) -> Premise:
    if match["amount"]:
        op, number = compared(match["amount"]) or ("at_least", 1)
    else:
        op, number = "at_least", number_of(match["n"])
    thing = match["thing"] or match["thing2"]
    noun, _, where = thing.partition(" on ") if " on " in thing else thing.partition(" in ")
    where = thing[len(noun) :].strip()
    places = " ".join(part for part in (where, place) if part)
    noun = _plural(noun.strip()) if number == 1 else noun.strip()
    question = f"how many {noun} are there{f' {places}' if places else ''}?"
    return Premise(question, field="count", op=op, value=str(number))


def _plural(noun: str) -> str:
    if noun.lower() == "person":
        return "people"
    return noun if noun.endswith("s") else f"{noun}s"


def _positive(words: str) -> tuple[str, bool]:
    """Return a statement without its negation, and whether it had one."""
    if not _NEGATIVE.search(words):
        return re.sub(r"^some\s", "any ", words, flags=re.IGNORECASE), False
    words = re.sub(r"\b(?:no\s+one|nobody|none)\b", "a person", words, flags=re.IGNORECASE)
    words = re.sub(r"\bnothing\b", "anything", words, flags=re.IGNORECASE)
    words = re.sub(r"\bno\s+(\w+)", _some, words, flags=re.IGNORECASE)
    words = re.sub(
        r"\b(is|are|does|do|was|were|has|have|can)(?:n't|nt)\b", r"\1", words, flags=re.IGNORECASE
    )
    return re.sub(r"\bnot\s+", "", words, flags=re.IGNORECASE).strip(), True


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def _some(match: re.Match[str]) -> str:
    """Return "a dog" for "no dog", "any dogs" for "no dogs"."""
    noun = match[1]
    if (noun.endswith("s") and not noun.endswith(("ss", "us", "is"))) or noun in (
        "people",
        "children",
    ):
        return f"any {noun}"
    return _with_article(noun)


def _inverted(words: str) -> str:
    """Return a statement as a yes-no question."""
    if _ASKED.match(words):
        return f"{words}?"
    words = re.sub(r"^it's\b", "it is", words, flags=re.IGNORECASE)
    if match := _AUXILIARY.match(words):
        auxiliary = match["aux"] or ("is" if match["short"] == "'s" else "are")
        return f"{auxiliary.lower()} {match['subject']} {match['rest']}".strip() + "?"
    return f"is it true that {words}?"
