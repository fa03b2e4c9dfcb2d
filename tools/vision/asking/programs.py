"""Programs: what a question asks of an image, in terms of what experts can see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edgewright.tools.vision.asking.phrases import Mention

#: What to read: all of it, a sign, the largest line, or numbers.
Part: TypeAlias = Literal["all", "sign", "heading", "number"]


@dataclass(frozen=True)
class Exists:
    """Whether things are there.

    Attributes:
        mentions: The things.
        every: Whether all of them must be there, or any.
        negated: Whether the question is whether they are not there.
    """

    mentions: tuple[Mention, ...]
    every: bool = True
    negated: bool = False


@dataclass(frozen=True)
class Choice:
    """Which of several things it is."""

    options: tuple[Mention, ...]


@dataclass(frozen=True)
class Count:
    """How many there are."""

    mention: Mention


@dataclass(frozen=True)
class Compare:
    """Whether there are more, fewer or as many of one thing as of another; or which are more."""

    left: Mention
    right: Mention
    relation: Literal["more", "fewer", "equal", "which"]


@dataclass(frozen=True)
class Bigger:
    """Whether one thing looks bigger or smaller than another, or ``which`` of them does."""

    left: Mention
    right: Mention
    smaller: bool = False
    which: bool = False


@dataclass(frozen=True)
class Which:
    """What is there, of a kind if one is named, and in a part of the image."""

    mention: Mention | None = None
    place: str = ""


@dataclass(frozen=True)
class Colour:
    """Which colour a thing has, or the image as a whole, or its ``background``."""

    mention: Mention | None = None
    background: bool = False


@dataclass(frozen=True)
class Colours:
    """Which colours the image has, or how many (``counted``), or whether ``wanted`` is there."""

    counted: bool = False
    wanted: str = ""
    negated: bool = False


@dataclass(frozen=True)
class IsColour:
    """Whether what is asked about has a colour, or which of several."""

    of: Colour
    colours: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Where:
    """Where a thing is."""

    mention: Mention


@dataclass(frozen=True)
class IsAt:
    """Whether a thing is in a part of the image, or in which of several."""

    mention: Mention
    places: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Related:
    """Whether one thing stands in a relation to another."""

    subject: Mention
    relation: str
    other: Mention
    negated: bool = False


@dataclass(frozen=True)
class RelatedWhat:
    """What stands in a relation to a thing."""

    relation: str
    other: Mention


@dataclass(frozen=True)
class Read:
    """What is written.

    Attributes:
        part: Which part of the text.
        on: The thing that it is on; None for the whole image.
    """

    part: Part = "all"
    on: Mention | None = None


@dataclass(frozen=True)
class HasText:
    """Whether there is text, or certain words, in the image or ``on`` a thing."""

    words: str = ""
    negated: bool = False
    on: Mention | None = None


@dataclass(frozen=True)
class Expression:
    """Which expression a face has; whether it has one of some.

    Attributes:
        mention: Whose.
        options: The expressions in question; empty asks which it is.
        either: Whether to say which of the options.
    """

    mention: Mention
    options: tuple[str, ...] = ()
    either: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Grey:
    """Whether the image is in black and white (``grey``) or in colour, or which of both."""

    wanted: Literal["grey", "colour", "either"]
    negated: bool = False


@dataclass(frozen=True)
class Looks:
    """How the image looks: which of some options, whether it is the only one; how, without any.

    Attributes:
        quality: ``light`` (``dark`` or ``bright``), ``focus`` (``sharp`` or ``blurred``) or
            ``medium`` (``drawing`` or ``photograph``).
        options: Those in question.
    """

    quality: Literal["light", "focus", "medium"]
    options: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class Size:
    """The image's size in pixels."""

    side: Literal["width", "height", "both"] = "both"


@dataclass(frozen=True)
class Orientation:
    """Whether the image is of certain shapes, or which of several."""

    shapes: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class Setting:
    """Whether the image was taken indoors or outdoors, or by day or night; one option for "is it".

    Attributes:
        options: One of ``indoors`` and ``outdoors``, or of ``day`` and ``night``; or both.
    """

    options: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Describe:
    """A description of the image; of what ``happens`` there, no more than what is there."""

    happens: bool = False


@dataclass(frozen=True)
class Largest:
    """Which thing looks the largest, or the smallest."""

    smallest: bool = False


@dataclass(frozen=True)
class Unknowable:
    """Something about a thing that no expert can judge; that the thing is there can be checked.

    Attributes:
        mention: The thing.
        about: What is asked of it, as the subject of a sentence.
        other: What it is asked to do something with: without it, the answer is no.
    """

    mention: Mention
    about: str
    other: Mention | None = None


@dataclass(frozen=True)
class Compared:
    """A measure of the image, for a comparison with others.

    Attributes:
        measured: The count or the look that is compared.
        best: What is said of the image that wins: "has the most people".
        least: Whether the lowest measure wins.
    """

    measured: Count | Looks | Size
    best: str
    least: bool = False


Program: TypeAlias = (
    Exists
    | Choice
    | Count
    | Compare
    | Compared
    | Bigger
    | Which
    | Colour
    | Colours
    | IsColour
    | Where
    | IsAt
    | Related
    | RelatedWhat
    | Read
    | HasText
    | Expression
    | Grey
    | Looks
    | Size
    | Orientation
    | Setting
    | Describe
    | Largest
    | Unknowable
)
