"""Bringing a question into a plain form before it is parsed."""

from __future__ import annotations

import re

IMAGE_NOUN = (
    r"(?:picture|photo|photograph|image|pic|shot|snapshot|frame|scene|foto|camera view|photography)"
)
IMAGE = rf"(?:(?:the|this|that|my|our|an?) (?:\w+ )??{IMAGE_NOUN}|it|this|that)"
BE = r"(?:is|are|was|were)"
SEE = (
    r"(?:(?:can|could|do|did) (?:you|we|i|one) (?:not )?(?:really )?"
    r"(?:see|spot|find|recogni[sz]e|detect|notice|make out|identify|count))"
)
SHOW = r"(?:show|contain|have|include|depict|feature|display)s?"
_ABBREVIATIONS = (
    (r"\bcan't\b|\bcannot\b", "can not"),
    (r"n't\b", " not"),
    (r"\b(what|where|which|who|how|there|it|that|he|she)'s\b", r"\1 is"),
    (r"\b(they|there|what|these|those)'re\b", r"\1 are"),
    (r"\b(what|where|who|how)s\b", r"\1 is"),
    (r"\bppl\b", "people"),
    (r"\bcolor", "colour"),
    (r"\bcolou?red\b", "coloured"),
    (r"\bgray", "grey"),
    (r"\bcenter", "centre"),
    (r"\bblack ?(?:&|n|/) ?white\b|\bb ?(?:&|/) ?w\b|\bmonochrome\b", "black and white"),
    (r"\bplease\b|\bpls\b", ""),
    (r"^exactly (?=how)|(?<=how many) exactly\b|(?<=^where) exactly\b|(?<= is) exactly\b", ""),
    (r"\bneither (.+?) nor (?:an? )?", r"no \1 or "),
    (r"\bempty of\b|\bwithout any\b", "without"),
)
#: Questions tagged on to a statement.
_TAG = re.compile(
    r", (?:right|correct|or not|(?:is|are)n't (?:it|there|they)|don't you|can you|ok(?:ay)?)\W*$"
)
#: Word orders of statements and of indirect questions, and those of questions.
_STATEMENTS = (
    (r"^there (is|are) (.+)$", r"\1 there \2"),
    (r"^(how many .+) there (is|are)$", r"\1 \2 there"),
    (
        r"^((?:what|which) colours?|where|how (?:wide|tall|high|big|large)) (.+) (is|are)$",
        r"\1 \3 \2",
    ),
    (r"^what (.+) says$", r"what does \1 say"),
    (r"^((?:the|this|that|these|those|all|no) (?:\w+ ){1,4}?)(is|are) (.+)$", r"\2 \1\3"),
)
_ORDER = (
    r"(?:tell me|say|tell|check|look|find out|find|show me|describe|read out|count|name)"
    r"(?= |$)(?: whether| if)?"
)
_OPENING = re.compile(
    r"(?:and|so|ok|okay|hey|hi|hello|well|now|then|also|just|um|er) "
    rf"|(?:can|could|would|will) you (?:kindly )?{_ORDER}"
    r"|(?:tell me|say|check|look|find out|see|determine|decide)(?: whether| if)? "
    r"|(?:i|we)(?: would|'d)? (?:like|want|wonder|need)(?: to know| to see)?(?: whether| if)? "
    r"|(?:do you know|do you think|would you say|let me know|please|is it (?:true|correct|right)"
    r"|is it the case|am i right|does it look like|does it seem)(?: that| if| whether)? "
    rf"|(?:in|on) (?:the|this|that) {IMAGE_NOUN},? "
)
_HERE = re.compile(
    rf" (?:(?:anywhere )?(?:in|on|of|within) (?:the|this|that|my|our) (?:\w+ )?{IMAGE_NOUN}"
    r"|in (?:the|this) (?:room|scene)|(?:in|on) (?:it|here|there|view)|here|anywhere|somewhere"
    r"|at all|in front of the camera"
    r"|to be seen|as well|too|also|either|in total|altogether|in all|or not|then|visible|present"
    r"|shown|depicted)$"
)


def plain(text: str) -> str:
    """Return a question in lower case, without punctuation, courtesies and "in the picture".

    Statements become questions: "tell me whether the car is red" is read as "is the car red".
    """
    text = text.lower().replace("\u2019", "'").replace("\u2018", "'").replace("-", " ")
    text = _TAG.sub("", text)
    for pattern, replacement in _ABBREVIATIONS:
        text = re.sub(pattern, replacement, text)
    text = " ".join(re.sub(r"[^\w'/. ]+|\.(?!\d)", " ", text).split())
    text = re.sub(r"'s\b", " 's", text)
    text = _without_opening(text)
    while (shorter := _HERE.sub("", text)) != text and shorter:
        text = shorter
    for pattern, replacement in _STATEMENTS:
        text, changed = re.subn(pattern, replacement, text, count=1)
        if changed:
            break
    return text


def _without_opening(text: str) -> str:
    for _ in range(4):
        match = _OPENING.match(text + " ")
        if match is None:
            break
        rest = text[match.end() :].strip()
        # "Can you read the text" and "describe it" keep the verb that says what to do.
        verb = re.search(r"\b(count|name|read out|describe|find)(?: whether| if)?\s*$", match[0])
        text = f"{verb[1]} {rest}" if verb else rest
        if verb or not rest:
            break
    return text
