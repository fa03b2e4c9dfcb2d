"""Reads follow-ups that leave out what the turn before said: "and in this one?", "and a dog?"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.embedded.grammar.clauses import segment
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, words
from edgewright.agents.planner.embedded.grammar.references import Mention

_WORD = re.compile(r"[\w'-]+")
_REPEAT = re.compile(rf"\b{any_of('repeat_word')}\b", re.IGNORECASE)
#: Asks by itself, however common its words are.
_WHAT_IS = re.compile(r"\bwhat(?:'?s|\s+is|\s+are)\b", re.IGNORECASE)
_DOUBT = re.compile(
    r"(?:\w{1,6}\b[\s,.!?]+){0,2}(?:are|r)\s+(?:you|u)\s+(?:\w+\s+)?(?:sure|certain|positive)"
    r"(?:\s+(?:about|of)\s+(?:that|this|it))?[\s.!?]*|(?:\w{1,6}\b[\s,.!?]+)?really\s*\?+"
    r"|(?:\w{1,6}\b[\s,.!?]+){0,2}is\s+(?:that|this|it)\s+(?:really\s+)?(?:right|correct|true|so)\s*\?+"
    r"|(?:(?:oh,?\s+)?really\s*\?+\s*)?(?:why|what\s+makes\s+you|how\s+(?:do|can)\s+you)\s+(?:do\s+you\s+)?(?:think|say|know|tell)(?:\s+(?:so|that))?\s*\?*",
    re.IGNORECASE,
)
#: Comes with a new image of the same: "a sharper one, sorry, my hand was shaking".
_BETTER = re.compile(
    r"^(?:(?:sorry|ok|okay|oh|and|so|here(?:'s|\s+is)|this\s+is|that's|try|take|use|with|an?|the|this|my|much)\b[\s,]*)*"
    r"(?:better|sharper|clearer|brighter|newer|closer|larger|bigger|cleaner|steadier|fresh|retaken|less\s+\w+|higher\s+resolution)\s+"
    rf"(?:{any_of('image_noun')}|one|version|copy|attempt|try|go)\b(?!.*\?)",
    re.IGNORECASE,
)
_TASK = re.compile(any_of("task_noun"), re.IGNORECASE)
#: What introduces a noun that replaces the one of the question before.
_NEW_NOUN = re.compile(
    r"^(?:(?:and|or|but|also|ok|so|now|plus|sorry|no|oops|i\s+meant?)[\s,]+)*(?:(?:what|how)\s*(?:about|abt)\s+|any\s+sign\s+of\s+)?"
    r"(?P<noun>(?:(?P<no>no)|an?|any|the|some|its|his|her|their|my)\s+[\w'-]+(?:\s+[\w'-]+){0,3}?)"
    r"(?:\s+(?:too|either|as\s+well|then|there|in\s+it))?\s*\??$",
    re.IGNORECASE,
)
_COUNTING = re.compile(
    r"\bhow\s+many\s+(?P<noun>[\w'-]+(?:\s+(?!are\b|is\b|do\b|can\b|in\b|on\b)[\w'-]+)?)(?=\s+(?:are|is|do|can)\b|\s*\??$)",
    re.IGNORECASE,
)
_COLOUR = re.compile(any_of("colour"), re.IGNORECASE)
_LAST_COLOUR = re.compile(rf"\b{any_of('colour')}(?=\W*$)", re.IGNORECASE)
#: "And dogs?"
_MERE_NOUN = re.compile(
    r"^(?:(?:(?:and|or|also|plus|ok|so|now)[\s,]+)+(?P<noun>[\w'-]+(?:\s+[\w'-]+)?)\s*\?*"
    r"|(?P<alone>[a-z][\w'-]{2,}(?:\s+(?:(?:and|or)\s+)?[a-z][\w'-]{2,})?)\s*\?+)$",
    re.IGNORECASE,
)
_BARE_NOUN = re.compile(
    r"^(?:(?:and|or|but|also|ok|so|now)[\s,]+)*(?:what|how)\s*(?:about|abt)\s+"
    r"(?P<alone>(?!))?(?P<noun>(?!this\b|that\b|it\b|these\b|those\b|them\b)[\w'-]+(?:\s+[\w'-]+)?)"
    r"(?:\s+(?:too|either|as\s+well|then|there|in\s+it))?\s*\??$",
    re.IGNORECASE,
)
#: "I said cats, not dogs", "not dogs, cats".
_CORRECTED = re.compile(
    r"(?:(?:no|sorry|but|oh)[\s,]+)*(?:i\s+(?:said|meant?|asked\s+(?:about|for))\s+)?(?:"
    r"(?P<new>[\w' -]{2,30}?),?\s+(?:and\s+)?not\s+(?P<old>[\w' -]{2,30})"
    r"|not\s+(?P<old2>[\w' -]{2,30}?),?\s+(?:but\s+)?"
    r"(?P<new2>(?:(?:the|an?|any)\s+)?[\w'-]{2,30}))[\s.!?]*",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^\s*(?:the|an?|any|some)\s+", re.IGNORECASE)
_PLACE = re.compile(
    r"^(?:(?:and|but|what about|how about)\s+)+"
    r"(?P<place>(?:on|in|at|under|behind|above|beside|below)\s+.+?)\s*\??$",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    r"^(?:and\s+|so\s+)*(?:how\s+many|what\s+number)(?:\s+(?:are\s+there|of\s+them))?\s*\?*$",
    re.IGNORECASE,
)
_HOW_MANY_ASKED = re.compile(r"\bhow\s+(?:many|much)\b", re.IGNORECASE)
_HOW_MANY_ALONE = re.compile(
    r"(?:(?:and|so|then|also|please|just|tell\s+me|say)\s+)*how\s+many(?:\s+(?:there\s+are|are\s+there|of\s+them))?\W*$"
    r"|(?:(?:and|then|also|please|just|only|give\s+me|(?:i|we)(?:'d)?\s+(?:want|need|like)|i\s+would\s+like)\s+)*(?:an?|the)\s+(?:count|number|total)(?:\s+please)?\W*$",
    re.IGNORECASE,
)
_EXISTS = re.compile(
    r"^(?P<begin>.*?\b(?:(?:is|are)\s+there|(?:can|could|do|did)\s+you\s+(?:see|spot|find|make\s+out))\s+)(?:any|an?|some|the|no)?\s*(?P<noun>.+?)(?P<where>\s+(?:in|on)\s+(?:it|this|the|that|my)\b.*?)?\s*\??$",
    re.IGNORECASE,
)
#: Questions that name what they are about by a pronoun, or not at all.
_REFERRING = re.compile(
    r"^(?:(?:and|so|but|ok|okay|then|now|(?:just\s+|also\s+)?(?:tell|show)\s+(?:me|us)|say)\b[\s,]*)*(?:(?P<ask>where(?:abouts)?(?:\s+exactly)?|(?:what|which)\s+colou?r"
    r"|what\s+(?:kind|breed|sort|type|species))"
    r"(?:'s\s+(?:it|he|she)|\s+(?:is|are)\s+(?:it|he|she|they|that|those)|\s+(?:it|he|she|they)\s+(?:is|are))?"
    r"|(?:is|are)\s+(?:it|he|she|they)\s+(?P<state>(?:(?:on|at|in)\s+the\s+(?:left|right|top|bottom|middle)"
    r"|standing|sitting|lying|smiling|red|blue|green|yellow|white|brown|orange|black|gr[ae]y|big|small"
    r"|large|old|young)\b(?!\s+and\s+white)[^?]*?))\s*[?.]*$",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"\b(?P<order>count|detect|locate|find|box|mark|highlight|outline|list"
    r"|(?:box(?:es)?|rectangles?|frames?)\s+(?:around|round|on))\s+(?:them|him|her)\b",
    re.IGNORECASE,
)
#: The noun that a question is about.
_TOPIC = re.compile(
    r"^(?:.*?\bhow\s+many\s+(?P<many>.+?)\s+(?:are|is|do|can)\b.*"
    r"|.*?\b(?:(?:is|are)\s+there|there(?:'s|\s+is|\s+are)|(?:do|can|could)\s+you\s+see)\s+"
    r"(?:(?:an?|any|some|the|no)\s+)?(?P<there>.+?)(?:\s+(?:in|on)\s+(?:it|this|the|that|my)\b.*?)?"
    r"|.*?\b(?:what|which)\s+(?:(?:kind|sort|type|breed|species)\s+of\s+)?(?!(?:colou?r|time|day|date|year"
    r"|size|shape|number|language|breed|species|kind|sort|type|text|else)\b)"
    r"(?P<what>\w+)\s+(?:is|are)\s+(?:this|that|it|these|those|they)\b.*"
    r"|(?:where|(?:what|which)\s+colou?r)\s+(?:is|are)\s+(?P<the>(?:the|my|his|her)\s+.+?))\s*\??$",
    re.IGNORECASE,
)
_WHERE = re.compile(
    rf"\s+(?:in|on|of)\s+(?:it|(?:the|this|that|my|these|both)\s+(?:\w+\s+)?{any_of('image_noun')}|here|there)\s*\??$",
    re.IGNORECASE,
)
_LAST_NOUN = re.compile(
    r"\b(?:the|an?|any|his|her|its|their|my|this|that)\s+(?!.*\b(?:the|an?|any|his|her|its|their|my|this|that)\s)[^?]*$",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|does|do|has|have|can|describe|caption|classify|tell|count|say|give)\b",
    re.IGNORECASE,
)


def repeats(text: str, found: Sequence[Mention], *, new_images: bool) -> bool:
    """Return whether a text adds nothing to the turn before but images, or asks for it again.

    Args:
        text: The text.
        found: Its mentions of images.
        new_images: Whether images came with it.
    """
    if doubts(text) or (new_images and improves(text)):
        return True
    if _HOW_MANY_ASKED.search(text):
        return False
    rest = text
    for mention in reversed(found):
        rest = rest[: mention.start] + " " + rest[mention.end :]
    closed = words("closed_class")
    if not all(word in closed for word in _WORD.findall(rest.lower())):
        return False
    if _WHAT_IS.search(text) and not _REPEAT.search(text):
        return False
    return bool(
        found
        or _REPEAT.search(text)
        or (new_images and not _WORD.search(rest))
        or (
            new_images
            and re.search(
                r"\b(?:this|that|these|those|here|now|one|about|same|too|well)\b",
                text,
                re.IGNORECASE,
            )
        )
    )


def says_again(text: str) -> bool:
    """Return whether a text has a word for doing the same again."""
    return bool(_REPEAT.search(text))


def improves(text: str) -> bool:
    """Return whether a text only says that an image is better than the one before."""
    return bool(_BETTER.match(text))


def doubts(text: str) -> bool:
    """Return whether a text only asks whether the answer before is right."""
    return bool(_DOUBT.fullmatch(text.strip()))


def continued(text: str, before: str) -> str:
    """Return the whole question of a follow-up that gives only its new noun or place.

    Args:
        text: The follow-up, such as "and a dog?".
        before: The question of the turn before; empty if it had none.

    Returns:
        The question, or an empty string if the text is no such follow-up.
    """
    if _HOW_MANY.match(text) and (match := _EXISTS.match(before)):
        return f"how many {match['noun']} are there{match['where'] or ''}?"
    if (match := _CORRECTED.fullmatch(text.strip())) and (asked := _swapped(match, before)):
        return asked
    if (match := _PLACE.match(text)) and not _VERB.search(match["place"]):
        return (
            f"{_WHERE.sub('', before.rstrip('? ')) or 'what is'} {match['place']}?"
            if not before
            else _placed(before, match["place"])
        )
    match = _NEW_NOUN.match(text) or _BARE_NOUN.match(text) or _mere_noun(text, before)
    noun = (match["noun"] or match["alone"]) if match else ""
    if not match or _VERB.search(noun) or _TASK.fullmatch(_ARTICLE.sub("", noun)):
        return ""
    return _recoloured(before, noun) or _counted(before, noun) or _asked(match, noun, before)


def _asked(match: re.Match[str], noun: str, before: str) -> str:
    """Return the question before with the noun that a follow-up names."""
    if match.re is not _NEW_NOUN:
        noun = f"any {noun}" if not before or _EXISTS.match(before) else f"the {noun}"
    elif match["no"]:
        noun = re.sub(
            r"^no\s+", "any " if noun.rstrip().endswith("s") else "a ", noun, flags=re.IGNORECASE
        )
    exists = _EXISTS.match(before)
    if exists or not before:
        plural = noun.lower().startswith(("any ", "some ")) and noun.rstrip().endswith("s")
        where = (exists["where"] or "") if exists else ""
        return f"{'are' if plural else 'is'} there {noun}{where}?"
    where = _WHERE.search(before)
    core = before[: where.start()] if where else before.rstrip("? ")
    replaced = _LAST_NOUN.sub(noun, core)
    if replaced == core:
        replaced = re.sub(r"\b(?:it|they|he|she|this|that)\b", noun, core, count=1)
    return f"{replaced}{where[0].rstrip('? ') if where else ''}?"


def _mere_noun(text: str, before: str) -> re.Match[str] | None:
    """Match a noun without an article or "what about": only a question can miss it."""
    match = _MERE_NOUN.match(text)
    if (
        not match
        or (match["noun"] and not before)
        or any(
            word in words("closed_class")
            or word in words("adverb")
            or re.fullmatch(any_of("ordinal", "last_word"), word)
            for word in (match["noun"] or match["alone"]).lower().split()
        )
    ):
        return None
    return match


def _recoloured(before: str, colour: str) -> str:
    """Return "is the car blue?" for "is the car red?", or nothing."""
    asked, count = _LAST_COLOUR.subn(colour, before) if _COLOUR.fullmatch(colour) else ("", 0)
    return asked if count else ""


def _counted(before: str, noun: str) -> str:
    """Return "how many dogs are there?" for "how many cats are there?", or nothing."""
    counted = _ARTICLE.sub("", noun)
    asked, count = _COUNTING.subn(f"how many {counted}", before, count=1)
    return asked if count else ""


def _swapped(match: re.Match[str], before: str) -> str:
    """Return the question before with the word that a correction names replaced, or nothing."""
    old, new = match["old"] or match["old2"], match["new"] or match["new2"]
    stem = re.escape(_ARTICLE.sub("", old).strip().removesuffix("s"))
    asked, count = re.subn(
        rf"\b{stem}s?\b", _ARTICLE.sub("", new).strip(), before, count=1, flags=re.IGNORECASE
    )
    return asked if count else ""


def topic(question: str) -> str:
    """Return the noun that a question is about, which a pronoun can stand for later, or nothing."""
    match = _TOPIC.match(question)
    noun = (match["there"] or match["many"] or match["what"] or match["the"]) if match else ""
    noun = re.sub(r"^(?:the|my|his|her)\s+", "", noun.strip(" ,.;"), flags=re.IGNORECASE)
    return "" if re.search(r"\b(?:or|and)\b", noun) else noun


def referred(text: str, noun: str) -> str:
    """Return a clause with the noun that its pronoun stands for: "what colour is the dog?".

    Args:
        text: The clause, such as "what colour is it?", "where?" or "count them".
        noun: What the questions before were about; empty if that is not known.
    """
    if noun and _HOW_MANY_ALONE.match(text.strip()):
        return f"how many {noun} are there?"
    match = _REFERRING.match(text.strip()) if noun else None
    if not match:
        return _ORDERED.sub(rf"\g<order> the {noun}", text) if noun else text
    mark = "?" if text.rstrip().endswith("?") else ""
    several = noun.lower() in ("people", "children", "men", "women") or re.search(r"[^s]s$", noun)
    verb = "are" if several else "is"
    if match["state"]:
        return f"{verb} the {noun} {match['state']}{mark}"
    ask = re.sub("abouts", "", match["ask"], flags=re.IGNORECASE)
    return f"{ask} {verb} the {noun}{mark}"


def without_pronouns(text: str, noun: str) -> tuple[str, str]:
    """Replace pronouns by the noun that a question before them names.

    Args:
        text: A sentence.
        noun: The noun of the sentences before.

    Returns:
        The sentence, and the noun for the next one.
    """
    parts: list[str] = []
    end = 0
    for clause in segment(text):
        parts += [text[end : clause.start], referred(clause.text, noun)]
        end, noun = clause.end, topic(clause.text) or noun
    return "".join([*parts, text[end:]]), noun


def _placed(before: str, place: str) -> str:
    """Put another place into a question, instead of the one with the same preposition."""
    preposition = place.split()[0]
    pattern = rf"\s+{re.escape(preposition)}\s+(?:the\s+)?[\w-]+(?=\s+(?:of|in)\b|\s*\??$)"
    replaced, count = re.subn(pattern, f" {place}", before, count=1, flags=re.IGNORECASE)
    return replaced if count else f"{before.rstrip('? ')} {place}?"
