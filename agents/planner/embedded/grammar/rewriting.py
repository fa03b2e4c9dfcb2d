"""Rewrites what people say in passing into the forms that the rest of the grammar reads.

"Describe the first, no, I mean the second" is a correction within a request, "caption the photos
that show a dog" a condition on each image, "no dog? Classify it." a condition without its "if".
"""

from __future__ import annotations

import re

from edgewright.agents.planner.embedded.grammar.clauses import VERBS, beginning
from edgewright.agents.planner.embedded.grammar.implied import (
    IN_THEM,
    NOUN,
    SHOWS,
    explicit,
    if_there,
)
from edgewright.agents.planner.embedded.grammar.lexicon import any_of

_DETERMINER = r"(?:the|an?|any|some|my|this|that|picture|image|photo|number)"
_HESITATION = (
    r"(?:(?:er+m?|u+[hm]+|oh|oops|sorry|no|hm+|wait|actually|damn)\b[\s,.!\u2013\u2014-]{0,5}){0,4}"
)
#: What a person meant instead of the words just before: "…, sorry, I mean the second".
_AMENDED = re.compile(
    rf"(?P<before>.*?\w)\s?(?:[,.;:!?(\u2026]{{1,4}}|\s[-\u2013\u2014]{{1,3}})\s{{0,3}}{_HESITATION}"
    r"(?:i\s+meant?|make\s+(?:that|it)|or\s+rather|(?<=\bsorry,\s)|(?<=\bwait,\s)|(?<=\bwait\s)|(?<=\bno,\s)"
    r"|(?<=\boops,\s)|(?<=\bsorry\s))\s*,?\s*"
    rf"(?P<new>(?:{_DETERMINER}\s+|(?={any_of('ordinal', 'last_word')}\b))"
    r"(?![^,;:!?.]*\b(?:is|are|was|were|had|has|did|got)\b)[^,;:!?.]{1,40}"
    r"|\S+\.\w{2,4})[\s.!)]*",
    re.IGNORECASE | re.DOTALL,
)
_PHRASE = re.compile(
    rf"\b(?:the|my|this|that)\s+(?:[\w-]+\s+){{0,2}}?(?:{NOUN}|ones?)\b"
    rf"|\b(?:the\s+)?(?:{NOUN}|number)\s+\w+\b|\b{_DETERMINER}\s+[\w-]+|\S+\.\w{{2,4}}\b",
    re.IGNORECASE,
)
#: "Is there a dent? Side view I mean."
_MEANT = re.compile(
    r"(?P<before>.*\w)\s*[.?!,]+\s*(?:the\s+)?(?P<what>(?!what\b|that\b|(?:describe|caption|classify|label|count|read)\b)[\w'-]+(?:\s+[\w'-]+){0,2}?),?\s+i\s+mea?nt?[\s.!]*",
    re.IGNORECASE | re.DOTALL,
)
_ARTICLE = re.compile(r"(?:an?|any|some)\s", re.IGNORECASE)

_SHOWING = r"(?:showing|containing|featuring|depicting|that\s+are\s+of|with)"
_NOT_SHOWING = (
    r"(?:without|lacking|not\s+showing|with\s+no|(?:that|which)\s+(?:do\s+not|does\s+not|don't|doesn't|dont|doesnt)\s+(?:show|have|contain)"
    r"|where\s+(?:there(?:'s|\s+is|\s+are)\s+no|you\s+(?:cannot|can't|don't|do\s+not)\s+see))"
)
_WHICH_IMAGES = (
    rf"(?:(?:only|just|all|any|those|every|each|of|the|my)\s+)*(?P<noun>{NOUN}|ones?|those)"
)
#: "Describe the pictures that show a dog"; "with" also introduces how something is described.
_RELATIVE = re.compile(
    rf"(?P<main>(?:(?:and|please|now|then|only|just)\s+)*{beginning()}.*?)\s+(?:only\s+)?{_WHICH_IMAGES}\s+"
    rf"(?:(?:(?P<lack>{_NOT_SHOWING})|(?:that|which)\s+{SHOWS}|where\s+(?:there(?:'s|\s+is|\s+are)|you\s+(?:can\s+)?see)|{_SHOWING})\s+"
    rf"(?P<thing>(?:an?|some|any|the|no|\w+s|people|person|at\s+least|more\s+than)\b[^,;.:!?]*?){IN_THEM}"
    r"|(?:where|(?:in|on)\s+which)\s+(?P<stated>(?:the|he|she|they|some\w*|any\w*|nobody|no\s+one|people|it)\b[^,;.:!?]*?)[\s.!]*)",
    re.IGNORECASE,
)
_FINDING = re.compile(
    r"(?:(?:and|please|now|then)\s+)*(?:find|show|pick|choose|select|list|give)(?:\s+(?:me|us|out|all|only|just))*",
    re.IGNORECASE,
)
_MANNER = re.compile(
    rf"\b(?:{any_of('task_noun')}|words?|sentences?|phrases?|lines?|paragraphs?|emojis?|bullets?|box(?:es)?"
    r"|style|tone|humou?r|language|score|confidence)\b",
    re.IGNORECASE,
)
_ANY_IMAGE = rf"(?:\s+(?:one|{NOUN}))?(?:\s+of\s+(?:these|those|them|the\s+{NOUN}))?"
#: "Whichever of these shows a dog, describe it".
_WHICHEVER = re.compile(
    rf"(?:whichever|whatever|any|every){_ANY_IMAGE}"
    rf"\s+(?:(?:that|which)\s+)?{SHOWS}\s+(?P<thing>[^,:]+?){IN_THEM}\s*[,:]\s*(?:then\s+)?(?P<main>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
#: "Describe whichever of these shows a dog".
_WHICHEVER_LAST = re.compile(
    rf"(?P<main>(?:(?:and|please|now|then|only|just)\s+)*{beginning()}.*?)\s+whichever{_ANY_IMAGE}"
    rf"\s+(?:(?:that|which)\s+)?{SHOWS}\s+(?P<thing>(?!(?:one|any|some|it)\b)[^,;.:!?]+?){IN_THEM}",
    re.IGNORECASE,
)
_UNDETERMINED = re.compile(r"^(?:an?|any|some|no)\s+", re.IGNORECASE)
#: "For every photo without a person, tell me what it shows".
_FOR_WHICH = re.compile(
    rf"(?:(?:for|with|of|in)\s+)?(?:every|each|all|any|those|the)\s+(?:of\s+)?(?:(?:the|my|these)\s+)?(?:single\s+)?(?P<noun>{NOUN}|ones?)\s+"
    rf"(?:(?P<lack>{_NOT_SHOWING})|(?:that|which)\s+{SHOWS}|where\s+(?:there(?:'s|\s+is|\s+are)|you\s+(?:can\s+)?see)|{_SHOWING})\s+"
    rf"(?P<thing>[^,:]+?){IN_THEM}\s*[,:]\s*(?:then\s+)?(?P<main>{beginning()}.*)",
    re.IGNORECASE | re.DOTALL,
)
_PRONOUN = re.compile(r"\b(?:it|them|that\s+one|those)\b", re.IGNORECASE)

_ORDER = rf"(?:(?:then|just|only|please)\s+)*(?:{'|'.join(sorted(VERBS))})\b"
_AMOUNT = r"(?:no|more\s+than|at\s+least|at\s+most|fewer\s+than|less\s+than|over|under|exactly)"
#: "No dog? Classify it." A question and an order otherwise stand side by side.
_TELEGRAPHIC = re.compile(
    rf"(?:^|(?<=[.!?;]\s))(?:(?:and|but|or)\s+)?(?P<what>{_AMOUNT}\s+[\w' -]{{2,40}}?)"
    rf"\s*\?\s+(?:then\s+)?(?={_ORDER}|(?:i|we)(?:'d|\s+would)?\s+(?:want|need|like)\b|(?:how|what|which|where)\b)",
    re.IGNORECASE,
)
_OPPOSITE = re.compile(
    rf"(?:^|(?<=[.!?;]\s))(?:(?:can|do)\s+you\s+)?(?:see|any|got|is\s+there|are\s+there)?\s*(?:(?:an?|any|some)\s+)?"
    rf"(?P<thing>[\w-]+)\s*\?\s+(?P<then>{_ORDER}[^.!?;]*[.!;]?\s+)(?=no\s+(?P=thing)s?\s*\?\s+{_ORDER})",
    re.IGNORECASE,
)
#: Sounds of somebody who thinks: "so, um, describe it".
_FILLER = re.compile(
    r"\s*,?\s*\b(?:u+h*m+|u+h+|e+r+m*)\b(?![.-]?\w)\s*[,\u2026]*(?:\.\.+)?\s*", re.IGNORECASE
)
#: "If its in focus".
_ITS = re.compile(
    r"\b(?P<word>if|unless|when|as|because|cos|since|and|but|or|think|thinks)\s+its"
    r"(?!\s+[\w-]+(?:\s+[\w-]+)?\s+(?:is|are|was|were|has|have|looks?)\b)(?=\s+\w)"
    r"|\bits(?=\s+(?:an?|the|in|on|at|not|no|too|only|just|more|less|really|still|very|already|\w+ing)\b)",
    re.IGNORECASE,
)
#: "Tell me, is it open?"
_TOLD = re.compile(
    r"(?:^|(?<=[.!?]\s))(?:(?:now|so|please|and)\s+)*(?:tell\s+me|say|(?:please|pls)?\s*check|quick\s+question)\s*[,:]\s+(?=(?:is|are|does|do|has|have|can|was|were)\b)",
    re.IGNORECASE,
)
#: Before a condition: "so what I need is, if there is a dog, …"; and between it and what follows.
_LEADING = re.compile(
    r"^(?:(?:so|ok|okay|well|right|basically|actually|honestly|whatever\s+it\s+is)[\s,]+)*"
    r"(?:(?:my\s+(?:question|request)\s+is|what\s+(?:i|we)(?:'d)?\s+(?:need|want|like|mean)\s+is|(?:here's\s+)?the\s+(?:thing|deal|plan)(?:\s+is)?|whatever\s+it\s+is)"
    r"(?:\s+(?:this|that))?[\s,:]+)?(?=(?:if|when|unless)\b)"
    r"|^(?:please\s+)?compare\s+[^:,.?!]{2,30}[:,]\s+(?=which\b)"
    r"|(?<=\bif),\s+[^,]{2,40},|(?<=\bunless),\s+[^,]{2,40},|\blike\s+(?=\d)"
    r"|(?<=\band)\s*,(?=\s+(?:if|when|unless|provided|should|in\s+case)\b)|(?<=\bbut)\s*,(?=\s+(?:if|when|unless|only)\b)"
    r"|(?<=,)\s*(?:good|fine|great|ok|okay|perfect)\s*,(?=\s*then\b)"
    r"|\b(?:say|tell\s+me)\s+so\s+(?:and|but|then)\s+|,?\s*\bone\s+(?:after|by|at)\s+(?:the\s+other|one|a\s+time)\b",
    re.IGNORECASE,
)
#: "I no want", "I not need".
_NO_WANT = re.compile(
    r"\b(?P<who>i|we)\s+(?:no|not)\s+(?=(?:want|need|like|know|care)\b)", re.IGNORECASE
)
#: Said before the request.
_GREETED = re.compile(rf"^(?:\W*{any_of('greeting')}\b(?!-)[\s,.!:\u2013-]*)+(?=\w)", re.IGNORECASE)
#: Said of what was done before: "no, not that one", "oops, wrong picture".
_REJECTION = (
    rf"(?:(?:no|nope|nah|sorry|oops|oh|hey|well|wait|hm+|argh)\b[\s,.!]*)*(?:(?P<other>not\s+(?:this|that|the\s+same)(?:\s+(?:one|{NOUN}))?"
    rf"|(?:(?:it|that|this)(?:'s|\s+is|\s+was)\s+)?(?:the\s+)?wrong\s+(?:one|{NOUN})"
    rf"|you(?:'ve|\s+have)?\s+(?:picked|took|taken|used|chose|chosen|got|did|have)\s+the\s+wrong\s+(?:one|{NOUN})"
    rf"|(?:it|that|this)(?:'s\s+not|\s+(?:is|was)\s+not|\s+(?:isn't|wasn't))\s+(?:the\s+)?(?:one|{NOUN})(?:\s+(?:that\s+)?i\s+(?:meant|wanted|asked\s+(?:for|about)))?)"
    r"|(?:it|that|this)(?:'s\s+not|\s+(?:is|was)\s+not|\s+(?:isn't|wasn't))(?:\s+(?:it|right|what\s+i\s+(?:meant|wanted|said|asked(?:\s+for)?)))?"
    r"|(?:that's|that\s+is|that\s+was|you're|you\s+are)\s+wrong|(?:my|your)\s+(?:mistake|bad|fault|error)|you\s+(?:misunderstood|misread)(?:\s+me)?"
    r"|i\s+(?:made\s+a\s+mistake|misspoke)|no(?:\s+no)+|nope|oops|sorry)"
)
_REJECTED = re.compile(rf"{_REJECTION}[\s.!]*", re.IGNORECASE)
_REJECTED_FIRST = re.compile(rf"^{_REJECTION}\s*[.,;:!\u2013\u2014-]+\s*(?=\w)", re.IGNORECASE)
#: Said of the answer before: "good.", "great, thanks!".
_ACKNOWLEDGED = re.compile(
    rf"^(?:(?:that's\s+)?(?:very\s+|so\s+)?{any_of('praise')}(?:\s+(?:work|job|so\s+far|then))?\s*[.,;!\u2026]+\s*)+(?=\w)",
    re.IGNORECASE,
)
#: "Look for a horse. Found one? Describe it."
_FOUND = re.compile(
    rf"(?:^|(?<=[.!?;]\s))(?:(?:and|did\s+you|have\s+you|do\s+you|can\s+you)\s+)*(?:found|find|see|spot(?:ted)?|got|seen|yes|(?P<none>none|nothing|nope|no))"
    rf"(?:\s+(?:one|any|it|some|them))?\s*\?\s+(?={_ORDER})",
    re.IGNORECASE,
)
#: "Make sure that there is a dog, then caption it."
_ENSURED = re.compile(
    r"^(?:(?:please|first|and)\s+)*(?:make\s+sure|ensure|be\s+sure|confirm)\s+(?:first\s+)?(?:that\s+)?"
    r"(?P<what>(?:there(?:'s|\s+is|\s+are)|it\s+(?:shows|has|contains|is))\s[^,;.]+?)(?:\s+first)?"
    r"[,;]?\s+(?:and\s+)?(?:only\s+)?then\s+(?=\w)",
    re.IGNORECASE,
)
#: "Count the hens. But not in the first."
_APART = re.compile(r"[.?!]\s+(?=but\s+not\s+(?:in|on|for|of)\b)", re.IGNORECASE)
#: "Describe it, but don't if somebody is in it."
_UNLESS = re.compile(
    r"(?<=\w)[\s,.;!]+(?:(?:but|and|only|though|please)\s+)*(?:do\s+not|don't|dont|never)"
    r"(?:\s+(?:do\s+(?:it|so|that)|bother))?\s+(?:if|when)\b",
    re.IGNORECASE,
)
#: "For each of these: if there is a dog in it, caption it."
_FOR_EACH = re.compile(
    r"(?:for|with)\s+(?P<each>(?:each|every|all|both|any)\b[^,:;.?]{0,30}?)\s*[:,]\s+(?P<rest>(?:if|unless)\b[^.?!]*)[.!]*",
    re.IGNORECASE,
)
#: "Should there not be, classify it."
_SHOULD = re.compile(
    r"\bshould\s+(?:there|it|that|they)(?P<no>\s+not)?(?:\s+be)?(?:\s+(?:one|any))?\s*,",
    re.IGNORECASE,
)
#: "No dog? No caption." says what an order on the opposite condition says again.
_NOTHING = re.compile(
    r"(?:^|(?<=[.!?;]\s))no\s+[\w' -]{2,40}?[?,]"
    rf"\s+(?:then\s+)?no\s+(?:{any_of('task_noun')}|reply|answer|words?)\s*(?:[.!]+\s*|$)",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"(?:^|(?<=[.;,!?\n]\s)|(?<=\n))(?:and\s+)?(?P<word>first|second|third|fourth|fifth)(?:ly)?\s*[:,]\s+",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"(?:(?:and|ok|okay|now|so|good|right)\b[\s,.]*)*(?:the\s+)?next(?:[\s,]+(?:please|pls))?[\s!.]*",
    re.IGNORECASE,
)
#: "The same thing you did with this one" is not about that one.
_SAME_AS = re.compile(
    r"(?P<same>\bsame(?:\s+(?:questions?|things?|tasks?|way|procedure|routine|again|info|information))?)\s+(?:(?:that\s+|as\s+)?(?:you|i|we)\s+(?:just\s+)?(?:did|asked|wanted|had)\s+(?:with|for|on|to|about|in)|as\s+(?:with|for|on|to|about|in))\s+[^.,;:?!]+"
    r"|,?\s*\b(?:just\s+|exactly\s+)?(?:like|as|the\s+way)\s+(?:you|i|we)\s+(?:just\s+)?(?:did|asked|had|wanted)\s+(?:it\s+)?(?:with|for|on|to|about|in)\s+[^.,;:?!]+",
    re.IGNORECASE,
)
#: "Same rule for this one: describe it only if …" says the rule again.
_SAME_RULE = re.compile(
    r"^(?:(?:and|now|so|ok)\s+)*(?:(?:the\s+)?same\s+(?:rule|procedure|thing|deal|condition|again|as\s+before)(?:\s+(?:with|for|on|to)\s+(?P<what>[^:,]+))?"
    r"|(?:(?:with|for|on)\s+)?(?P<what2>[^:,]{2,40}),\s+(?:the\s+)?same\s+(?:\w+\s+)?\w+)\s*:\s+(?=.*\b(?:if|unless|when)\b)",
    re.IGNORECASE,
)
#: "Mine are the last two. Classify mine."
_OWNER = re.compile(
    r"(?:(?P<who>mine|ours)\s+(?:is|are)\s+(?P<what>(?:the|number|picture|photo|image)s?\s[^.,;!?]{1,40}|\S+\.\w{3,4})"
    r"|(?P<what2>the\s[^.,;!?]{1,40}?)\s+(?:is|are)\s+(?P<who2>mine|ours))(?=\s*[.,;!?])",
    re.IGNORECASE,
)
_WHEN_SAID = re.compile(r"\bwhen\s+i\s+(?:said|wrote)\s+.{1,40}?,?\s+i\s+(?=mean)", re.IGNORECASE)
#: "Describe it (only if it is dark)", "the fox, that is, if there is one".
_APPOSED = re.compile(
    r"\s*\((?P<what>(?:but\s+)?(?:only\s+)?(?:if|unless|when)\b[^()]{2,60})\)|,?\s+that\s+is,?(?=\s+if\b)",
    re.IGNORECASE,
)
_RANK = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}


def rewritten(text: str, *, images: int, others: int) -> str:
    """Return a request in plain forms.

    Args:
        text: The normalised request.
        images: Number of images in the conversation.
        others: Number of those that "it" does not mean.
    """
    rejected = _REJECTED.fullmatch(text.strip())
    if others == 1 and rejected and rejected["other"]:
        return "the other one"
    text = _LEADING.sub("", text)
    text = _NO_WANT.sub(r"\g<who> don't ", text)
    text = _TOLD.sub(
        "", _FILLER.sub(lambda match: ", " if "," in match[0] else " ", text).strip(" ,")
    )
    text = _ITS.sub(lambda match: f"{match['word']} it's" if match["word"] else "it's", text)
    text = _ACKNOWLEDGED.sub("", _GREETED.sub("", text, count=1), count=1)
    text = _amended(_REJECTED_FIRST.sub("", text, count=1))
    text = _UNLESS.sub(" unless", _APART.sub(", ", text))
    text = _APPOSED.sub(lambda match: f" {match['what']}" if match["what"] else "", text)
    text = _SAME_RULE.sub(_about, text)
    text = _owned(_WHEN_SAID.sub("I ", _SAME_AS.sub(lambda match: match["same"] or "", text)))
    if each := _FOR_EACH.fullmatch(text.strip()):
        text = f"{each['rest']} for {each['each']}"
    text = explicit(_NOTHING.sub("", text))
    text = _SHOULD.sub(lambda match: "if not," if match["no"] else "if so,", text)
    text = _ENSURED.sub(r"if \g<what>, ", text)
    text = _FOUND.sub(lambda match: "if not, " if match["none"] else "if so, ", text)
    text = _OPPOSITE.sub(lambda match: f"{if_there(match['thing'], 'a')}{match['then']}", text)
    text = _TELEGRAPHIC.sub(lambda match: if_there(match["what"]), text)
    if _NEXT.fullmatch(text.strip()):
        return "the next one"
    marks = _ORDERED.findall(text)
    if images < 2 and (len(marks) > 1 or re.match(r"\W*\w+\s*:", text)):
        # With several images these are headings: "first: describe it".
        text = _ORDERED.sub(lambda match: f"{_RANK[match['word'].lower()]}) ", text)
    return text


def _about(match: re.Match[str]) -> str:
    """Return the image of a rule that is said again, as a heading."""
    what = match["what"] or match["what2"] or "this"
    return "" if what.lower().startswith(("this", "that", "it")) else f"{what}: "


def _owned(text: str) -> str:
    """Replace "mine" by the images that a sentence before says are."""
    match = _OWNER.search(text)
    if not match:
        return text
    what, end = match["what"] or match["what2"], match.end()
    who = match["who"] or match["who2"]
    after = re.sub(rf"\b{who}\b", what, text[end:], count=1, flags=re.IGNORECASE)
    return text[:end] + after


def selected(text: str, *, several: bool) -> str:
    """Return a sentence about the images that show something as a condition on each image.

    Args:
        text: A sentence that names no image.
        several: Whether there is more than one image.
    """
    if match := _WHICHEVER.fullmatch(text.strip()):
        main, found = _PRONOUN.subn("each picture", match["main"].rstrip(" .!"), count=1)
        return f"{main} if it shows {match['thing']}" if found else text
    if match := _WHICHEVER_LAST.fullmatch(text.strip()):
        return f"{match['main']} each picture if it shows {match['thing']}"
    if several and (match := _FOR_WHICH.fullmatch(text.strip())):
        main, found = _PRONOUN.subn("each picture", match["main"].rstrip(" .!"), count=1)
        return f"{main if found else f'{main} of each picture'} if {_shown(match)}"
    match = _RELATIVE.fullmatch(text.strip())
    if not match or _MANNER.search(match["thing"] or ""):
        return text
    if match["noun"].lower() != "those" and not match["noun"].lower().endswith("s") and not several:
        return text  # "the picture with the dog" is the only one
    if _FINDING.fullmatch(match["main"]):
        return text  # asks of each whether it is one of them
    if match["stated"]:
        return f"{match['main']} each picture if {match['stated']}"
    return f"{match['main']} each picture if {_shown(match)}"


def _shown(match: re.Match[str]) -> str:
    """Return the condition on an image that shows a thing, or lacks it."""
    thing = re.sub(r"^the\s", "a ", match["thing"], flags=re.IGNORECASE)
    if match["lack"]:
        return f"it shows no {_UNDETERMINED.sub('', thing)}"
    return f"it shows {thing}"


def _amended(text: str) -> str:
    """Put what a person meant in the place of what they said first."""
    if match := _MEANT.fullmatch(text.strip()):
        return f"{match['before']} in the {match['what']}?"
    match = _AMENDED.fullmatch(text.strip())
    if not match:
        return text
    before, new = match["before"], match["new"].strip()
    phrases = [each for each in _PHRASE.finditer(before) if _alike(each[0], new)]
    if not phrases:
        return text
    old = phrases[-1]
    return f"{before[: old.start()]}{new}{before[old.end() :]}"


def _alike(old: str, new: str) -> bool:
    """Return whether both phrases are indefinite, or neither is."""
    return bool(_ARTICLE.match(old)) == bool(_ARTICLE.match(new))
