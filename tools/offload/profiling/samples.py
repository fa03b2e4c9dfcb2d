"""The photographs that a model is profiled with."""

from __future__ import annotations

from importlib.resources import files

from PIL import Image

from edgewright.tools.images.decode import decode


def views(image: Image.Image) -> list[Image.Image]:
    """Return an image, its mirror image and its centre crop, to get more from few photographs."""
    width, height = image.size
    middle = image.crop((width // 6, height // 6, width - width // 6, height - height // 6))
    return [image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), middle]


def shipped_photographs() -> list[Image.Image]:
    """Return the photographs that the package contains."""
    folder = files("edgewright.tools.offload") / "photographs"
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [decode(entry.read_bytes()) for entry in entries if entry.name.endswith(".jpg")]
