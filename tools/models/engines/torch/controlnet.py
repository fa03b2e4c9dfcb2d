"""Stable Diffusion with a ControlNet that follows a skeleton."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from diffusers import StableDiffusionControlNetPipeline
from diffusers.utils import logging as diffusers_logging
from PIL import Image

from edgewright.tools.models.source import ModelSource, unreadable_error

_STEPS = 20


class ControlNet:
    """A pipeline of Stable Diffusion and a ControlNet for poses, as diffusers saves it.

    Args:
        source: The folder that ``save_pretrained`` wrote, or a hub repository in that form.

    Raises:
        UnavailableError: It cannot be read.
    """

    def __init__(self, source: ModelSource) -> None:
        diffusers_logging.disable_progress_bar()
        folder = source.folder()
        try:
            load: Callable[..., Any] = StableDiffusionControlNetPipeline.from_pretrained
            self._pipeline = load(folder, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise unreadable_error(source, error) from error
        self._pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
        self._pipeline.set_progress_bar_config(disable=True)

    def generate(self, prompt: str, skeleton: Image.Image, *, steps: int = _STEPS) -> Image.Image:
        """Generate an image; the same prompt and skeleton give the same one.

        Args:
            prompt: What to draw.
            skeleton: The pose as OpenPose draws it; sides are multiples of 64 pixels.
            steps: Number of denoising steps.
        """
        digest = hashlib.sha256(prompt.encode() + skeleton.tobytes()).digest()
        seed = torch.Generator("cpu").manual_seed(int.from_bytes(digest[:7], "big"))
        result = self._pipeline(
            prompt,
            image=skeleton,
            num_inference_steps=steps,
            generator=seed,
            width=skeleton.width,
            height=skeleton.height,
        )
        image: Image.Image = result.images[0]
        return image.convert("RGB")


@cache
def load(source: ModelSource) -> ControlNet:
    """Load a pipeline; each process loads it once.

    Args:
        source: Where it is.

    Raises:
        UnavailableError: It cannot be read.
    """
    return ControlNet(source)
