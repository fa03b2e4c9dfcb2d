"""Experts that make a new image of somebody in a given pose."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from edgewright.tools.contracts.perceptions import IN_VIEW, Perceptions, Pose
from edgewright.tools.errors import InputError, UnavailableError
from edgewright.tools.models.expert import CONTROLNET, DRAWING
from edgewright.tools.models.source import ModelSource
from edgewright.tools.settings import model_source

if TYPE_CHECKING:
    from PIL import Image

CARD = "pose-to-image"
#: Names the pipeline of Stable Diffusion and a ControlNet.
VARIABLE = "EDGEWRIGHT_CONTROLNET"
_PACKAGES = ("torch", "diffusers", "transformers")
#: The picture's long side, and the multiple that a diffusion model needs of both sides, in pixels.
_LONG_SIDE, _MULTIPLE = 768, 64

#: Generates an image from a prompt and the picture of a skeleton.
Generate = Callable[[str, "Image.Image"], "Image.Image"]


class PoseFigure:
    """Draws a plain figure in the pose; implements ``GeneratingExpert``."""

    id = "pose-figure"
    card = CARD
    model = DRAWING
    approximate = True

    def check(self, args: Mapping[str, str]) -> None:
        """Require a pose and a subject."""
        _pose_and_size(args)
        _subject(args)

    def generate(self, args: Mapping[str, str]) -> tuple[str, Image.Image]:
        """Draw the figure, with its subject below it."""
        from edgewright.tools.vision.drawing.canvas import captioned
        from edgewright.tools.vision.drawing.figure import figure

        pose, size = _pose_and_size(args)
        subject = _subject(args)
        picture = captioned(figure(pose, size, subject), f"{subject} (drawn, not generated)")
        text = (
            f"Drew a plain figure in that pose, to stand for {subject}. It is drawn, not generated:"
            " set EDGEWRIGHT_CONTROLNET for a picture by a diffusion model."
        )
        return text, picture


class PoseControlNet:
    """Generates a picture with a diffusion model that follows the pose; a ``GeneratingExpert``.

    Args:
        generate: Generates an image from a prompt and a skeleton; loads the model on first use.
    """

    id = "pose-controlnet"
    card = CARD
    model = CONTROLNET
    approximate = False

    def __init__(self, generate: Generate) -> None:
        self._generate = generate

    def check(self, args: Mapping[str, str]) -> None:
        """Require a pose and a subject."""
        _pose_and_size(args)
        _subject(args)

    def generate(self, args: Mapping[str, str]) -> tuple[str, Image.Image]:
        """Generate the picture."""
        from edgewright.tools.vision.drawing.figure import openpose_skeleton

        pose, size = _pose_and_size(args)
        subject = _subject(args)
        picture = self._generate(subject, openpose_skeleton(pose, size))
        return f"Generated {subject} in that pose.", picture


def generate_with_controlnet(prompt: str, skeleton: Image.Image) -> Image.Image:
    """Generate an image with the configured pipeline; each process loads it once.

    Args:
        prompt: What to draw.
        skeleton: The pose as OpenPose draws it.

    Raises:
        UnavailableError: None is configured (``model_not_configured``), or it cannot be read.
    """
    if obstacle := generation_obstacle(CONTROLNET):
        raise UnavailableError(obstacle, code="model_not_configured")
    controlnet = importlib.import_module("edgewright.tools.models.engines.torch.controlnet")
    pipeline = controlnet.load(ModelSource.parse(model_source(VARIABLE)))
    image: Image.Image = pipeline.generate(prompt, skeleton)
    return image


def generation_obstacle(model: str) -> str:
    """Return why a model that makes images cannot run here, with the fix; empty if it can.

    Args:
        model: ``drawing`` or ``controlnet``.
    """
    if model == DRAWING:
        return ""
    if not (text := model_source(VARIABLE)):
        return (
            f"no pipeline: set {VARIABLE} to a local folder or hub-id@revision of Stable Diffusion "
            "with an OpenPose ControlNet"
        )
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed: pip install 'edgewright[generation]'"
    try:
        source = ModelSource.parse(text)
    except UnavailableError as error:
        return f"{VARIABLE}: {error.message}"
    if source.available:
        return ""
    return (
        f"{source.location}@{source.revision} is not on this machine and the hub is disabled "
        f"(HF_HUB_OFFLINE): set {VARIABLE} to a local folder"
    )


def _subject(args: Mapping[str, str]) -> str:
    subject = " ".join(args.get("prompt", "").split())
    if not subject:
        raise InputError(
            "the argument 'prompt' is missing; say who is to be drawn, such as 'a reading girl'",
            code="argument_missing",
        )
    return subject


def _pose_and_size(args: Mapping[str, str]) -> tuple[Pose, tuple[int, int]]:
    """Return the pose of the person seen best, in pixels of the new picture, and its size."""
    try:
        seen = Perceptions.model_validate_json(args.get("pose", ""))
    except ValidationError:
        raise InputError(
            "the argument 'pose' is not a pose; pass the 'signal' of a result of pose-detection",
            code="pose_unreadable",
        ) from None
    scale = _LONG_SIDE / max(seen.width, seen.height)
    width, height = (
        max(round(side * scale / _MULTIPLE), 1) * _MULTIPLE for side in (seen.width, seen.height)
    )
    poses = seen.resized(width, height).poses
    if not poses:
        raise InputError("the argument 'pose' holds nobody's pose", code="pose_unreadable")
    best = max(poses, key=lambda pose: (_in_view(pose), pose.box.area))
    return best, (width, height)


def _in_view(pose: Pose) -> int:
    return sum(point.score >= IN_VIEW for point in pose.keypoints)
