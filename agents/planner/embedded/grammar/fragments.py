"""Reads fragments as whole requests: "dog: yes or no", "wolf or husky?", "describe the belt"."""

from __future__ import annotations

import re

from edgewright.agents.planner.embedded.grammar.checks import searched
from edgewright.agents.planner.embedded.grammar.lexicon import any_of
from edgewright.agents.planner.embedded.grammar.questions import guard_of
from edgewright.agents.planner.embedded.grammar.references import STAND_IN
from edgewright.agents.planner.embedded.grammar.remarks import without_asides, without_purpose

_YES_NO = re.compile(
    r"(?P<thing>[\w' -]{2,60}?)\s*[:,;?\u2013-]+\s*(?:yes\s*(?:or|/)\s*no|y\s*/\s*n)\W*"
    r"|(?:yes\s*(?:or|/)\s*no|y\s*/\s*n)\s*[:,;\u2013-]+\s*(?P<thing2>[\w' -]{2,60}?)\W*",
    re.IGNORECASE,
)
_ANY = re.compile(r"(?:and\s+|or\s+)?(?P<thing>any\s+[\w' -]{2,40}?)\s*\?+", re.IGNORECASE)
_ALTERNATIVES = re.compile(r"(?:[A-Z][\w'-]*[ ,]+){1,6}or(?: [A-Z][\w'-]*){1,3}\?+")
_NEXT_TASK = re.compile(
    rf"(?:(?:and|ok|okay|so|now|then|next|also|finally)[\s,]+)+(?P<task>(?:the|an?|its)\s+{any_of('task_noun')})\W*",
    re.IGNORECASE,
)
_ABOUT_IT = re.compile(
    r"(?:(?:and|so|ok|please|can\s+you|could\s+you|now)[\s,]+)*(?:tell|say)\s+(?:(?:me|us)\s+)?"
    r"(?:(?:something|more|all|everything|a\s+(?:bit|little)(?:\s+more)?)\s+)?about\s+(?:it|this|that)\W*"
    r"|(?:(?:and|so|ok|please|can\s+you|could\s+you|now)[\s,]+)*(?:(?:give|tell)\s+(?:me|us)\s+)?(?:some\s+|a\s+(?:bit|little)\s+)?more\s+details?(?:,?\s+please)?(?:\W*$|,\s.*)",
    re.IGNORECASE,
)
#: A picture says what is written in it.
_SAYS = re.compile(
    rf"(?:(?:and|so|ok|okay|now|then)\s+)*(?:what\s+does\s+{STAND_IN}\s+(?:say|read)|what(?:'?s|\s+is)\s+(?:printed|engraved|stamped|scribbled)\b[^?.]*"
    rf"|(?:tell\s+me|read(?:\s+out)?)\s+what\s+(?:it|{STAND_IN})\s+says)\W*$",
    re.IGNORECASE,
)
#: A description of the main thing is one of the picture.
_DESCRIBE = re.compile(
    r"(?:(?:please|now|just|then|also|and|so|can\s+you|could\s+you)[\s,]+)*describe\s+(?:(?:the|this|that|my|these|those)\s+)?"
    rf"(?:(?!(?:and|or|how|what|if|in|for|with|facial|it|them|{any_of('image_noun')})\b)[\w'-]+\s*){{1,3}}(?<!expression)(?<!emotion)(?<!mood)(?<!pose)(?<!posture)"
    r"(?:,?\s*please)?[\s.!]*",
    re.IGNORECASE,
)
_TAGS = re.compile(
    rf"(?:(?:and|just|some|a\s+few|the|please|pls)\s+)*{any_of('tag_noun')}(?:[\s,]+(?:please|pls|plz))?\W*",
    re.IGNORECASE,
)
_DETERMINED = re.compile(r"(?:an?|any|some|the)\s", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:is|are|was|does|do|has|have|can|describe|caption|classify|tell|count|say|give)\b",
    re.IGNORECASE,
)


#: A bare task: "now classify", "and classes please".
_TASK_ALONE = re.compile(
    r"(?:(?:and|ok|okay|so|now|then|next|also|just|only|please|pls|finally|instead|(?:(?:could|can|may)\s+(?:i|we)\s+(?:have|get)|(?:give|tell)\s+me|say|put|write)\s+(?:that|it|this)(?=\s+in\b))\b[\s,]*)*"
    r"(?:(?P<C>classify|classification|class(?:es)?|categor(?:y|ies|i[sz]e)|labels?)|(?P<T>caption(?:s|ing)?|describe|descriptions?|in\s+(?:your\s+own\s+|plain\s+)?words|in\s+(?:(?:an?|one|two|three|a\s+few|full|whole|complete)\s+)?sentences?|in\s+prose))"
    r"(?:\s+(?:please|pls|too|as\s+well|now|also|instead|then))*\W*",
    re.IGNORECASE,
)


_NUMBER_OF = re.compile(
    r"(?:(?:and|so|also|please|just|only|(?:give|tell)\s+me|(?:i|we)(?:'d)?\s+(?:want|need|like))\b[\s,]*)*(?:the\s+)?(?:count|number|total|total\s+number)\s+of\s+(?:the\s+)?"
    r"(?P<noun>[\w'-]+(?:\s+(?!in\b|on\b|of\b|at\b)[\w'-]+){0,2}?)(?P<where>\s+(?:in|on|at)\s+[^,;?]+?)?(?:,?\s+(?:please|pls|only))?[\s.?!]*",
    re.IGNORECASE,
)
_ANY_IDEA = re.compile(
    r"(?:(?:so|and|well)[\s,]+)?any\s+(?:ideas?|clues?|guess(?:es)?)\s*\?+", re.IGNORECASE
)
_NO_NOUN = any_of("task_noun", "image_noun", "ordinal", "last_word")
_ONLY_NOUN = re.compile(
    r"(?:(?:so|and|please)[\s,]+)*(?:only|just)\s+(?P<noun>(?:the|its|his|her|their|my)\s+"
    rf"(?!(?:\w+\s+)?(?:{_NO_NOUN}|ones?|same|other)\b)[\w'-]+(?:\s+[\w'-]+){{0,2}}?)"
    r"(?:,?\s+please)?\W*",
    re.IGNORECASE,
)


def completed(text: str) -> str:
    """Return the whole request of a fragment: "dog: yes or no", "wolf or husky?", "tags".

    Args:
        text: A text; it is returned unchanged if it is no such fragment.
    """
    text = text.strip()
    for read in (_yes_or_no, _by_noun, _by_task):
        if whole := read(text):
            return whole
    return text


def _yes_or_no(text: str) -> str:
    """Return the question of "dog: yes or no", "wolf or husky?" or "any dogs?", or nothing."""
    if match := _YES_NO.fullmatch(text):
        thing = (match["thing"] or match["thing2"]).strip()
        if _VERB.search(thing):
            return f"{thing}?"
        return f"is there {thing if _DETERMINED.match(thing) else _article(thing)}?"
    if match := _ANY.fullmatch(text):
        return f"are there {match['thing']}?"
    if _ALTERNATIVES.fullmatch(text) and not _VERB.search(text):
        return f"Is it {text}"
    return "What is it?" if _ANY_IDEA.fullmatch(text) else ""


def _by_noun(text: str) -> str:
    """Return the question of "number of hens" or "only the brand", or nothing."""
    if match := _NUMBER_OF.fullmatch(text):
        return f"how many {match['noun']} are there{match['where'] or ''}?"
    match = _ONLY_NOUN.fullmatch(text)
    return f"What is {match['noun']}?" if match else ""


def _by_task(text: str) -> str:
    """Return the request of a task that is only named, or of something to look for, or nothing."""
    if match := _NEXT_TASK.fullmatch(text):
        return match["task"]
    if match := _TASK_ALONE.fullmatch(text):
        return "Classify the picture." if match["C"] else "Describe the picture."
    if (asked := searched(text)) and not text.endswith("?"):
        return guard_of(asked).premises[0].question
    if _ABOUT_IT.fullmatch(text):
        return "Describe the picture."
    return "Label the picture." if _TAGS.fullmatch(text) else ""


def plain(text: str) -> str:
    """Return the plain form of a request about one image: "describe the belt", "what it says".

    What is only told after a comma is left out.

    Args:
        text: A text with stand-ins for its images; it is returned unchanged if it is no such form.
    """
    text = without_asides(text)
    if _SAYS.match(text.strip()):
        return "what does it say?"
    described = _DESCRIBE.fullmatch(without_purpose(text.strip()))
    return "Describe the picture." if described else text


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
