"""What a request carries over from earlier turns: images, and the tasks to repeat."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.request import PlanRequest
from edgewright.tools.contracts.images import ImageRef

_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_ORDINAL = re.compile(
    r"\b(first|second|third|fourth|last)\s+(?:one|picture|photo|image|snapshot)\b", re.IGNORECASE
)
_OTHER = re.compile(r"\bother\s+(?:one|picture|photo|image|snapshot)\b", re.IGNORECASE)


def tools_before(request: PlanRequest) -> tuple[str, ...]:
    """Return the cards of the latest turn with a plan: what "the same again" refers to."""
    turns = reversed(request.history)
    return next((turn.plan_tools for turn in turns if turn.plan_tools), ())


def referenced_images(request: PlanRequest) -> tuple[ImageRef, ...]:
    """Return the images a request refers to by name or position, else its own or the latest."""
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
