"""Chooses images by their order, and says which are not there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.embedded.grammar.lexicon import words
from edgewright.agents.planner.embedded.grammar.references import Kind, Mention
from edgewright.tools.contracts.images import ImageRef

Images = tuple[ImageRef, ...]

#: Numbers at the beginning or at the end of a name.
_NUMBERED = re.compile(r"^(?P<first>\d{1,3})(?=\D)|(?P<last>\d{1,4})(?=\.\w+$|$)")
_NAMES = dict(enumerate(words("ordinal")[:12], start=1))


class MissingImageError(Exception):
    """A mention means an image that does not exist; the message is for the person."""


def regular(among: Images, first: int, distance: int) -> Images:
    """Return images at regular distances: the second, fourth and so on."""
    if first > len(among):
        raise MissingImageError(few(len(among)))
    return among[first - 1 :: distance]


def own_numbers(images: Images) -> dict[int, list[ImageRef]]:
    """Return images by the numbers in their names; nothing unless all have one of their own."""
    known: dict[int, list[ImageRef]] = {}
    for image in images:
        if match := _NUMBERED.search(image.name):
            known.setdefault(int(match["first"] or match["last"]), []).append(image)
    return known if len(known) == len(images) > 1 else {}


def of_parity(among: Images, mention: Mention) -> Images:
    """Return the images whose names have even, or odd, numbers, if a mention means those."""
    odd = mention.numbers[0] % 2
    known = own_numbers(among) if mention.labelled else {}
    return tuple(image for n, same in sorted(known.items()) if n % 2 == odd for image in same)


def no_image(count: int) -> str:
    """Return that there is no image, or not so many, for "before this one"."""
    return "is no image" if count == 1 else f"are no {count} images"


def beside(side: Kind, among: Images, latest: Images) -> Images:
    """Return the former or latter, or the left, middle or right of images."""
    match side:
        case "former" | "latter" if len(latest) > 1:
            return latest[:1] if side == "former" else latest[-1:]
        case "former" | "left":
            return among[:1]
        case _:
            return among[-1:]


def inside(kind: Kind, among: Images, count: int, aside: Sequence[ImageRef]) -> Images:
    """Return the images at the ends, those in the middle, or those between the ones spoken of."""
    if kind == "outer":
        return (*among[:1], *among[1:][-1:])
    places = sorted({among.index(each) for each in aside if each in among})
    if kind == "inner":
        first, last = (places[0], places[-1]) if len(places) > 1 else (0, len(among) - 1)
        return among[first + 1 : last] or among
    count = count or 2 - len(among) % 2
    start = (len(among) - count) // 2
    return among[max(start, 0) : start + count]


def absent(number: int, count: int) -> str:
    """Return what to say of a position that does not exist among so many images."""
    name = _NAMES.get(number, f"{number}th") if number > 0 else "such"
    return f"There is no {name} image: {few(count)[:1].lower()}{few(count)[1:]}"


def few(count: int) -> str:
    """Return what to say of the number of images that are here."""
    if not count:
        return "No image has been attached yet."
    return "Only one image is here." if count == 1 else f"Only {count} images are here."
