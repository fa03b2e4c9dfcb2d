"""Finds the names of images in a text: whole file names, parts of a path, and stems."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from edgewright.agents.planner.embedded.grammar.clauses import VERBS
from edgewright.agents.planner.embedded.grammar.lexicon import any_of, words

_PART = re.compile(r"[^\W\d_]+|\d+")
_NOUN = any_of("image_noun")
_PREPOSITION = (
    r"(?:in|on|of|for|about|from|to|with|show|and|or"
    r"|describe|caption|classify|label|except|but|not|without|called|named|titled)"
)
#: Words before a plain stem that make it a thing in the picture rather than a name.
_INDEFINITE = re.compile(
    r"\b(?:an?|any|some|no|many|much|which|what|more|another|each|every|of|kind|sort|\d+)\s+$",
    re.IGNORECASE,
)
_NUMERAL = re.compile(any_of("number"), re.IGNORECASE)
_RANKED = re.compile(
    rf"\b(?:{any_of('ordinal', 'last_word')}|next|previous|other|these|those|all|the)\s+$",
    re.IGNORECASE,
)
_DEFINITE = re.compile(r"\b(?:the|my|our|that|this|your)\s+(?:\w+\s+)?$", re.IGNORECASE)
_AFTER_WORD = re.compile(rf"\b{_PREPOSITION}\s+$", re.IGNORECASE)
_CLAUSE_START = re.compile(r"(?:^|[.,;:!?(]\s*|\b(?:not|but|only|just)\s+)$", re.IGNORECASE)
_OBJECT = re.compile(
    r"\b(?:describe|caption|classify|label|identify)\s+(?:\w\s*(?:,|&|and|,\s*and)\s*)*$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\s*(?:$|[,;:?!&]|\.(?:\s|$)|and\b|but\b|then\b)", re.IGNORECASE)
_WITH_NOUN = re.compile(rf"['\"]?\s+(?:{_NOUN}|one)\b", re.IGNORECASE)
#: "Unit 3B", "flat 12".
_UNIT = re.compile(r"(?:\b(?:the|my)\s+)?(?<![\w-])(?P<noun>[a-z]{3,})\s+$", re.IGNORECASE)
_NO_UNIT = VERBS | {
    *words("closed_class"), "from", "about", "show", "except", "without", "after", "before",
    "following", "preceding", "between", "than", "until", "over", "under", "beside", "near",
}  # fmt: skip
_NOUN_LAST = re.compile(rf"[\s_-]{_NOUN}$", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(?:the|my|that|this)\s+['\"]?$", re.IGNORECASE)
#: Images named by their folder or by their type.
_GROUP = re.compile(
    rf"\b(?:(?:(?:all|each|every|any)\s+(?:of\s+)?)?(?:the\s+)?(?:{_NOUN}|ones?)|whatever(?:'s|\s+is)?|everything|anything|all)(?:\s+(?:that's|that\s+is))?"
    r"\s+(?:from|in|of)\s+(?:(?:the\s+)?folder\s+(?P<after>[\w-]+)|(?:the\s+)?/?(?:[\w-]+/)*(?P<folder>[\w-]+)/?(?:\s+folder)?)"
    rf"|\b(?:the|my|that)\s+(?:{_NOUN}|one)\s+(?:(?:with|w/|that\s+has|containing)\s+(?:(?:the|an?|my)\s+)?['\"]?\(?(?P<says>[\w-]+)\)?['\"]?\s+in\s+(?:its|the)\s+(?:file\s*)?(?:name|title)"
    r"|(?:(?:that|which)\s+)?(?:end(?:s|ing)|start(?:s|ing)|begin(?:s|ning))\s+(?:with|in)\s+['\"]?(?P<mark>[\w-]+)['\"]?"
    r"|whose\s+(?:file\s*)?name\s+(?:has|contains|includes|says|(?:starts|begins|ends)\s+(?:with|in))\s+['\"]?(?P<has>[\w-]+)['\"]?)"
    r"|\bthe\s+(?:only\s+)?(?P<type>png|jpe?g|webp|gif|bmp|tiff?|avif|heic)(?:\s+(?:file|image|picture|photo|one))?(?!\w)",
    re.IGNORECASE,
)
#: What a camera's name ends with: letters and at least three digits.
_ENDING = re.compile(
    r"(?<![\w.,-])(?:[a-z]{1,4}[-_]?)?\d{3,}(?![\w-]|[.,]\d)"
    r"|(?:(?<=\bin\s)|(?<=\bon\s)|(?<=\bof\s)|(?<=\bfor\s)|(?<=\babout\s))\d\d(?![\w-]|[.,]\d)|(?:^|(?<=[.!?;,]\s))\d\d(?=\s+(?:is|was|can|needs?)\b)",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_FILE = re.compile(
    r"(?<![\w/.-])(?P<series>[^\W\d_]{3,})[\w-]*\.(?:jpe?g|png|webp|gif|bmp|tiff?|heic|avif)\b",
    re.IGNORECASE,
)
#: "comet.fits.png" has two endings, "v1.2.png" one.
_ENDINGS = re.compile(r"(?<=.)(?:\.[a-z]{2,5})?\.\w+$", re.IGNORECASE)
#: A plain word is a name from this length on.
_MIN_STEM = 3


@dataclass(frozen=True)
class Named:
    """A name in a text.

    Attributes:
        start: Start in the text.
        end: End in the text.
        images: Indices of the images that have the name.
        bare: Whether it is a plain word, which may also be meant as such.
    """

    start: int
    end: int
    images: tuple[int, ...]
    bare: bool = False


def named(text: str, names: Sequence[str]) -> list[Named]:
    """Find the names of images in a text, longest first where they overlap.

    Args:
        text: The normalised text.
        names: Names of the images, with or without the folder they are in.
    """
    folded = [unicodedata.normalize("NFC", name).replace("\\", "/") for name in names]
    found = _grouped(text, folded)
    for files in (True, False):
        for start, end, bare in sorted(_spots(text, folded, files), key=_length, reverse=True):
            if any(start < other.end and other.start < end for other in found):
                continue
            written = text[start:end]
            images = _in_folder(text, _images(written, folded, files), folded)
            if images:
                found.append(Named(*_with_noun(text, start, end), images, bare))
    found += _by_ending(text, folded, found)
    found += _missing(text, folded, found)
    return sorted(found, key=lambda each: each.start)


def _by_ending(text: str, names: Sequence[str], found: Sequence[Named]) -> list[Named]:
    """Find images that a text names by the end of their names alone: "4821" for IMG_4821.jpg."""
    ends: list[Named] = []
    for match in _ENDING.finditer(text):
        if any(match.start() < other.end and other.start < match.end() for other in found):
            continue
        said = "".join(_PART.findall(match[0].casefold()))
        images = tuple(
            n for n, name in enumerate(names) if "".join(_parts(_stem(name))).endswith(said)
        )
        if len(images) == 1 and len(names) > 1:
            ends.append(Named(*_with_noun(text, *match.span()), images))
    return ends


def _missing(text: str, names: Sequence[str], found: Sequence[Named]) -> list[Named]:
    """Find file names like those of the images that none of them has."""
    series = {_LETTERS.match(_base(name).casefold()) for name in names}
    begins = {match[0] for match in series if match}
    return [
        Named(*match.span(), ())
        for match in _FILE.finditer(text)
        if len(names) > 1
        and match["series"].casefold() in begins
        and not any(match.start() < each.end and each.start < match.end() for each in found)
    ]


def _with_noun(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a name with the words around it: "the garden picture"."""
    noun = _WITH_NOUN.match(text, end)
    unit = _UNIT.search(text, 0, start) if any(map(str.isdecimal, text[start:end])) else None
    if unit and "." not in text[start:end] and unit["noun"].lower() not in _NO_UNIT:
        start = unit.start()
    if not noun and not _NOUN_LAST.search(text, start, end):
        return start, end
    article = _ARTICLE.search(text, 0, start)
    return (article.start() if article else start), noun.end() if noun else end


def _grouped(text: str, names: Sequence[str]) -> list[Named]:
    """Find images that a text names by their folder or type: "the one in the garden folder"."""
    found: list[Named] = []
    for match in _GROUP.finditer(text):
        group = next(name for name in _GROUPS if match[name])
        word = match[group].casefold()
        said = _GROUPS[group]
        images = tuple(n for n, name in enumerate(names) if word in said(name))
        if 0 < len(images) < len(names):
            found.append(Named(*match.span(), images))
    return found


def _folders(name: str) -> tuple[str, ...]:
    """Return the folder of an image, if it is in one."""
    return (name.casefold().rsplit("/", 2)[-2],) if "/" in name else ()


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name."""
    return tuple(_parts(_stem(name)))


def _marks(name: str) -> tuple[str, ...]:
    """Return what a name begins and ends with, of each length."""
    stem = _stem(name).casefold()
    return tuple(each for n in range(1, len(stem) + 1) for each in (stem[:n], stem[-n:]))


def _types(name: str) -> tuple[str, ...]:
    """Return the type of a file by its ending, in each spelling."""
    ending = name.casefold().rpartition(".")[2]
    return ("jpg", "jpeg") if ending in ("jpg", "jpeg") else (ending,)


#: What the word of each group of ``_GROUP`` is compared with.
_GROUPS = {
    "folder": _folders, "after": _folders, "says": _words, "has": _words,
    "mark": _marks, "type": _types,
}  # fmt: skip


def _length(spot: tuple[int, int, bool]) -> int:
    return spot[1] - spot[0]


def _spots(text: str, names: Sequence[str], files: bool) -> list[tuple[int, int, bool]]:
    """Return where names stand in a text, and whether each is a plain word there."""
    spots: list[tuple[int, int, bool]] = []
    for name in dict.fromkeys(names):
        pattern = _file_pattern(name) if files else _stem_pattern(name)
        for match in pattern.finditer(text) if pattern else ():
            if files:
                spots.append((*match.span(), False))
            elif (bare := _bare(text, match, len(names) > 1)) is not None:
                spots.append((*match.span(), bare))
    return spots


def _bare(text: str, match: re.Match[str], several: bool) -> bool | None:
    """Return whether a stem in a text is a plain word; None if it is no name at all there."""
    word, start = match[0], match.start()
    if not word.isalpha() or (word != word.lower() and not word.istitle()):
        return False  # with digits or marks, nothing else is meant
    if several and len(word) == 1:
        # Elsewhere, "a" is an article.
        return False if _OBJECT.search(text, 0, start) and _ENDS.match(text, match.end()) else None
    if not several or len(word) < _MIN_STEM:
        return None
    if _WITH_NOUN.match(text, match.end()):
        return False
    if _NUMERAL.fullmatch(word) and _RANKED.search(text, 0, start):
        return None  # "the last two"
    if _INDEFINITE.search(text, 0, start) and not _AFTER_WORD.search(text, 0, start):
        return None
    direct = _AFTER_WORD.search(text, 0, start) or _CLAUSE_START.search(text, 0, start)
    if direct and not text[match.end() :].lstrip().startswith("or "):
        return False
    return True if _DEFINITE.search(text, 0, start) else None


def _images(written: str, names: Sequence[str], files: bool) -> tuple[int, ...]:
    """Return the images with a name; a folder in it narrows the choice if any image is there."""
    wanted = written.casefold().strip("./~")
    if not files:
        letters = _PART.findall(wanted)
        return tuple(n for n, name in enumerate(names) if _parts(_stem(name)) == letters)
    base = wanted.rsplit("/", 1)[-1]
    same = [n for n, name in enumerate(names) if _base(name).casefold() == base]
    exact = [n for n in same if _shares_end(names[n].casefold(), wanted)]
    return tuple(exact or same)


def _in_folder(text: str, images: tuple[int, ...], names: Sequence[str]) -> tuple[int, ...]:
    """Narrow images of the same name to those whose folder the text names."""
    if len(images) < 2:
        return images
    spoken = set(_PART.findall(text.casefold()))
    folders = [_parts(names[n].rsplit("/", 2)[-2]) if "/" in names[n] else [] for n in images]
    inside = [
        n for n, folder in zip(images, folders, strict=True) if folder and spoken >= {*folder}
    ]
    return tuple(inside) or images


def _shares_end(name: str, wanted: str) -> bool:
    """Return whether one path is the end of the other, with at least the folder in common."""
    shorter, longer = sorted((f"/{name}", f"/{wanted}"), key=len)
    return "/" in wanted and "/" in name and longer.endswith(shorter)


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _stem(name: str) -> str:
    base = _base(name)
    return _ENDINGS.sub("", base) or base


@lru_cache(maxsize=512)
def _parts(stem: str) -> list[str]:
    return _PART.findall(stem.casefold())


@lru_cache(maxsize=512)
def _file_pattern(name: str) -> re.Pattern[str] | None:
    base = _base(name)
    if "." not in base[1:]:
        return None
    return re.compile(
        rf"(?<![\w-])(?:[\w.~-]{{0,60}}/){{0,9}}{re.escape(base)}(?![\w-])", re.IGNORECASE
    )


@lru_cache(maxsize=512)
def _stem_pattern(name: str) -> re.Pattern[str] | None:
    parts = _PART.findall(_stem(name))
    if not parts or (parts[0].isdecimal() and len("".join(parts)) < 2):
        return None
    joined = r"[\s_\-.]{0,2}".join(re.escape(part) for part in parts)
    return re.compile(rf"(?<![\w-]){joined}(?![\w-])", re.IGNORECASE)
