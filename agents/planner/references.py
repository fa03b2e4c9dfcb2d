"""What a request takes over from the turns before it: pictures, and what was to be done."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.tools.images.reference import ImageRef

#: Requests that name nothing to do because the turn before did: "and this one?", "once more".
_ELLIPTIC = re.compile(
    r"""^\W*(?:(?:no|and|ok(?:ay)?|well|now|so|please)\b\W*)*
    (?:
      (?:the\s+)?same(?:\s+(?:thing|again|question))?(?:\s+(?:for|with|on|here)\b.*)?
    | (?:do|try|run|ask)\s+(?:it|that|this|the\s+same)?\s*
      (?:again|once\s+more|too|as\s+well)?(?:\s+(?:for|with|on)\s.*)?
    | (?:try\s+)?(?:again|once\s+more|another\s+time|retry|repeat(?:\s+(?:it|that))?)
    | (?:(?:what|how)\s+about|for|with|i\s+meant?)\s+.+
    | (?:this|that|these|those|the\s+(?:other|first|second|third|last|next))
      (?:\s+(?:one|picture|photo|image)s?)?(?:\s+(?:too|as\s+well|instead))?
    )
    (?:\W+please)?\W*$""",
    re.VERBOSE | re.IGNORECASE,
)
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_ORDINAL = re.compile(
    r"\b(first|second|third|fourth|last)\s+(?:one|picture|photo|image|snapshot)\b", re.IGNORECASE
)
_OTHER = re.compile(r"\bother\s+(?:one|picture|photo|image|snapshot)\b", re.IGNORECASE)


def repeated_turn(request: PlanRequest) -> Turn | None:
    """Return the turn whose tasks the request asks for again, or None.

    Args:
        request: The request with its history.
    """
    if not request.history or not _ELLIPTIC.match(request.text):
        return None
    return next((turn for turn in reversed(request.history) if turn.plan_tools), None)


def pictures(request: PlanRequest) -> tuple[ImageRef, ...]:
    """Return the pictures that a request is about: named ones, else its own, else the latest."""
    subject = request.subject
    seen = _distinct([*(i for turn in request.history for i in turn.images), *request.images])
    lower = request.text.lower()
    named = tuple(image for image in seen if image.name and image.name.lower() in lower)
    if named:
        return named
    if found := _ORDINAL.search(lower):
        among = subject if len(subject) > 1 else seen
        position = _ORDINALS[found[1]]
        return (among[position],) if -1 <= position < len(among) and among else subject
    if _OTHER.search(lower):
        others = tuple(image for image in seen if image not in subject[-1:])
        return others[-1:] or subject
    return subject


def _distinct(images: Sequence[ImageRef]) -> tuple[ImageRef, ...]:
    return tuple(dict.fromkeys(images))
