"""How the words of a request say which images are meant: by position, turn or what was done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edgewright.agents.planner.embedded.grammar.lexicon import any_of, expanded, read_grammar
from edgewright.agents.planner.embedded.grammar.positions import (
    MAX_POSITION,
    number_of,
    numerals,
    ordinals,
    position,
)

Kind = Literal[
    "name", "position", "head", "tail", "all", "them", "both", "others", "every_other", "regular",
    "previous", "next", "here", "that", "done", "former", "latter", "left", "middle", "right",
    "again", "batch", "turn", "between", "around", "beyond", "inner", "outer",
    "half",
]  # fmt: skip
#: Stands for a mention in the text that the fitted model and the experts read.
STAND_IN = "the picture"
_GRAMMAR = read_grammar("references")
_DEFINITIONS = _GRAMMAR["definitions"]
_PATTERNS: list[tuple[Kind, re.Pattern[str]]] = [
    (
        each["kind"],
        re.compile(rf"(?<![\w#]){expanded(each['form'], _DEFINITIONS)}(?!\w)", re.IGNORECASE),
    )
    for each in _GRAMMAR["forms"]
]
THING, SENDING = (expanded(f"<{name}>", _DEFINITIONS) for name in ("thing", "sending"))
#: What introduces images that are left out; it says nothing about those that are not.
_LEFT_OUT = re.compile(
    rf"\s*,?\s*\b(?:{any_of('apart_from', 'instead')}(?:\s+for)?"
    r"|(?:(?:but|and|only|just)\s+)*not\s+(?:in|on|of|for|from|with))"
    r"\s+(?:the\s+)?$",
    re.IGNORECASE,
)
WITHIN = re.compile(r"\b(?:in|on|of)\s+$", re.IGNORECASE)
_SOME = re.compile(rf"\b{any_of('image_noun')}\b", re.IGNORECASE)
_OBJECT_OF = re.compile(r"\b(?:describe|caption|classify|label|identify)\s+$", re.IGNORECASE)
#: "And second?", after a question about the first.
_ALONE_BEFORE = re.compile(r"\W*(?:(?:and|ok|okay|now|then|so|but)\b\W*)*", re.IGNORECASE)
_ALONE_AFTER = re.compile(r"\s*\?[\s?!]*")


@dataclass(frozen=True)
class Mention:
    """Words that say which images are meant.

    Attributes:
        kind: How they say it; ``again`` for a pronoun that means the images just mentioned.
        start: Start in the text.
        end: End in the text.
        numbers: Positions from 1, or from -1 at the end; of named images, indices from 0; of
            images at regular distances, the first position and the distance.
        ever: Whether all images of the conversation are counted, not just the latest.
        excluded: Whether the images are left out ("all but the second").
        bare: Whether the words also belong to the question ("the barn"), so that they stay in it.
        labelled: Whether the numbers may be the person's own ("image 88").
        shift: Distance from the images to those that are meant: "the one after p.png".
        topic: What was asked of the images: "the one where you counted the chairs".
        single: Whether the words mean a single image, though several may fit.
        of: The mentions that say where: "the one between the first and the third".
    """

    kind: Kind
    start: int
    end: int
    numbers: tuple[int, ...] = ()
    ever: bool = False
    excluded: bool = False
    bare: bool = False
    labelled: bool = False
    shift: int = 0
    topic: str = ""
    single: bool = False
    of: tuple[Mention, ...] = ()


def without_mentions(text: str, found: Sequence[Mention], *, stand_in: str = STAND_IN) -> str:
    """Replace mentions by words that fit any single image."""
    parts: list[str] = []
    end = 0
    for each in found:
        words = text[end : each.start]
        if each.excluded and (left_out := _LEFT_OUT.search(words)):
            parts.append(words[: left_out.start()])
            end = each.end
        elif not each.bare:
            parts += [_singular(words, each.kind) if "?" in text else words, stand_in]
            end = each.end
    return "".join([*parts, text[end:]])


def _singular(words: str, kind: Kind) -> str:
    """Let a verb before a mention of several images agree with a single one."""
    if kind not in ("all", "them", "both", "others", "head", "tail", "every_other", "regular"):
        return words
    return re.sub(
        r"\b(do|are)(?=\s+$)",
        lambda verb: {"do": "does", "are": "is"}[verb[0].lower()],
        words,
        flags=re.IGNORECASE,
    )


def worded(text: str) -> list[Mention]:
    """Find the mentions by words alone; at the same place the first form wins."""
    found: list[Mention] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            mention = _mention(kind, match)
            if mention and not any(
                mention.start < other.end and other.start < mention.end for other in found
            ):
                found.append(mention)
    return found


def _mention(kind: Kind, match: re.Match[str]) -> Mention | None:
    groups = match.groupdict()
    numbers = _numbers(kind, groups)
    elliptic = groups.get("ellipsis") is not None and not groups["the"]
    if elliptic and len(numbers) < 2 and not _direct(match):
        return None  # "first, ..." orders sentences
    labelled = any(groups.get(name) for name in ("numbers", "hash", "letter"))
    # "This" and "both of them" point as well as any stand-in, except for what is in them.
    points = kind == "here" or (kind in ("all", "them", "both") and not _SOME.search(match[0]))
    points = points and not WITHIN.search(match.string, 0, match.start())
    if labelled and max(numbers) > MAX_POSITION:
        return None
    return Mention(
        kind,
        *match.span(),
        numbers=numbers,
        ever=bool(groups.get("ever")),
        bare=points,
        labelled=labelled or bool(groups.get("parity")),
        shift=-1 if groups.get("beside") else 0,
        topic=(groups.get("topic") or "").lower(),
    )


def _numbers(kind: Kind, groups: dict[str, Any]) -> tuple[int, ...]:
    """Return the numbers that a form gives, negative from the end."""
    numbers: tuple[int, ...] = ()
    if groups.get("half"):
        numbers = (-1 if groups["half"].lower() in ("second", "last", "latter") else 1,)
    elif groups.get("list"):
        numbers = ordinals(groups["list"])
    elif groups.get("numbers"):
        numbers = numerals(groups["numbers"])
    elif groups.get("hash"):
        numbers = (int(groups["hash"]),)
    elif groups.get("start") or groups.get("backwards"):
        numbers = (1,)  # "the one I sent at the start", "the latest one"
    elif groups.get("letter"):
        numbers = (ord(groups["letter"]) - ord("A") + 1,)
    elif groups.get("n") or groups.get("m"):
        numbers = (number_of(groups.get("n") or groups["m"]),)
    elif kind == "regular":
        numbers = _distances(groups)
    elif kind == "batch":
        inner = groups.get("inner")
        numbers = (position(groups["batch"]), position(inner) if inner else 0)
    return tuple(-number for number in numbers) if groups.get("backwards") else numbers


def _distances(groups: dict[str, str | None]) -> tuple[int, int]:
    """Return the first position and the distance of "every third" or "the odd ones"."""
    if ordinal := groups.get("distance"):
        return position(ordinal), position(ordinal)
    return (1 if (groups.get("parity") or "").lower() == "odd" else 2), 2


def _direct(match: re.Match[str]) -> bool:
    """Return whether an ordinal without "the" is an object ("classify first") or a heading."""
    before = _OBJECT_OF.search(match.string, 0, match.start())
    if match.string[: match.start()].endswith("(") and match.string[match.end() :].startswith(")"):
        return True
    if _ALONE_BEFORE.fullmatch(match.string, 0, match.start()) and _ALONE_AFTER.fullmatch(
        match.string, match.end()
    ):
        return True
    if re.match(r"\s+(?:is|are|looks?)\s", match.string[match.end() :]) and match.start() == 0:
        return match[0][:1].isdigit()
    return bool(before) or match.string[match.end() :].lstrip().startswith(":")


def blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Blank out the names, whose words say nothing else."""
    for start, end in spans:
        text = text[:start] + "\0" * (end - start) + text[end:]
    return text
