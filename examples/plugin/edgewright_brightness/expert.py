"""The expert: the mean of all pixels. One with a network would load it here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import ImageStat

from edgewright.tools.models.expert import PERCEPTION
from edgewright.tools.vision.scene import Scene

DARK, BRIGHT = 0.25, 0.75


class BrightnessExpert:
    """Measures brightness; implements ``SceneExpert``."""

    id = "mean-brightness"
    card = "brightness"
    model = PERCEPTION
    approximate = False
    #: Names of models of the catalogue that it needs: none.
    needs: tuple[str, ...] = ()

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any arguments: the image is all that is needed."""

    def answer(self, scene: Scene, args: Mapping[str, str]) -> dict[str, Any]:
        """Measure an image."""
        mean = ImageStat.Stat(scene.image.convert("L")).mean[0] / 255
        word = "dark" if mean < DARK else "bright" if mean > BRIGHT else "neither dark nor bright"
        return {"text": f"{word} (mean brightness {mean:.0%})", "brightness": round(mean, 4)}
