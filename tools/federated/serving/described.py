"""Descriptions of images, by which those of a model are distinguished from others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

#: Side in pixels of the images that are described, and number of its parts along a side.
_SIDE, _CELLS = 32, 4
_DIRECTIONS = 8
_TONES = 17
#: Widths in pixels below which things are removed: to measure thickness, and to separate layers.
_WIDTHS, _LAYERS = (2, 3, 5, 7, 9), (3, 5)


def described(images: NDArray[np.uint8]) -> dict[str, Floats]:
    """Return the descriptions of images, by name.

    Args:
        images: uint8 ``[N, H, W, C]``.

    Returns:
        float32 ``[N, D]`` for the directions of edges, coarse grey values, tones, the thickness of
        what is bright or dark, and what is thin and what is thick in each part of the image.
    """
    pixels = np.stack([_resized(image) for image in images])
    count, grey = len(pixels), pixels.mean(axis=3)
    down, across = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(across, down)
    bins = (np.mod(np.arctan2(down, across), np.pi) / np.pi * _DIRECTIONS).astype(int)
    bins = np.minimum(bins, _DIRECTIONS - 1)
    cell = _SIDE // _CELLS
    edges = np.stack(
        [
            np.where(bins == direction, strength, 0)
            .reshape(count, _CELLS, cell, _CELLS, cell)
            .mean(axis=(2, 4))
            for direction in range(_DIRECTIONS)
        ],
        axis=-1,
    )
    flat = np.sort(pixels.reshape(count, -1), axis=1)
    tones = flat[:, np.linspace(0, flat.shape[1] - 1, _TONES).astype(int)]
    roughness = [
        np.abs(np.diff(grey, 2, axis=1)).mean(axis=(1, 2)),
        np.abs(np.diff(grey, 2, axis=2)).mean(axis=(1, 2)),
        strength.mean(axis=(1, 2)),
    ]
    colours = pixels.reshape(count, -1, pixels.shape[3])
    found = {
        "edges": np.sqrt(edges.reshape(count, -1)),
        "grey": grey.reshape(count, 16, 2, 16, 2).mean(axis=(2, 4)).reshape(count, -1),
        "tones": np.concatenate(
            [
                tones,
                np.log(np.stack(roughness, axis=1) + 1e-3),
                colours.mean(axis=1),
                colours.std(axis=1),
            ],
            axis=1,
        ),
    }
    found |= {"layers": _layers(grey), "thickness": _thickness(grey)}
    return {name: rows.astype(np.float32) for name, rows in found.items()}


def _thickness(grey: Floats) -> Floats:
    """Return how much of the bright and of the dark survives when what is thin is removed."""
    from scipy import ndimage

    left = np.stack(
        [
            remove(grey, size=(1, width, width)).mean(axis=(1, 2))
            for width in _WIDTHS
            for remove in (ndimage.grey_opening, ndimage.grey_closing)
        ],
        axis=1,
    )
    mean, contrast = grey.mean(axis=(1, 2))[:, np.newaxis], grey.std(axis=(1, 2))[:, np.newaxis]
    return np.concatenate([left, left / (mean + 0.02), np.log(contrast + 1e-3)], axis=1)


def _layers(grey: Floats) -> Floats:
    """Return how bright thin and thick things are in each part of the image."""
    from scipy import ndimage

    layers = []
    for width in _LAYERS:
        thick = ndimage.grey_opening(grey, size=(1, width, width))
        layers += [grey - thick, thick]
    cell = _SIDE // _CELLS
    means = [
        layer.reshape(len(grey), _CELLS, cell, _CELLS, cell).mean(axis=(2, 4)) for layer in layers
    ]
    flat = np.concatenate([each.reshape(len(grey), -1) for each in means], axis=1)
    return np.asarray(np.sqrt(np.maximum(flat, 0)), np.float32)


def _resized(image: NDArray[np.uint8]) -> Floats:
    """Resize an image ``[H, W, C]`` to float32 ``[32, 32, C]`` in 0 to 1."""
    small = min(image.shape[:2]) < _SIDE
    how = Image.Resampling.BILINEAR if small else Image.Resampling.BOX
    channels = [
        np.asarray(Image.fromarray(image[..., channel]).resize((_SIDE, _SIDE), how))
        for channel in range(image.shape[2])
    ]
    pixels: Floats = np.stack(channels, axis=-1).astype(np.float32)
    return pixels / np.float32(255)
