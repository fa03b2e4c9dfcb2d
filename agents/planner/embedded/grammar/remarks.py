"""Tells what a person only says beside a request: reasons, thanks, goodbyes and stories."""

from __future__ import annotations

import re

from edgewright.agents.planner.embedded.grammar.clauses import beginning
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.sentences import begins_asking, only_tells, states

_PURPOSE = re.compile(
    r"(?<=\w)\s*,?\s+(?:so(?:\s+that)?\s+(?:i|we|he|she|they|my|our|people|nobody|everyone|you)\b"
    r"|(?:because|bc|cos|cuz|'cause)\s|(?:since|as)\s+(?:i|we|my|our)\b)"
    rf"(?:(?!\b(?:and|but|then)\s+{beginning()})[^.?!;:\n,])*(?=[.?!;:\n,]|$|\s+and\b)",
    re.IGNORECASE,
)
_COMMA = re.compile(r"\s*,\s+|\s+[-\u2013\u2014]\s+")
_PART_END = re.compile(r"[,;.!]+(?:\s+|$)|\s+(?:and|but)\s+(?=i\b|we\b|it\b|that\b)")
_CONTENT = re.compile(r"\w")
#: Requests that a reason says nothing of.
_SURE = re.compile(
    rf"\b(?:{any_of('task_noun')}|count|how\s+many|(?:what|which)\s+\w+)\b|^(?:is|are|has|does)\b",
    re.IGNORECASE,
)
#: Who wants it: "gran wants to know", "as the customer keeps ringing me".
_WAITS = re.compile(
    r"(?:(?:as|since|because|cause|for)\s+)?(?:(?:my|the|our|his|her)\s+)?(?!(?:i|we|you)\b)[\w'-]+(?:\s+\w+)?\s+"
    r"(?:wants?\s+to\s+know|(?:is|are)\s+(?:asking|waiting|curious|interested)|keeps?\s+\w+ing|asked|needs?\s+(?:it|this|them))\b[^?]*",
    re.IGNORECASE,
)
#: "It's the kind of tree" says after "not a caption" what to say instead.
_IMPERSONAL = re.compile(
    r"\W*(?:(?:but|and|so)\s+)?(?:it|that|this|they|these|those)\b", re.IGNORECASE
)
_KNOWN = re.compile(
    r"\b(?:told|knows?|knew|(?:found|worked|figured|sorted)\s+(?:it\s+)?out|explained|looked\s+(?:it\s+)?up)\b",
    re.IGNORECASE,
)
#: Thanks, a goodbye, or that an image was the wrong one.
_LEAVES = re.compile(
    rf"\W*(?:(?:{any_of('closing', 'gratitude', 'praise')}|sorry|oh|ah|well|after\s+all"
    r"|(?:it's\s+|that\s+was\s+)?(?:the\s+)?wrong\s+\w+|anyway|now|soon|tomorrow|tonight|today)\b\W*)+",
    re.IGNORECASE,
)
_ASKED = re.compile(r"\b(?:if|whether|how|what|which|where|who)\b", re.IGNORECASE)


def says_nothing(text: str) -> bool:
    """Return whether each part of a text thanks, takes leave or tells something."""
    parts = [each for each in _PART_END.split(text) if _CONTENT.search(each)]
    return bool(parts) and all(_LEAVES.fullmatch(each) or _is_story(each) for each in parts)


def _is_story(part: str) -> bool:
    told = only_tells(part) and not _IMPERSONAL.match(part)
    return told and bool(_KNOWN.search(part) or not _ASKED.search(part))


def without_asides(text: str) -> str:
    """Return a request without what is only told after a comma: "…, gran wants to know"."""
    for comma in _COMMA.finditer(text):
        before, after = text[: comma.start()], text[comma.end() :]
        told = states(after) or _WAITS.fullmatch(after)
        if told and _SURE.search(before) and not begins_asking(after):
            return before
    return text


def without_purpose(text: str) -> str:
    """Return a text without what its requests are for: "…, so that I can find it"."""
    return _PURPOSE.sub("", text)
