"""Splits a request into clauses, each of which may state an intent."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Verbs that begin a new clause when they follow "and", "then" or a comma.
_VERBS = """
add adapt adjust alter analyse analyze animate answer apply assess assign build calculate caption
capture categorise categorize change check chat classify clean colour color combine compare compose
compute condense construct continue convert count create cut decide depict describe design detect
determine develop discover discuss divide draft draw edit enhance estimate evaluate examine exchange
expand explain express extract fill find fine-tune fit fuse generate get give guess have hear help
highlight identify illustrate imagine improve increase infer isolate judge keep label learn let list
listen locate look make map mark match measure merge modify monitor name narrate obtain outline
paint paraphrase parse partition perform picture pinpoint predict prepare present process produce
provide put rate read recognise recognize redraw reduce remove render replace reply report respond
restore retrieve return rewrite run say search see segment separate set show simplify sketch solve
speak specify split spot start state substitute suggest sum summarise summarize swap synthesise
synthesize tag take talk teach tell test track train transcribe transform translate trace turn
understand update upscale use verify visualise visualize watch work write
"""
_QUESTION_WORDS = """
what which who whose whom where when why how is are was were do does did can could has have will
would should
"""
_LINK_WORDS = "first secondly second thirdly next then afterwards afterward finally lastly also"


def _any_of(words: str) -> str:
    return "|".join(words.split())


_BEGINNING = (
    r"(?:(?:please|kindly|" + _any_of(_LINK_WORDS) + r"),?\s+)*"
    r"(?:(?:i|we)(?:'d|\s+would|\s+also|\s+then)*\s+(?:want|need|like|wish|also)\b"
    r"|(?:can|could|would|will)\s+you\b"
    r"|(?:" + _any_of(_VERBS) + r")(?:\b|(?=s\b))"
    r"|(?:" + _any_of(_QUESTION_WORDS) + r")\b)"
)
_BREAK = re.compile(
    r"""
    (?:(?<=[.!?;:])|(?<=[.!?;:]["')\]]))\s+                    # end of a sentence
    | \s*[\n\r]+\s*
    | \s*,?\s+(?=(?:and\s+)?(?:then|finally|afterwards?|lastly|also|next(?!\s+to\b))\b)
    | (?:\s*,\s*(?:and\s+|but\s+|or\s+)?|\s+(?:and|but)\s+)(?=BEGINNING)
    # not "the before and the after", "just after seven"
    | (?<!\bthe)(?<!\bmy)(?<!\bjust)(?<!\bshortly)\s*,?\s+
      (?=(?:before|after|while|once|based\s+on|so\s+that)\s)
    """.replace("BEGINNING", _BEGINNING),
    re.VERBOSE | re.IGNORECASE,
)
#: Found in every text that ``_BREAK`` splits; most texts are a single clause, and this is faster.
_MAY_BREAK = re.compile(
    r"""
    [.!?;:]["')\]]?\s | [,\n\r]
    | \s(?:and|but|then|finally|afterward|lastly|also|next|before|after|while|once|based|so)
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: Text in quotation marks. An apostrophe inside a word is not a quotation mark.
QUOTED = re.compile(
    r"""(?<!\w)(?:'(?P<single>(?:[^'\n]|(?<=\w)'(?=\w)){2,}?)'|"(?P<double>[^"\n]{2,}?)"|“(?P<curly>[^”]{2,}?)”)(?!\w)"""
)
#: A clause needs a content word.
_CONTENT = re.compile(
    r"\b(?!(?:and|or|but|then|also|finally|please|first|next|so|i|we|afterwards?|can|could|would|will|you)\b)"
    r"[^\W_]",
    re.IGNORECASE,
)


#: The same verbs, one by one.
VERBS = frozenset(_VERBS.split())


def beginning() -> str:
    """Return a regular expression for the words that begin a clause of its own."""
    return _BEGINNING


@dataclass(frozen=True)
class Clause:
    """A clause of a text.

    Attributes:
        text: The words.
        start: Start position in the text.
        end: End position in the text.
    """

    text: str
    start: int
    end: int


def may_quote(text: str) -> bool:
    """Return whether a text has any of the marks that begin a quotation."""
    return "'" in text or '"' in text or "“" in text


def segment(text: str) -> list[Clause]:
    """Split a text into clauses, in order. Only stretches without content words are dropped."""
    if not _MAY_BREAK.search(text):
        return [Clause(text=text, start=0, end=len(text))] if _CONTENT.search(text) else []
    quotes = [found.span() for found in QUOTED.finditer(text)] if may_quote(text) else []
    breaks = [
        found
        for found in _BREAK.finditer(text)
        # Never split inside a quotation, nor between it and the words that introduce it.
        if not (quotes and any(first <= found.end() < last for first, last in quotes))
    ]
    clauses: list[Clause] = []
    start = 0
    for found in [*breaks, None]:
        end = found.start() if found else len(text)
        words = text[start:end]
        if _CONTENT.search(words):
            clauses.append(Clause(text=words, start=start, end=end))
        start = found.end() if found else end
    return clauses
