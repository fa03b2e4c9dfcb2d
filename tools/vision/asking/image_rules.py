"""Questions about the image as a whole, about text in it, and about faces."""

from __future__ import annotations

import re
from dataclasses import replace

from edgewright.tools.vision.asking import programs as p
from edgewright.tools.vision.asking.phrases import Mention, mention_of
from edgewright.tools.vision.asking.wording import BE, IMAGE, IMAGE_NOUN, SEE
from edgewright.tools.vision.asking.words import EXPRESSION_WORDS

_GREY = (
    rf"(?:(?:an? )?(?:black and white|grey|grey ?scale)(?: {IMAGE_NOUN})?"
    r"|in (?:black and white|grey ?scale|grey))"
)
_COLOURED = rf"(?:(?:an? )?colou?r(?:ed)?(?: {IMAGE_NOUN})?|in colour|coloured|colourful)"
_SHAPES = {
    "portrait": r"(?:portrait|vertical|upright|(?:taller|higher) than (?:it is )?wide)",
    "landscape": r"(?:landscape|horizontal|wider than (?:it is )?(?:tall|high))",
    "square": r"(?:square|as wide as (?:it is )?(?:tall|high)|as (?:tall|high) as (?:it is )?wide)",
}
_SHAPE = rf"(?:an? |in )?(?:{'|'.join(_SHAPES.values())})(?: format| orientation| mode)?"
_TEXT = r"(?:text|words?|writing|letters?|letterings?|inscriptions?|captions?)"
_SIGN = (
    r"(?:the|this|that|these|those|a) (?:\w+ ){0,2}"
    r"(?:signs?|signboards?|signposts?|notices?|boards?|posters?|labels?|shields?|plates?)"
)
_SETTINGS = {
    "indoors": r"(?:indoors?|inside)(?: (?:an? |the )?(?:room|building|house))?"
    r"|in (?:an? |the )?(?:room|building|house)",
    "outdoors": r"(?:outdoors?|outside|in the open(?: air)?)",
    "day": r"(?:(?:by|at|during|in) )?(?:the )?day(?: ?time| ?light)?",
    "night": r"(?:(?:by|at|during|in) )?(?:the )?night(?: ?time)?",
}
_BRIEFLY = r"(?: in (?:(?:one|a|two|a few|your own|short) )?(?:sentences?|words?|detail)| briefly)?"
_ALOUD = r"(?: out| aloud| to me)?"
_FEELING = "|".join(EXPRESSION_WORDS)
_SEEMS = r"(?:looks?|looking|seems?|appears?|feels?)"
_PRONOUNS = {"he": "the man", "she": "the woman", "they": "the people"}


def image_program(text: str) -> p.Program | None:
    """Return the program of a question about the whole image, its text or faces; None if another.

    Args:
        text: The question in plain form.
    """
    rules = (_grey, _size, _orientation, _setting, _describe, _reading, _expression)
    return next((program for each in rules if (program := each(text))), None)


def _matches(text: str, *forms: str) -> re.Match[str] | None:
    return next((match for form in forms if (match := re.fullmatch(form, text))), None)


def _grey(text: str) -> p.Program | None:
    subject = rf"{BE} (?:not )?{IMAGE}(?: (?:taken|shot|made))? (?P<not>not )?"
    either = rf"(?:{_GREY} or {_COLOURED}|{_COLOURED} or {_GREY})"
    if _matches(text, f"{subject}{either}", either):
        return p.Grey("either")
    if match := _matches(text, f"{subject}{_GREY}"):
        return p.Grey("grey", bool(match["not"]))
    if match := _matches(text, f"{subject}{_COLOURED}", rf"does {IMAGE} have (?:any )?colours?()"):
        return p.Grey("colour", bool(match.groupdict().get("not")))
    return None


def _size(text: str) -> p.Program | None:
    if _matches(text, *_side_forms("(?:wide|broad)", "width")):
        return p.Size("width")
    if _matches(text, *_side_forms("(?:tall|high)", "height")):
        return p.Size("height")
    if _matches(
        text,
        rf"(?:what|which) (?:{BE} )?(?:the )?(?:pixel )?(?:size|dimensions?|resolution)"
        rf"(?: {BE} {IMAGE}| of {IMAGE}| does {IMAGE} have)?(?: in pixels)?",
        rf"how (?:big|large) {BE} {IMAGE}(?: in pixels)?",
        rf"how many pixels (?:does {IMAGE} have|{BE} there|has {IMAGE})",
    ):
        return p.Size()
    return None


def _side_forms(words: str, noun: str) -> tuple[str, str]:
    return (
        rf"how (?:many pixels )?{words} {BE} {IMAGE}(?: in pixels)?",
        rf"what {BE} the {noun}(?: of {IMAGE})?(?: in pixels)?",
    )


def _orientation(text: str) -> p.Program | None:
    match = _matches(
        text,
        rf"{BE} {IMAGE} (?P<not>not )?(?P<shapes>{_SHAPE}(?:(?: or)? {_SHAPE})*)(?: {IMAGE_NOUN})?",
    )
    if match:
        names = [
            name for name, form in _SHAPES.items() if re.search(rf"\b{form}\b", match["shapes"])
        ]
        return p.Orientation(tuple(names), bool(match["not"]))
    if _matches(
        text,
        rf"(?:what|which) (?:{BE} )?(?:the )?(?:orientation|format|shape)"
        rf"(?: {BE} {IMAGE}| of {IMAGE}| does {IMAGE} have)?",
    ):
        return p.Orientation()
    return None


def _setting(text: str) -> p.Program | None:
    for names in (("indoors", "outdoors"), ("day", "night")):
        forms = "|".join(_SETTINGS[name] for name in names)
        match = _matches(
            text,
            rf"{BE} (?:{IMAGE}|they|we|the (?:camera|place|people)) (?P<not>not )?"
            rf"(?:taken |shot |made )?(?P<options>(?:{forms})(?: or (?:{forms}|not))?)",
        )
        if match:
            words = match["options"].split(" or ")
            options = tuple(n for word in words for n in names if re.fullmatch(_SETTINGS[n], word))
            return p.Setting(options, bool(match["not"]))
    if _matches(text, rf"what (?:part of the|time of) day (?:{BE} (?:it|this)|was {IMAGE} taken)"):
        return p.Setting(("day", "night"))
    return None


def _describe(text: str) -> p.Program | None:
    if _matches(
        text,
        rf"(?:describe|summari[sz]e|caption)(?: {IMAGE}| the scene)?{_BRIEFLY}",
        rf"(?:give|write)(?: me| us)? (?:an? )?(?:short |brief )?(?:description|caption|summary)"
        rf"(?: (?:of|for) {IMAGE})?{_BRIEFLY}",
        rf"(?:about|what about|what do you think of) {IMAGE}",
    ):
        return p.Describe()
    if _matches(text, rf"what (?:{BE} (?:happening|going(?: on)?|taking place)|happens|goes on)"):
        return p.Describe(happens=True)
    return None


def _reading(text: str) -> p.Program | None:
    part = _part_to_read(text)
    if part:
        return p.Read(part, _written_on(text) if part in ("all", "number") else None)
    match = _matches(
        text,
        rf"(?:{BE} (?:not )?there|does {IMAGE} (?:not )?(?:contain|have|show|include)|{SEE}"
        rf"|has {IMAGE}) (?P<no>no )?(?:(?:any |some |a |written |printed )*{_TEXT}(?: written)?"
        r"|anything (?:written|printed))(?: (?:on|in|at) .+)?",
    )
    if match:
        return p.HasText(negated=bool(match["no"]), on=_written_on(text))
    match = _matches(
        text, rf"(?:does|do) (?:{IMAGE}|the \w+(?: \w+)?) (?P<not>not )?(?:say|read) (?P<words>.+)"
    )
    return p.HasText(match["words"], bool(match["not"])) if match else None


def _written_on(text: str) -> Mention | None:
    """Return the thing that text is on: "what does it say on the bus"; None without a known one."""
    match = re.search(
        r" (?:on|in|at) (?P<on>(?:the|this|that|his|her|their) .+)$"
        r"|^what (?:does|do) (?P<says>the .+) (?:say|read)$",
        text,
    )
    mention = mention_of(match["on"] or match["says"]) if match else None
    known = mention and mention.thing and not mention.thing.stuff and not mention.conditional
    return mention if known else None


def _part_to_read(text: str) -> p.Part | None:
    number = r"(?:(?:telephone |phone |house )?numbers?|digits?)"
    if _matches(
        text,
        rf"(?:what|which) (?:{BE} )?(?:the |this |that )?{number}(?! of)(?: .*)?",
        rf"(?:can you )?read (?:me )?(?:the )?{number}(?: .*)?",
    ):
        return "number"
    if _matches(
        text,
        r"(?:what (?:is|are|does) the|read (?:me )?the) (?:heading|title|headline"
        r"|(?:largest|biggest|big) text)(?: say| of .+)?",
    ):
        return "heading"
    if _matches(
        text,
        rf"(?:what|which) (?:words? )?(?:does|do|did) {_SIGN} (?:say|read|show)",
        rf"what (?:does|do) it say on {_SIGN}",
        rf"(?:what|which words?) {BE} (?:written|printed|said|stated) (?:on|by) {_SIGN}",
        rf"(?:can you )?read (?:me )?(?:{_SIGN}|the number plate){_ALOUD}",
    ):
        return "sign"
    if _matches(
        text,
        rf"what (?:does|do) (?:{IMAGE}|the {_TEXT}|the \w+(?: \w+)?) (?:say|read)"
        r"(?: (?:on|in|at) .*)?",
        rf"(?:what|(?:which|what) {_TEXT}) {BE} (?:written|printed|to be read|there|readable"
        r"|legible|contained|shown)(?: there| (?:on|in|here|at) .*)?",
        rf"(?:what|which) {_TEXT}(?: (?:{BE}|can|do|does).*)?",
        rf"what {BE} the {_TEXT}(?: .*)?",
        rf"(?:can you )?read (?:me )?(?:out )?(?:the |all |any )*(?:{_TEXT}|it|this|everything)"
        rf"(?:{_ALOUD}| .*)",
        r"transcribe .*|what can (?:you|i) read(?: .*)?",
    ):
        # "What is there" asks for things.
        return None if _matches(text, rf"what {BE} (?:there|shown)(?: .*)?") else "all"
    return None


def _expression(text: str) -> p.Program | None:
    match = _matches(
        text,
        rf"(?:{BE}|do|does) (?:not )?(?P<who>.+?) (?:{_SEEMS} )?(?P<not>not )?"
        rf"(?P<first>{_FEELING})(?: or (?P<second>{_FEELING}|not))?",
    )
    if match and (who := _person(match["who"])):
        words = [word for word in (match["first"], match["second"]) if word in EXPRESSION_WORDS]
        options = tuple(EXPRESSION_WORDS[word] for word in words)
        return p.Expression(who, options, len(options) > 1, bool(match["not"]))
    expression = r"(?:facial )?(?:expression|emotion|mood|feeling)"
    match = _matches(
        text,
        rf"(?:what|which) {expression} (?:does|do|is|are|has|have) (?P<who>.+?)"
        r"(?: show| have| in)?",
        rf"what {BE} the {expression}(?: of| on)? (?P<who>.+)",
        r"how (?:does|do) (?P<who>.+) (?:look|feel|seem)",
        rf"what {BE} (?P<who>.+) 's {expression}",
        rf"how {BE} the {expression} of (?P<who>.+)|(?:in )?what mood {BE} (?P<whose>.+?)(?: in)?",
        rf"what {BE} the {expression}(?P<who>)",
    )
    if match and (who := _person(match["who"] or match.groupdict().get("whose") or "the person")):
        return p.Expression(who)
    return None


def _person(words: str) -> Mention | None:
    mention = mention_of(_PRONOUNS.get(words, words.removeprefix("there ")))
    if mention is None or mention.thing is None or mention.conditional:
        return None
    thing = mention.thing
    return replace(mention, definite=True) if "person" in (thing.parent, *thing.detected) else None
