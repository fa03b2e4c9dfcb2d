"""Tells how bright a photograph is. Entry points name the two functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright.tools.contracts.cards import ArgumentSpec, Demonstration, ToolCard

if TYPE_CHECKING:
    from edgewright_brightness.expert import BrightnessExpert

REQUESTS = (
    "How bright is this picture?",
    "Is this photo too dark?",
    "Measure the brightness of the image.",
    "Tell me whether the picture is over-exposed.",
    "How dark is the photograph from the yard?",
    "Check the exposure of this photo.",
)


def cards() -> list[ToolCard]:
    """Return the cards that this package adds."""
    return [
        ToolCard(
            id="brightness",
            task_type="image-brightness",
            title="brightness",
            description="Measures how bright or dark a picture is. Use it when someone asks about "
            "brightness, darkness or exposure.",
            inputs=("image",),
            outputs=("text",),
            arguments={"image": ArgumentSpec(type="image", description="The picture to measure.")},
            sensors=("camera",),
            experts=("mean-brightness",),
            demonstrations=tuple(Demonstration(request=request) for request in REQUESTS),
        )
    ]


def experts() -> list[BrightnessExpert]:
    """Return the experts that this package adds."""
    from edgewright_brightness.expert import BrightnessExpert

    return [BrightnessExpert()]
