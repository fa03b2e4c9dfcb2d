"""Finding images that are the same, or nearly: recompressed, resized or slightly changed copies.

Candidates are found by a perceptual hash (whether each of 8 x 8 areas is lighter than its right
neighbour) and confirmed by their thumbnails.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_GRID = 16
_CHUNK = 512
_BANDS, _BAND_BITS = 8, 8
#: In each band, an image is compared with as many others that sort next to it.
_WINDOW = 32
_MAX_DISTANCE = 8
#: Mean difference of two thumbnails, relative to their contrast, and in grey levels.
_MAX_RELATIVE, _MAX_ABSOLUTE = 0.12, 0.5


def duplicate_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return a group for each image; images of one group are copies of one another.

    Args:
        images: uint8 [N, H, W, C].

    Returns:
        int64 [N]: the index of the first image of the group.
    """
    parents = np.arange(len(images))
    first: dict[bytes, int] = {}
    for index, image in enumerate(images):
        key = hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
        parents[index] = first.setdefault(key, index)
    thumbnails = np.concatenate(
        [_thumbnails(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
    )
    for one, other in _near(thumbnails):
        _join(parents, int(one), int(other))
    return np.array([_root(parents, index) for index in range(len(images))], dtype=np.int64)


def _thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Average areas: float32 [N, 16, 16, C]."""
    values = images.astype(np.float32)
    for axis in (1, 2):
        edges = np.linspace(0, values.shape[axis], _GRID + 1)
        starts = edges[:-1].astype(int)
        sums = np.add.reduceat(values, starts, axis=axis)
        sizes = np.maximum(np.diff(np.append(starts, values.shape[axis])), 1)
        shape = [1, 1, 1, 1]
        shape[axis] = _GRID
        values = sums / sizes.reshape(shape)
    return values


def _near(thumbnails: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return pairs of near copies, int64 [P, 2]."""
    count = len(thumbnails)
    grey = thumbnails.mean(axis=3).reshape(count, 8, 2, 8, 2).mean(axis=(2, 4))
    bits = np.packbits((grey > np.roll(grey, -1, axis=2)).reshape(count, 64), axis=1)
    centred = thumbnails - thumbnails.mean(axis=(1, 2), keepdims=True)
    contrast = np.abs(centred).mean(axis=(1, 2, 3))
    found = []
    for band in range(_BANDS):
        order = np.lexsort([*(bits[:, other] for other in range(_BANDS)), bits[:, band]])
        for shift in range(1, min(_WINDOW, count - 1) + 1):
            one, other = order[:-shift], order[shift:]
            distance = np.unpackbits(bits[one] ^ bits[other], axis=1).sum(axis=1)
            close = (bits[one, band] == bits[other, band]) & (distance <= _MAX_DISTANCE)
            one, other = one[close], other[close]
            if len(one):
                difference = np.abs(thumbnails[one] - thumbnails[other]).mean(axis=(1, 2, 3))
                limit = _MAX_RELATIVE * np.minimum(contrast[one], contrast[other]) + _MAX_ABSOLUTE
                same = difference <= limit
                found.append(np.stack([one[same], other[same]], axis=1))
    return np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)


def _join(parents: NDArray[np.int64], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first


def _root(parents: NDArray[np.int64], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = int(parents[index])
    return index
