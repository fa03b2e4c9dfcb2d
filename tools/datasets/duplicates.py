"""Finding images that are the same, or nearly: recompressed, resized, brighter or cropped copies.

Candidates are found by a perceptual hash (whether each of 8 x 8 areas is lighter than its right
neighbour) and confirmed by their thumbnails. Both are made of the whole image, and of what is left
of it without a narrow margin.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_GRID = 16
_CHUNK = 512
_BANDS = 8
#: Margins that are left out, as shares of the side; copies that lack others nearby are found too.
_MARGINS = (0.0, 0.025, 0.05, 0.075)
#: In each band, an image is compared with as many others that sort next to it.
_WINDOW = 32
_MAX_DISTANCE = 12
#: Mean difference of two thumbnails relative to their contrast, also once both have the same.
_MAX_DIFFERENCE = 0.13
#: Contrast of one copy relative to the other's; less may be another colour.
_MIN_GAIN = 0.7
#: Contrast in grey levels below which brightness and contrast must be the same, and how nearly.
_MIN_CONTRAST, _MAX_ABSOLUTE = 4.0, 0.5


def duplicate_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return a group for each image; images of one group are copies of one another.

    Args:
        images: uint8 [N, H, W, C].

    Returns:
        int64 [N]: the index of the first image of the group.
    """
    groups = np.arange(len(images))
    first: dict[bytes, int] = {}
    for index, image in enumerate(images):
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        groups[index] = first.setdefault(key, index)
    thumbnails, hashes = _views(images)
    for band in range(_BANDS):
        order = np.lexsort([*hashes.T, hashes[:, band]])
        for shift in range(1, min(_WINDOW, len(order) - 1) + 1):
            one, other = _candidates(order[:-shift], order[shift:], band, hashes, groups)
            for start in range(0, len(one), _CHUNK):
                part = slice(start, start + _CHUNK)
                same = _same(thumbnails[one[part]], thumbnails[other[part]])
                _join(groups, one[part][same] % len(images), other[part][same] % len(images))
            groups = _flat(groups)
    return groups


def _views(images: NDArray[np.uint8]) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Return thumbnails and hashes of the images without each margin.

    Returns:
        float16 [V * N, 256, C] and uint8 [V * N, 8]; the whole images come first.
    """
    count, height, width, channels = images.shape
    thumbnails = np.empty((len(_MARGINS), count, _GRID * _GRID, channels), dtype=np.float16)
    hashes = np.empty((len(_MARGINS), count, _BANDS), dtype=np.uint8)
    rows = np.concatenate([_areas(height, margin) for margin in _MARGINS])
    columns = [
        np.kron(_areas(width, margin).T, np.eye(channels, dtype="f4")) for margin in _MARGINS
    ]
    for start in range(0, count, _CHUNK):
        part = slice(start, start + _CHUNK)
        pixels = images[part].astype(np.float32).reshape(-1, height, width * channels)
        narrowed = np.split(rows @ pixels, len(_MARGINS), axis=1)
        for view, weights in enumerate(columns):
            values = narrowed[view].reshape(-1, width * channels) @ weights
            grey = values.reshape(-1, 8, 2, 8, 2 * channels).mean(axis=(2, 4))
            lighter = (grey > np.roll(grey, -1, axis=2)).reshape(-1, 64)
            thumbnails[view, part] = values.reshape(len(pixels), -1, channels)
            hashes[view, part] = np.packbits(lighter, axis=1)
    return thumbnails.reshape(-1, *thumbnails.shape[2:]), hashes.reshape(-1, _BANDS)


def _areas(side: int, margin: float) -> NDArray[np.float32]:
    """Return what averages the pixels along a side to those of a thumbnail: [16, side]."""
    edges = np.linspace(margin * side, (1 - margin) * side, _GRID + 1)
    starts, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(side)
    covered = np.minimum(ends, pixels + 1) - np.maximum(starts, pixels)
    shares: NDArray[np.float32] = (np.maximum(covered, 0) / (ends - starts)).astype(np.float32)
    return shares


def _candidates(
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    band: int,
    hashes: NDArray[np.uint8],
    groups: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return those of these pairs whose hashes are near, and which are not in one group already."""
    count = len(groups)
    # A margin is missing in one of two copies.
    close = (np.minimum(one, other) < count) & (groups[one % count] != groups[other % count])
    close &= hashes[one, band] == hashes[other, band]
    one, other = one[close], other[close]
    near = np.unpackbits(hashes[one] ^ hashes[other], axis=1).sum(axis=1) <= _MAX_DISTANCE
    return one[near], other[near]


def _same(one: NDArray[np.float16], other: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Return which pairs of thumbnails show the same, whatever their brightness and contrast."""
    thumbnails = np.stack([one, other]).astype(np.float32)
    difference = _difference(thumbnails)
    thumbnails -= thumbnails.mean(axis=(2, 3), keepdims=True)
    contrasts = np.abs(thumbnails).mean(axis=(2, 3))
    low, high = contrasts.min(axis=0), contrasts.max(axis=0)
    equal: NDArray[np.bool_] = difference <= _MAX_ABSOLUTE + _MAX_DIFFERENCE * low
    thumbnails /= np.maximum(contrasts, _MIN_CONTRAST)[:, :, None, None]
    alike = _difference(thumbnails) <= _MAX_DIFFERENCE
    equal |= alike & (low >= _MIN_CONTRAST) & (low >= _MIN_GAIN * high)
    return equal


def _difference(thumbnails: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean difference in the channel that differs most: another colour is no copy."""
    largest: NDArray[np.float32] = np.abs(thumbnails[0] - thumbnails[1]).mean(axis=1).max(axis=1)
    return largest


def _join(groups: NDArray[np.int64], ones: NDArray[np.int64], others: NDArray[np.int64]) -> None:
    for one, other in zip(ones.tolist(), others.tolist(), strict=True):
        first, second = sorted((_root(groups, one), _root(groups, other)))
        groups[second] = first


def _root(groups: NDArray[np.int64], index: int) -> int:
    while groups[index] != index:
        index = int(groups[index])
    return index


def _flat(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first image of each image's group, instead of any earlier one."""
    while not np.array_equal(above := groups[groups], groups):
        groups = above
    return groups
