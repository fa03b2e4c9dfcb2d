"""Scenes with hand-written perceptions, for tests of questions and captions."""

from PIL import Image

from edgewright.tools.contracts.perceptions import (
    Box,
    DetectedObject,
    Perceptions,
    SceneLabel,
    TextLine,
)
from edgewright.tools.vision.scene import Scene

WIDTH, HEIGHT = 400, 300


def thing(label, x, y, side=60, score=0.9):
    half = side / 2
    return DetectedObject(
        label=label, score=score, box=Box(x0=x - half, y0=y - half, x1=x + half, y1=y + half)
    )


def line(text, x=10, y=10, width=100, height=20):
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    return TextLine(text=text, score=0.95, polygon=corners)


def scene(*objects, image=None, texts=(), faces=(), labels=()):
    image = image or Image.new("RGB", (WIDTH, HEIGHT), (120, 160, 90))
    seen = Perceptions(
        width=image.width,
        height=image.height,
        candidates=objects,
        objects=objects,
        texts=texts,
        faces=faces,
        poses=(),
        labels=[SceneLabel(label=label, score=score) for label, score in labels],
    )
    return Scene(image, {}, seen)
