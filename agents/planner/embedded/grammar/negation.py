"""Takes out of a request what the person does not want done."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgewright.agents.planner.embedded.grammar.lexicon import any_of, expanded, read_grammar
from edgewright.agents.planner.embedded.grammar.sentences import begins_asking, sentences

_GRAMMAR = read_grammar("negation")


def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(expanded(form, _GRAMMAR["definitions"]), re.IGNORECASE | re.DOTALL)


_FOCUS, _CORRECTION = _compiled(_GRAMMAR["focus"]), _compiled(_GRAMMAR["correction"])
_PATTERNS = [_compiled(form) for form in _GRAMMAR["unwanted"]]
_JOINTS = re.compile(
    r"^[\s,;:.!\u2013\u2014-]*(?:(?:but|and|just|instead|or|so|please|kindly|then)\b[\s,:]*)*(?:[.!]\s+)?|[\s,;:\u2013\u2014-]+$",
    re.IGNORECASE,
)
#: Joins nothing any more: "describe the first but."
_LOOSE = re.compile(r"[\s,;]+(?:but|and)\s*(?=[.;!?]|$)", re.IGNORECASE)
_CONTENT = re.compile(r"\w")
_HINT = re.compile(
    r"\b(?:not|no|never|already|longer|neither|without|nothing|rather|dont|wait|but|except|apart|little|better|nicer|more|prefer\w*"
    r"|nah|nope|changed|was|were)\b|n't\b"
    rf"|\b{any_of('dismissal', 'instead', 'correction', 'tiring', 'pointless')}\b"
    rf"|{any_of('aversion')}\b"
    r"|\b(?:can|may)\s+wait\b",
    re.IGNORECASE,
)


#: What bars an image as a whole, whatever is done: "skip the second", "don't look at it".
_BARRING = _compiled(_GRAMMAR["barring"])
_GRANTED = _compiled(_GRAMMAR["granted"])
_TASK = re.compile(rf"\b{any_of('task_noun')}|\bcount\w*|\bread\w*", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """A text without what is not wanted.

    Attributes:
        text: What remains; empty if nothing is requested.
        dropped: The words taken out, in order.
    """

    text: str
    dropped: tuple[str, ...] = ()


def wanted(text: str) -> Wanted:
    """Take out of a sentence, or several, what the person does not want done."""
    if not _HINT.search(text):
        return Wanted(text)
    dropped: list[str] = []

    def drop(match: re.Match[str]) -> str:
        lead = match.groupdict().get("lead") or ""
        words = match[0][len(lead) :].strip()
        if not words:
            return match[0]
        dropped.append(words)
        return lead if lead.rstrip()[-1:] in (*".;:!?", "") or not lead.strip(" ,") else f"{lead} "

    if correction := _CORRECTION.match(text):
        dropped.append(text[: correction.end()])
        text = text[correction.end() :]
    text = _FOCUS.sub(lambda match: match["lead"], text)
    for pattern in _PATTERNS:
        text = pattern.sub(drop, text)
    if not dropped:
        return Wanted(text)
    text = re.sub(r"\s+([,.;:!?])", r"\1", re.sub(r"[ ]{2,}", " ", text))
    text = re.sub(r"[,;:]\s*(?=[.;:!?]|$)", "", text)
    text = _LOOSE.sub("", text)
    text = _JOINTS.sub("", re.sub(r"([.;!?])\s*[,.;:]\s*", r"\1 ", text))
    return Wanted(text if _CONTENT.search(text) else "", tuple(dropped))


def bars(words: str) -> bool:
    """Return whether words that were taken out bar the images before which they stand."""
    return bool(_BARRING.fullmatch(words.strip()))


def granted(remaining: Wanted) -> str:
    """Return what remains with the task that it takes from the words taken out.

    "Don't caption the first. The second can have one." captions the second.
    """
    tasks = [match[0] for words in remaining.dropped for match in _TASK.finditer(words)]
    *before, last = sentences(remaining.text) or [""]
    match = _GRANTED.fullmatch(last)
    what = (match["what"] or match["what2"] or match["what3"] or match["what4"]) if match else ""
    if not what or not tasks or _TASK.search(what) or any(map(begins_asking, before)):
        return remaining.text
    noun = re.search(r"(?:(?<!capt)ions?|s|class|text|tags?)$", tasks[-1], re.IGNORECASE)
    return f"{tasks[-1]} {'of ' if noun else ''}{what.strip()}"
