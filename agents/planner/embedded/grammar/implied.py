"""Writes conditions that a person only implies as plain ones, with "if" or "unless".

"If there is no cat, don't bother, otherwise classify it" has something done on the opposite alone,
"more than ten -> caption it" has an arrow for "if", "both ends of the row" are two positions.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from edgewright.agents.planner.embedded.grammar.amounts import AMOUNT
from edgewright.agents.planner.embedded.grammar.clauses import VERBS, beginning
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.nothing import LEAVE, NO_MORE, NOTHING, QUIET
from edgewright.agents.planner.embedded.grammar.states import is_state

NOUN = any_of("image_noun")
SHOWS = r"(?:shows?|ha(?:ve|s)|contains?|includes?|depicts?|features?)"
IN_THEM = r"(?:\s+(?:in|on)(?:\s+(?:them|it))?)?[\s.!]*"

_START = r"(?:^|(?<=[.;,!?]\s))"
_SENTENCE = r"(?:^|(?<=[.;!?]\s))"
_ARROW = r"(?:\u2192|\u21d2|[-=]>)"
_SIGNS = {
    ">": "more than", "<": "fewer than", ">=": "at least", "<=": "at most",
    "\u2265": "at least", "\u2264": "at most",
}  # fmt: skip
_VERBS = {
    "describ": "describe", "caption": "caption", "classif": "classify", "label": "label",
    "count": "count", "read": "read", "identif": "identify",
}  # fmt: skip
_YES = re.compile(r"yes|yep|true|so", re.IGNORECASE)
_NO = re.compile(
    r"(?:no|nope|not|none|else|otherwise|false|fewer|less|more)(?:\s+than\s+(?:that|this))?",
    re.IGNORECASE,
)
_BARE = re.compile(r"^(?:an?|any)\s+", re.IGNORECASE)
_THING = re.compile(r"(?:(?:an?|any|some|no)\s+)?(?P<noun>[\w'-]+(?:\s+[\w'-]+)?)", re.IGNORECASE)

Replacement = str | Callable[[re.Match[str]], str]


def explicit(text: str) -> str:
    """Return a request with plain conditions in the place of implied ones."""
    for pattern, replacement in _FORMS:
        text = pattern.sub(replacement, text)
    return text


def if_there(thing: str, article: str = "") -> str:
    """Return the words of a condition that something is there."""
    if thing.lower().endswith(("s", "people", "children", "men", "women")):
        return f"if there are {thing}, "
    return f"if there is {article} {thing}, ".replace("  ", " ")


def _pointed(match: re.Match[str]) -> str:
    """Return the condition before an arrow."""
    what = match["what"]
    if _NO.fullmatch(what):
        return "otherwise "
    if _YES.fullmatch(what):
        return "if so, "
    if re.match(r"\w+ing\b", what) or is_state(what):
        return f"if it is {what}, "
    if thing := _THING.fullmatch(what):
        return if_there(what, "a" if thing["noun"] == what else "")
    return f"if {what}, "


def _form(pattern: str, replacement: Replacement) -> tuple[re.Pattern[str], Replacement]:
    return re.compile(pattern, re.IGNORECASE), replacement


_TASK_VERB = r"(?:please\s+)?(?:describe|caption|classify|label|read|count)\b"
_IMAGE = (
    rf"(?:the\s+(?:first|second|third|last|other|left|right)(?:\s+(?:one|{NOUN}))?|{NOUN}\s+\d"
    r"|\S+\.\w{3,4})"
)


def _instead(match: re.Match[str]) -> str:
    """Return a request with another image on a condition: "if …, describe the second, …"."""
    what = re.sub(r"^(?:it|that|this)(?:'s|\s+is)\b", f"{match['one']} is", match["what"])
    return f"if {what}, {match['do']}{match['other']}, otherwise {match['do']}{match['one']}"


_ORDER = rf"(?=(?:(?:then|just|only|please|also)\s+)*(?:{'|'.join(sorted(VERBS))})\b)"

#: Forms in the order in which they are rewritten.
_FORMS = [
    # "Describe the first, or the second if the first is blurry."
    _form(
        rf"^(?P<do>{_TASK_VERB}.*?)(?P<one>{_IMAGE}),?\s+or\s+(?:else\s+)?(?P<other>{_IMAGE})\s+(?:instead\s+)?if\s+(?P<what>[^.;!?]+)",
        lambda match: _instead(match),
    ),
    # "Caption it, or if it is too dark, classify it."
    _form(
        rf"^(?P<do>{_TASK_VERB}[^,;.]*),?\s+or\s+(?:else\s+)?if\s+(?P<what>[^.;!?]+?)(?:,\s*|\s+)(?P<other>{_TASK_VERB}[^.;!?]*)",
        r"if \g<what>, \g<other>. otherwise, \g<do>",
    ),
    # "Describe all, but don't describe the third."
    _form(
        r"\b(?P<task>describe|caption|classify|label)\s+(?P<all>all|every\w*|them|these|both)\b(?P<of>[^,.;!?]*?),?"
        r"\s+(?:but|and)\s+(?:please\s+)?(?:do\s+not|don't)\s+(?P=task)\s+",
        r"\g<task> \g<all>\g<of> except ",
    ),
    # "If there are children, don't describe it. If not, do."
    _form(
        r"(?P<before>\b(?:do\s+not|don't)\s+(?P<task>describe|caption|classify)\b.*[,.;:]\s*(?:then\s+)?)do"
        r"(?:\s+(?:it|so|that))?(?=\s*(?:[.!]|$))",
        r"\g<before>\g<task> it",
    ),
    # "Is it also cracked in the second?"
    _form(
        r"\b(?P<is>(?:is|are|does|has)\s+(?:it|there|he|she|they|the\s+\w+))\s+also\s+(?=\w)",
        r"\g<is> ",
    ),
    _form(r"\bin\s+case\s+of\s+(?=\w)", "if there is "),
    # "Classify? No. Caption? Yes."
    _form(
        rf"{_START}(?P<task>(?:an?\s+|the\s+)?{any_of('task_noun')})\s*(?:[?:]|\s)\s*(?P<no>no|nope)\b(?:\s+thanks)?(?=\s*(?:[.,;!]|$))",
        r"no \g<task>",
    ),
    _form(
        rf"{_START}(?P<task>(?:an?\s+|the\s+)?{any_of('task_noun')})\s*[?:]\s*(?:yes|yep)\b(?:\s+please)?(?=\s*(?:[.,;!]|$))",
        r"\g<task>",
    ),
    # "Caption the first. Do the second as well."
    _form(
        r"(?P<before>\b(?P<task>describ|caption|classif|label|count|read|identif)(?:e|y|ing)?\b[^?]*?[.,;!]\s*(?:and\s+|but\s+|then\s+|please\s+)*)(?:do\s+)?(?P<what>(?:the|my|both|number|image|photo|picture)\s[^.,;!?]{1,40}?|\S+\.\w{3,4})\s+(?:too|as\s+well|also)(?=\s*(?:[.!,;]|$|only\b))",
        lambda match: f"{match['before']}{_VERBS[match['task'].lower()]} {match['what']}",
    ),
    _form(r"\bhalf\s+a\s+dozen\b", "six"),
    _form(r"\ba\s+dozen\b", "twelve"),
    # "If yes he wants a description, if no he wants a number."
    _form(r"(?:^|(?<=[.,;!?:]\s))(?:and\s+)?(?:if|when)\s+yes\b[\s,:]*(?=\w)", "if so, "),
    _form(
        r"(?:\s*,\s*|(?<=[.;!?]\s))(?:and\s+|but\s+)?(?:if|when)\s+no(?:t)?\b\s*[,:]?\s+(?=(?:he|she|they|i|we|my|"
        rf"{'|'.join(sorted(VERBS))}|how|what|which|where)\b)",
        ". otherwise, ",
    ),
    # "With four or fewer I need no more; with more, describe it."
    _form(
        rf"{_START}(?:and\s+|but\s+)?with\s+(?P<n>{AMOUNT})(?:\s+of\s+them)?\s*,?\s+"
        rf"(?=(?:i|we|you|nothing|no|that's)\b|{beginning()})",
        r"if there are \g<n>, ",
    ),
    # "If there is no cat, don't bother", "…, else don't": nothing is done.
    _form(
        rf"(?P<before>\b(?:if|unless|when|should)\s(?:(?!\bthen\b)[^.;!?]){{1,90}}?\s*[,:?]\s*(?:then\s+|in\s+(?:which|that)\s+case,?\s+)?|{any_of('else_word')}(?!\w)[\s,:]*(?:then\s+)?){QUIET}{NO_MORE}",
        rf"\g<before>{NOTHING}",
    ),
    _form(
        rf"(?P<before>\b(?:if|unless|when)\s[^.;!?,]{{1,90}}?\s+(?:then\s+)?){LEAVE}{NO_MORE}",
        rf"\g<before>{NOTHING}",
    ),
    _form(rf"(?<=\?\s)(?:then\s+)?{QUIET}(?=\s*(?:[.;!]|$))", NOTHING),
    # "Only if it is do I want to know where."
    _form(
        r"\bonly\s+(?:if|when)\s+(?P<what>[^,.;!?]+?)\s*,?\s+(?:do|does|should|would|will|must)\s+(?P<who>i|we|you)\s+(?=\w)",
        r"if \g<what>, \g<who> ",
    ),
    # "Photo 1 too, but that one only if it is dark."
    _form(
        r"\s*,?\s+but\s+(?:that|this|it|the\s+latter)(?:\s+one)?\s+only\s+(?P<word>if|when)\s+",
        r" only \g<word> ",
    ),
    # "…; without a ramp, count the steps."
    _form(
        rf"(?:^|(?<=[.;!?]\s)|(?<=,\s))(?:and\s+|but\s+)?(?P<with>with\s+no|without|with)\s+(?P<thing>(?:an?\s+|any\s+)?[\w-]+(?:\s+[\w-]+)?)\s*,\s*{_ORDER}",
        lambda match: if_there(
            match["thing"]
            if match["with"].lower() == "with"
            else f"no {_BARE.sub('', match['thing'])}"
        ),
    ),
    # "No caption if there is a face in it, otherwise caption it."
    _form(
        rf"^(?:please\s+)?no\s+{any_of('task_noun')}\s+(?:if|when)\s+(?P<what>[^.;!?,]+)[,;.]\s*(?=(?:but\s+)?{any_of('else_word')}(?!\w)(?!\s*,?\s*(?:yes|ok|okay|fine|please)\b))",
        rf"if \g<what>, {NOTHING}. ",
    ),
    # "No caption if there is a face in it."
    _form(
        rf"^(?:please\s+)?(?:no\s+(?P<noun>{any_of('task_noun')})|(?:do\s+not|don't|never)\s+(?P<do>(?:describe|caption|classify|label)\b[^,.;!?]*?))\s+(?:if|when)\s+(?P<what>[^.;!?]+[.!]*)$",
        lambda match: f"{match['noun'] or match['do']} unless {match['what']}",
    ),
    # "Write a caption... not if a face is showing."
    _form(
        r"(?<=\w)\s*[.\u2026!]+\s+(?=(?:but\s+|though\s+)?(?:only\s+if|not\s+if|except\s+if)\s[^,;.]+(?:[.!]|$|,\s+(?:they|it|i|he|she|we)\b))",
        " ",
    ),
    # "Check whether it is off, then describe it" asks, and describes in any case.
    _form(
        rf"(?P<check>\b(?:check|see|look|find\s+out|tell\s+me)\s+(?:if|whether)\s+[^,;.?!]+?),\s+(?:and\s+)?then\s+{_ORDER}",
        r"\g<check>. ",
    ),
    # "…, and either way count the trays."
    _form(
        r"\s*[,.;]?\s+(?:and|but|also)?\s*,?\s*(?:either\s+way|in\s+any\s+case|regardless(?:\s+of\s+(?:that|this))?|anyway)\s*,?\s+"
        + _ORDER,
        ". ",
    ),
    # "None of them needs a caption except the last."
    _form(
        rf"none\s+of\s+(?:them|these|those|the\s+\w+)\s+(?:needs?|gets?|should\s+(?:get|have)|wants?)\s+an?\s+(?P<task>{any_of('task_noun')})"
        r"\s+(?:except|but|apart\s+from|other\s+than)(?:\s+for)?\s+(?P<what>\w)",
        r"a \g<task> of \g<what>",
    ),
    # "Not if there is a face in it, but otherwise caption it."
    _form(
        rf"{_SENTENCE}(?:(?:do\s+)?not|don't|dont|never)\s+(?:if|when)\s+(?P<what>[^.;!?]{{2,80}}?)"
        rf"\s*[,.;]\s*(?:but\s+)?{any_of('else_word')}(?!\w)[\s,:]*(?=\w)",
        r"unless \g<what>, ",
    ),
    # "Count them, and should there be fewer than three, …"
    _form(
        r"(?:,\s*(?:and\s+|but\s+)?|[.;!?]\s+|\s+(?:and|but)\s+)should\s+(?P<what>there|it|that|they)"
        r"\s+(?P<no>not\s+)?be\s+(?=\w)(?!one\b|any\b)",
        lambda match: f". if {match['what']} is {'not ' if match['no'] else ''}",
    ),
    _form(
        r"(?<![-=\w])[<>]\s*=?\s*(?=\d)|[\u2264\u2265]\s*(?=\d)",
        lambda match: f"{_SIGNS[match[0].replace(' ', '')]} ",
    ),
    # "More than ten: caption it. Fewer: leave it."
    _form(
        rf"{_START}(?:if\s+(?:it's\s+)?)?(?:fewer|less|more)(?:\s+than\s+(?:that|this))?\s*[,:]\s*(?=\w)",
        "otherwise, ",
    ),
    # "Which of these show a cat? Describe those."
    _form(
        rf"{_SENTENCE}(?:and\s+|so\s+)*which\s+(?:of\s+(?:these|those|them|the\s+{NOUN})|ones?|{NOUN})\s+"
        rf"{SHOWS}\s+(?P<thing>[^?.!;]+?){IN_THEM}\?\s+(?P<main>(?:(?:please|then|just|only)\s+)*"
        rf"(?:{'|'.join(sorted(VERBS))})\b[^?.!;]*?)\s+(?:just\s+|only\s+)?"
        r"(?:those|them|these|that\s+one|that|it)(?P<end>\s*(?:[.!;]|$))",
        r"\g<main> each picture if it shows \g<thing>\g<end>",
    ),
    _form(
        r"^(?:(?:please|can\s+you|could\s+you)\s+)*(?:(?:go|look|run|work)\s+through|look\s+at|check)\s+"
        rf"(?:these|those|them|each(?:\s+(?:one|of\s+them))?|every\s+one|all(?:\s+of\s+(?:these|them))?|the\s+{NOUN}|the\s+lot)"
        r"(?:\s+(?:one\s+by\s+one|in\s+turn|individually|separately))?\s*(?:[,:.]|\band\b)(?:\s*and)?\s+(?=\w)",
        "",
    ),
    # "Look for a fox. With one, describe it; without one, skip it."
    _form(
        rf"{_START}(?:and\s+|but\s+)?(?P<with>with|without)\s+(?:one|any|it|them)\s*[,:]\s*",
        lambda match: "if so, " if match["with"].lower() == "with" else "if not, ",
    ),
    # "Fewer than ten -> nothing."
    _form(rf"{_START}[^.;,!?\n]{{2,60}}?\s*\??\s*{_ARROW}\s*{QUIET}\s*(?:[.;,!]\s*|$)", ""),
    # "More than ten -> caption it." Before an arrow, an image is a heading.
    _form(
        rf"{_START}(?:if\s+)?(?P<what>(?!{NOUN}\b|the\b|\S+\.\w)[^.;,!?\n]{{2,60}}?)\s*\??\s*"
        rf"{_ARROW}\s*(?=\w)",
        _pointed,
    ),
    # "…, and caption the second in any case": on no condition, although one stands before it.
    _form(
        rf"\s*,?\s+(?:and|but)\s+(?P<what>{beginning()}[^.;!?]{{2,60}}?)\s+(?:in\s+any\s+case|either\s+way"
        r"|regardless|anyway|anyhow|no\s+matter\s+what|whatever\s+happens)\b",
        r". \g<what>",
    ),
    # "Both ends of the row" are its first and its last image.
    _form(
        rf"(?:the\s+(?:{NOUN}|ones?)\s+at\s+)?\b(?:both|the\s+two|either)\s+ends?"
        r"(?:\s+of\s+(?:the|this|my)\s+(?:set|row|series|batch|list|line|sequence|lot))?(?!\s+of\b)\b",
        "the first and the last one",
    ),
]
