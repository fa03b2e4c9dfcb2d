"""Splits a request into list items and sentences, and tells which of them request nothing."""

from __future__ import annotations

import itertools
import re

from edgewright.agents.planner.embedded.grammar.clauses import Clause, beginning
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.references import STAND_IN

#: Marks at the start of a list item: bullets, dashes, numbers and letters.
_BULLET = re.compile(
    r"^[ \t]*(?:[-*+•‣▪◦·●○■□☐☑✅✔✓→➜►▶»>\u2013\u2014]\ufe0f?|\d\ufe0f?\u20e3|\[[ xX]?\]"
    r"|\(?(?:\d{1,2}|[a-hA-H]|i{1,3}|iv|v)[.)]"
    # "a.jpg" is a name.
    r"(?!(?:jpe?g|png|webp|gif|bmp|tiff?|avif|heic)\b)"
    r"|\(\d{1,2}\)|(?:step|task)\s+\d{1,2}[:.)])[ \t]*",
    re.MULTILINE | re.IGNORECASE,
)
#: The same inside a line: "1) a caption 2) a label", "(a) describe it (b) classify it".
_INLINE = re.compile(
    r"(?:(?<=\s)|^)(?:\(([a-h])\)|([a-h])\)|\((\d)\)|(\d)[.)]|(\d)\ufe0f?\u20e3|(?:step|task)\s+(\d)[:.)]"
    r"|\(?(i{1,3}|iv|v)\)|\[[ xX]?\])\s+(?=\D)",
    re.IGNORECASE,
)
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
#: Stands between requests, and between words of one request.
_SIGN = re.compile(r"\s+[/&+|]\s+")
_SENTENCE_END = re.compile(
    r"(?<=[.!?…])['\")\]]*\s+|(?<=[a-z\d][.?!])(?=[A-Z][a-z]+\b(?!\.))|\s*\n+\s*"
    r"|;\s*(?=(?:and\s+|but\s+)?(?:if|unless|when|otherwise|else|only|then)\b)|\s+[\u2013\u2014]\s+"
)
_ABBREVIATION = re.compile(
    r"(?:^|\s)(?:no|nr|nos|pic|fig|vs|e\.g|i\.e|etc|approx|mr|mrs|dr|st)\.$", re.IGNORECASE
)
_ASKS = re.compile(
    rf"^(?:(?:and|but|so|then|please|only|just|also|now|ok|okay|next)\b[\s,]*)*(?:{beginning()})",
    re.IGNORECASE,
)
_WHETHER = re.compile(r"\b(?:if|whether|how|what|which|where|who)\b", re.IGNORECASE)
_DEPENDS = re.compile(
    r"(?:and\s+|but\s+)?(?:if|unless|when|otherwise|else|only\s+then|then)\b", re.IGNORECASE
)
#: A part of a list without a verb has at most this many words.
_FEW = 3
_COORDINATION = re.compile(
    rf"(?<=\w)(?:\s*,\s*(?:and\s+)?|\s+and\s+)(?:(?:then|next|finally|lastly|after\s+that|also)\b\s*,?\s*)?"
    rf"(?=(?:an?|the)\s+(?:(?:\w+\s+)?{any_of('task_noun')}|number\s+of|colou?rs?\s+of|text\s+of)\b"
    rf"|(?:{any_of('task_noun')}|number|colou?rs?)\s+(?:of|for|in|on)\b)",
    re.IGNORECASE,
)
_TASK = re.compile(rf"\b(?:{any_of('task_noun')}|(?:number|colou?rs?|text)\s+of)\b", re.IGNORECASE)
_NAMES_TASKS = re.compile(
    r"\s*[,?]\s*(?:and\s+)?(?=\w)|\s+(?:and|plus|as\s+well\s+as)\s+", re.IGNORECASE
)
_PLEASE = re.compile(r"[\s,]*\b(?:please|pls)\W*$", re.IGNORECASE)
_PRESENTING = re.compile(
    rf"^(?:{any_of('number')}|some|a\s+few|another|more)\s+(?:(?:more|others?|further|new)\s+)?(?:\w+\s+)?(?:{any_of('image_noun')}\s+)?(?:from|of|taken|by)\b(?!\s+(?:them|these|those)\b)|"
    rf"^(?:{any_of('number')}|some|more|another)\s+(?:\w+\s+){{0,3}}(?:attached|here|enclosed|below|for\s+you)\b|"
    r"^(?:(?:and|so|ok|okay|hi|hello|hey|well|now)\b[\s,!.]*)*(?:here(?:'s|s|\s+is|\s+are|\s+come|\s+goes|\s+(?:you|we)\s+go)\b"
    r"|(?:i|we)(?:'ve|\s+have)?\s+(?:just\s+|now\s+|also\s+)?(?:attached|sent|uploaded|added|took|taken|put\s+up|posted|shared|scanned)\b"
    r"|(?:attached|enclosed)\s+(?:is|are|you)\b)",
    re.IGNORECASE,
)
#: "The picture is blurry", "most are in the album": said about images or the speaker.
_STATEMENT = re.compile(
    rf"^(?:(?:and|so|well|ok|okay|yes|but)\b[\s,]*)*(?:(?:both|most|some|all)\s+(?:of\s+them\s+)?|{STAND_IN}\s+(?:(?:i|we)\s+(?:already\s+)?(?:know|think|believe|guess|suppose)\s+)?|(?:it|they|these|those)\s+)"
    r"(?:(?:is|are|was|were|has|have|had)(?!\s+to\b)|shows?|looks?|comes?|came)\b"
    r"|^(?:i|we)(?:'ve|\s+(?:have|run|keep|took|take|work|found|count(?:ed)?|see|saw|make\s+it|think|thought|believe))(?!\s+to\b)\b|^hope\b",
    re.IGNORECASE,
)
#: "My eyes aren't what they were", "she sent me these": a whole sentence that only tells.
_TELLING = re.compile(
    rf"^(?:(?:and|so|well|ok|okay|yes|no|nah|but|oh|ah|hi|hello|hey|dear|sorry|honestly|actually|anyway|btw|morning|because|cos|since)\b[\s,.!\u2013-]*)*"
    rf"(?:i|we|he|she|they|it|that|this|these|those|there|you(?=\s+(?:(?:only|just|already)\s+)?(?:told|said|showed|gave|wrote|did|forgot|missed)\b)|(?:my|our|his|her|their|the)\s+(?:\w+\s+){{0,2}}\w+|\w+'s\s+\w+|{STAND_IN})"
    r"(?:\s+(?:just|already|always|never|still|only|also|really|usually|often|actually|probably|all|both))*"
    r"(?:'(?:s|m|re|ve|d|ll(?!\s+(?:have|take|need|want)\b))|\s+(?:is|are|was|were|am|has|have|had|isn't|aren't|wasn't|weren't|hasn't|haven't|don't|didn't|doesn't|can|can't"
    r"|cannot|could|couldn't|will|won't|know|knew|see|saw|think|thought|believe|guess|love|loved|like|liked|hate|work|works|live|lives|run|runs"
    r"|keep|keeps|took|take|takes|went|go|goes|come|comes|came|sent|got|get|gets|found|made|bought|looks?|looked|seems?|says?|said|told|asked"
    r"|did|does|broke|fell|left|gave|put|met|heard|need|needs))\b",
    re.IGNORECASE,
)
#: The same with any verb: "my boss always writes descriptions", "the breed I know already".
_TELLING_ALSO = re.compile(
    r"(?:(?:my|our|his|her|their|the)\s+(?:\w+\s+){0,2}?\w+|he|she|they|i|we)\s+(?:always|never|usually|often|sometimes|already)\s+\w+"
    r"|the\s+\w+\s+(?:i|we)\s+(?:already\s+)?(?:know|have|saw|see|got)\b",
    re.IGNORECASE,
)
#: A sentence of so many words with a finite verb tells, unless it asks, orders or wishes.
_LONG = 8
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|isn't|aren't|wasn't|knows?|told|says?|said|gave|got|made|wrote|writes|did|does|seems|came|comes)\b",
    re.IGNORECASE,
)
#: A sentence that tells what its speaker wants, or wants to know.
_WISHING = re.compile(
    r"\b(?:know|tell|wonder\w*|sure|say|idea|remember|forg[eo]t|curious|understand|figure|make\s+out|read)\b[^.]*?\b(?:what|which|whether|if|how|who|whose|where|why|when)\b"
    r"|\b(?:i|we)(?:'d|'m|\s+\w+)?(?:\s+\w+)?\s+(?:want|need|wish|like|love|hop(?:e|ing)|appreciate|grateful|interested|looking\s+for|after|wondering|curious|must|should|have\s+to|mean|meant)\b"
    r"|\bplease\b"
    r"|\b(?:can|could|would|will)\s+you\b",
    re.IGNORECASE,
)
#: A verb of any kind before its object: "box the children".
_IMPERATIVE = re.compile(
    r"(?:(?:and|then|also|please|now|just)\s+)*(?!(?:i|we|he|she|they|you|it|that|this|these|those|here|there|not|and|but|or|so|if|in|on|at|of|for|from|with|to|by|all|both|is|are|was)\b)"
    r"[a-z]{2,}(?<!ed)(?<!ing)\s+(?:the|an?|my|each|every|it|them|this|these|those)\b",
    re.IGNORECASE,
)
#: Says that something is to be done with what it names: "the first needs a caption".
_NEEDING = re.compile(
    r"\b(?:needs?|wants?|gets?|deserves?|requires?|lacks?|should|could|must|can|missing|calls?\s+for|enough|fine|do)\b",
    re.IGNORECASE,
)
_WANTING = re.compile(
    r"\b(?:i|we)(?:'d|\s+would)?(?:\s+(?:also|just|only|really))*\s+(?:want|need|like|wish|prefer|meant?|asked)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    rf"[,.;:!]\s*(?:and\s+|please\s+)?{beginning()}|\band\s+{beginning()}", re.IGNORECASE
)
_ANY = re.compile(r"\s*any\s[^?]*\?\s*$", re.IGNORECASE)
#: "Check the gauge." before "if the needle is in the red, …" asks nothing by itself.
_LOOKING = re.compile(
    r"^(?:(?:please|first|ok|okay|and|now|so|right|just|(?:can|could|would|will)\s+you)\b[\s,]*)*(?:check|look(?:\s+at)?|(?:have|take)\s+a\s+(?:good\s+)?look\s+at|see|inspect|examine|use)"
    r"\s+(?:the|this|that|my|it|these|those|each|them)\b(?:(?!\b(?:for|if|whether|and|to)\b)[^.?!:;,]){0,40}[.!?\s]*$",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"\n\s*--\s*\n.*\Z", re.DOTALL)


def items(text: str) -> list[str]:
    """Split a request at list marks, or at semicolons; a request without them is one item.

    Words before the first mark ("Please do the following:") are an item too. A signature after a
    line with two dashes belongs to no item.
    """
    text = _SIGNATURE.sub("", text)
    marks = [match.span() for match in _BULLET.finditer(text)]
    inline = [match for match in _INLINE.finditer(text) if not _within(match.start(), marks)]
    if len(marks) + len(inline) > 1 and _counts_up(inline):
        spans = sorted({*marks, *(match.span() for match in inline)})
        starts = [0, *(end for _, end in spans)]
        ends = [*(start for start, _ in spans), len(text)]
        parts = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    elif ";" in text and _all_ask(text.split(";")):
        parts = text.split(";")
    elif len(found := _SIGN.split(text)) > 1 and all(map(_asks_alone, found)):
        parts = found
    elif len(found := _NAMES_TASKS.split(_PLEASE.sub("", text))) > 1 and all(map(_is_task, found)):
        parts = found  # "title, tags and text"
    else:
        parts = [text]
    return [part.strip(" \n;,") for part in parts if re.search(r"\w|\?", part)] or [text.strip()]


def sentences(text: str) -> list[str]:
    """Split an item into sentences, each with its final mark."""
    found: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if _ABBREVIATION.search(text, start, match.start()):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def begins_asking(sentence: str) -> bool:
    """Return whether a sentence begins like an order or a question; "look" alone is neither."""
    match = _ASKS.match(sentence)
    if match is None:
        return False
    only_looks = match[0].lower().endswith(("look", "see", "have"))
    return not only_looks or bool(_WHETHER.search(sentence, match.end()))


def asks_within(sentence: str) -> bool:
    """Return whether a sentence begins like an order and goes on with a question word."""
    return begins_asking(sentence) and bool(_WHETHER.search(sentence))


def asking(text: str) -> list[Clause]:
    """Return the sentences of a text that are to be read apart as well.

    These are all if at least two are orders or questions; and those that request something if
    another one names a task, but only mentions it.
    """
    found: list[Clause] = []
    end = 0
    for sentence in sentences(text):
        start = text.index(sentence, end)
        end = start + len(sentence)
        found.append(Clause(sentence, start, end))
    if sum(begins_asking(each.text) for each in found) > 1:
        return found
    tells = any(_tells(each.text) and _TASK.search(each.text) for each in found)
    return [each for each in found if _may_request(each.text)] if tells else []


def coordinated(text: str) -> list[str]:
    """Split a sentence between the things that it requests: "a caption and a label"."""
    found = list(_COORDINATION.finditer(text))
    starts, ends = [0, *(m.end() for m in found)], [*(m.start() for m in found), len(text)]
    parts = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    return parts if all(_TASK.search(part) for part in parts) else [text]


def presents(text: str) -> bool:
    """Return whether a text only introduces images: "here are two more"."""
    return bool(_PRESENTING.match(text)) and "?" not in text and not _ORDERED.search(text)


def states(text: str) -> bool:
    """Return whether a text only says something about images or the speaker."""
    said = _STATEMENT.match(text) or (not _WISHING.search(text) and _TELLING.match(text))
    if not said or "?" in text or _ORDERED.search(text):
        return False
    return not _TASK.search(text, said.end())  # "I need a caption"


def only_tells(text: str) -> bool:
    """Return whether a text says something, and not that something is needed or wished."""
    return states(text) and not _NEEDING.search(text) and not wishes(text)


def may_request(text: str) -> bool:
    """Return whether any sentence of a text asks, orders, wishes or names something to be done."""
    return any(map(_may_request, sentences(text)))


def _may_request(sentence: str) -> bool:
    if "?" in sentence or begins_asking(sentence) or wishes(sentence):
        return True
    if any(form.search(sentence) for form in (_WISHING, _ORDERED)) or _IMPERATIVE.match(sentence):
        return True
    return bool(_TASK.search(sentence)) and not _tells(sentence)


def _tells(sentence: str) -> bool:
    told = bool(_TELLING.match(sentence) or _TELLING_ALSO.match(sentence))
    told = told or (len(sentence.split()) >= _LONG and bool(_FINITE.search(sentence)))
    return told and not _NEEDING.search(sentence) and not _WISHING.search(sentence)


def wishes(text: str) -> bool:
    """Return whether a sentence says that its speaker wants something, or wants to know it."""
    return bool(_WANTING.search(text))


def clearly_asks(text: str) -> bool:
    """Return whether a sentence of a text is a question, an order or a wish by its form."""
    return any(
        each.endswith("?") or begins_asking(each) or wishes(each) for each in sentences(text)
    )


def without_remarks(text: str) -> str:
    """Return a text without the sentences that only tell something, unless all of them do."""
    said = sentences(text)
    return " ".join(each for each in said if not states(each)) or text


def only_looks(text: str) -> bool:
    """Return whether a text only says where to look, which requests nothing beside other parts."""
    return bool(_LOOKING.match(text))


def _all_ask(parts: list[str]) -> bool:
    """Return whether parts between semicolons are requests of their own, or few words each."""
    parts = [part.strip() for part in parts if part.strip()]
    if any(_DEPENDS.match(part) for part in parts):
        return False
    return all(
        begins_asking(part) or part.endswith("?") or len(part.split()) <= _FEW for part in parts
    )


def _asks_alone(part: str) -> bool:
    return bool(_TASK.search(part) or _ANY.match(part)) or begins_asking(part)


def _is_task(part: str) -> bool:
    """Return whether a few words only name something to be done."""
    names = re.sub(r"\b(?:please|pls|an?|the|your|some|any)\b", "", part, flags=re.IGNORECASE)
    return bool(_TASK.fullmatch(names.strip(" .!?")))


def _counts_up(marks: list[re.Match[str]]) -> bool:
    """Return whether marks inside a line are 1, 2, … or a, b, …, and not numbers in a sentence."""
    signs = ["".join(group or "" for group in match.groups()).lower() for match in marks]
    if not any(signs):
        return True  # boxes to tick
    signs = [_ROMAN.get(sign, sign) for sign in signs]
    if not all(len(sign) == 1 for sign in signs):
        return False
    return all(ord(b) - ord(a) == 1 for a, b in itertools.pairwise(signs))


def _within(position: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)
