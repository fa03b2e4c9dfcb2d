"""Finds what a sentence asks, or has checked: "check for a dog first", "see if it is open"."""

from __future__ import annotations

import re

from edgewright.agents.planner.embedded.grammar.clauses import beginning
from edgewright.agents.planner.embedded.grammar.lexicon import any_of

_SEARCH = re.compile(
    r"^(?:please\s+|first\s+|and\s+|now\s+|(?:can|could|would|will)\s+(?:you|u)\s+|(?:in|on|at)\s+[^,;:]{1,40}?[,:]?\s+(?=check|look))*(?:check|look|search|watch)\s+(?:out\s+)?(?:(?P<where>(?:it|this|that|these|them|each|both)(?=\s+for)|(?:in|on|at|under|inside|behind|through|the|this|that|my|number|picture|photo|image)\s+[^,;]{1,40}?)\s+)?for\s+(?P<thing>[^,;]+?)(?:\s+first)?$",
    re.IGNORECASE,
)
#: "Just one thing: is there a dog?"
_INTRODUCED = re.compile(
    r"[^:?]{2,60}:\s+(?=\w)"
    r"|(?:please\s+)?(?:i|we)(?:'d|\s+would)?\s+(?:want|need|like)\s+(?:to\s+)?know[\s,:]+(?=(?:is|are|does|do|has)\b)",
    re.IGNORECASE,
)
_AMOUNT_OF = re.compile(
    r"(?:more\s+than|fewer\s+than|less\s+than|at\s+least|at\s+most|exactly|over|under)\s+\w+\s+\w",
    re.IGNORECASE,
)
#: "Hard hat?", "helmet on?": asks for what it names.
_FRAGMENT = re.compile(
    rf"(?:(?:the|an?|any)\s+)?(?!(?:what|which|who|whose|where|when|why|how|really|ready|ok|right)\b|{beginning()}|{any_of('task_noun')})[a-z][\w'-]*(?:\s+[\w'-]+){{0,2}}",
    re.IGNORECASE,
)
_PLACED = re.compile(r"(?:in|on|at|under|inside|behind|through)\s", re.IGNORECASE)
#: "My sister wants to know whether", "would you mind checking first if".
_ASK_FIRST = re.compile(
    r"^(?:(?!\b(?:and(?!\s+(?:tell|see|check|say)\b)|then|if|whether|describe|caption|classify|count|read|write)\b)[^;?!.]){0,60}?"
    r"\b(?:know(?:ing)?|tell(?:\s+me)?|a\s+look|sure|unsure|idea|wonder(?:ing|s)?|check(?:ing)?|see(?:ing)?|look(?:ing)?|find(?:ing)?\s+out|say|verify(?:ing)?"
    r"|determine|decide|remember|make\s+out|interested|curious)"
    r"(?:\s+first)?(?:\s+(?:in|on|for\s+me)(?:\s+[^,]+?)?)?\s+(?:if|whether)\s+(?P<what>.+?)(?:\s+first)?$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:and\s+|so\s+|ok,?\s+)*(?:(?:is|are|was|were|does|has|have|isn't|aren't|any|no)\b|do\s+(?:you\s+see|(?:you|we|they|i)\s+have|(?:the|any|all|both|these|those)\b)"
    r"|(?:can|could|might)\s+(?:this|it|that|there|you\s+see)\b)",
    re.IGNORECASE,
)
_END = re.compile(r"[\s.,;:!?]+$")
#: "You are sure that it is a buzzard" asks for the buzzard.
_SURE = re.compile(
    r"^you(?:'re|\s+are|\s+can)?\s+(?:\w+ly\s+|quite\s+|pretty\s+|very\s+|already\s+)?(?:sure|certain|confident|positive|think|believe|tell|see\s+that)\s+(?:that\s+)?(?=\w)",
    re.IGNORECASE,
)
_PROVES = re.compile(r"\b(?:turns\s+out|proves)\s+to\s+be\s+", re.IGNORECASE)
_LIKE = re.compile(r"^(?P<it>it|this|that)\s+looks?\s+like\s+(?=an?\s)", re.IGNORECASE)
_ANSWER_TO = re.compile(
    r"the\s+answer\s+to\s+[\"'](?P<asked>[^\"]+?)[\"']\s+is\s+(?P<yes>yes|no)", re.IGNORECASE
)
#: "A beech (check please)", "a beech and not a hornbeam".
_ASIDE = re.compile(
    r"\s*\([^)]*\)|(?:\s*,|\s+and)\s+not\s+(?:an?|the)\s+[\w' -]+?(?=\s*(?:\(|$))", re.IGNORECASE
)
_REASON = re.compile(
    r"\s*,?\s+(?:because|since)\s.*$|\s*,\s*(?:i|we)(?:'m|'ve|'d|\s+(?:am|have|hate|like|can't|don't))\b.*$",
    re.IGNORECASE | re.DOTALL,
)


#: What somebody says is so, and the speaker may have checked.
_CLAIM = re.compile(
    r"^.*?\b(?:says?|said|thinks?|thought|believes?|claims?|claimed|reckons?|swears?|insists?|told\s+(?:me|us)|suspects?|guess|fears?|sure|convinced)\s+(?:that\s+)?"
    r"(?P<what>(?:there|it|this|that|the|he|she|they|my|our|his|her|their|we)(?:'s|'re)?\s.+)$"
    r"|^(?:(?:and|but|so|well|ok)\s+)*(?:(?:it|this|that)\s+)?(?:could|might|may|should|must|ought\s+to)(?:\s+well)?\s+be\s+(?P<be>(?:an?|the)\s.+)$"
    r"|^(?:(?:and|but|so|well|ok)\s+)*there(?:'s|\s+is|\s+are|\s+(?:should|might|may|must|could|ought\s+to)\s+be)\s+(?P<there>[^,]+?)(?:,.*)?$",
    re.IGNORECASE | re.DOTALL,
)
#: Has what was just said checked: "Is there?", "Is that true?".
TAG = re.compile(
    r"(?:(?:and|so|well|but)[\s,]+)*(?:is|are|does|do|has|have|was)\s+(?:it|there|they|he|she|that)(?:\s+(?:true|right|correct|so|really|the\s+case))?\s*[?!]+",
    re.IGNORECASE,
)


def claimed_by(sentence: str) -> str:
    """Return what a sentence says is so, by somebody or perhaps; else nothing."""
    match = _CLAIM.match(_END.sub("", sentence))
    if not match or sentence.rstrip().endswith("?"):
        return ""
    if match["be"] or match["there"]:
        return f"it is {match['be']}" if match["be"] else f"there is {match['there']}"
    return match["what"]


def asks(text: str) -> bool:
    """Return whether a text begins as a question that is answered by yes or no."""
    return bool(_QUESTION.match(text))


def asked_by(part: str) -> str:
    """Return the question of a sentence that asks or has something checked, else nothing."""
    text = _END.sub("", part)
    if _INTRODUCED.match(text):
        text = _INTRODUCED.sub("", text)
    if asked := searched(text):
        return asked
    if match := _ASK_FIRST.match(text):
        return match["what"]
    if part.rstrip().endswith("?") and _AMOUNT_OF.match(text):
        return f"there are {text}"
    return text if asks(text) else ""


def named_by(part: str) -> str:
    """Return what a question of a few words asks for, such as "hard hat?", else nothing."""
    text = _END.sub("", part)
    return text if part.rstrip().endswith("?") and _FRAGMENT.fullmatch(text) else ""


def searched(text: str) -> str:
    """Return what a text has looked for, as a statement: "check the roof for moss"; or nothing."""
    match = _SEARCH.match(_END.sub("", text.strip()))
    if not match:
        return ""
    where = match["where"] or ""
    if where and not _PLACED.match(where):
        where = f"in {where}"
    thing = re.sub(r"\s+(?:instead|too|as\s+well|please|now)$", "", match["thing"])
    return f"there is {thing} {where}".rstrip()


def condition_of(words: str) -> tuple[str, bool | None]:
    """Return what the words of a condition say, without asides and reasons.

    Returns:
        The words; and, if they give the answer to a quoted question, whether that is no.
    """
    words = _ASIDE.sub("", _REASON.sub("", words))
    if quoted := _ANSWER_TO.fullmatch(_END.sub("", words)):
        return quoted["asked"], quoted["yes"].lower() == "no"
    return _LIKE.sub(r"\g<it> is ", _PROVES.sub("is ", _SURE.sub("", words))), None
