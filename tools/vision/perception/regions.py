"""Connected regions of a mask, and the smallest rectangles around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def regions(mask: NDArray[np.bool_]) -> list[Array]:
    """Find the regions of a mask that touch by a side or a corner.

    Rows are split into runs of set pixels, and runs of neighbouring rows that touch are joined.

    Args:
        mask: bool ``[H, W]``.

    Returns:
        For each region, the first and last pixels of its runs as (x, y), float64 ``[N, 2]``.
    """
    width = mask.shape[1]
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1] - 1
    # A row takes more keys than it has pixels, so that runs of two rows never seem to touch.
    stride = width + 2
    above = (rows - 1) * stride
    first = np.searchsorted(rows * stride + ends, above + starts - 1)
    last = np.searchsorted(rows * stride + starts, above + ends + 1, side="right")
    roots = _joined(len(rows), first.tolist(), last.tolist())
    order = np.argsort(roots, kind="stable")
    cuts = np.nonzero(np.diff(roots[order]))[0] + 1
    return [
        np.concatenate(
            [
                np.stack([starts[members], rows[members]], axis=1),
                np.stack([ends[members], rows[members]], axis=1),
            ]
        ).astype(np.float64)
        for members in np.split(order, cuts)
        if len(members)
    ]


def smallest_rectangle(points: Array) -> Array:
    """Return the smallest rectangle around points; one of its sides lies along their hull.

    Args:
        points: float64 ``[N, 2]``.

    Returns:
        Its corners clockwise as seen in an image, float64 ``[4, 2]``.
    """
    hull = _hull(points)
    sides = np.roll(hull, -1, axis=0) - hull
    angles = np.unique(np.arctan2(sides[:, 1], sides[:, 0]) % (np.pi / 2))
    cos, sin = np.cos(angles)[:, np.newaxis], np.sin(angles)[:, np.newaxis]
    along = hull[:, 0] * cos + hull[:, 1] * sin
    across = hull[:, 1] * cos - hull[:, 0] * sin
    area = np.ptp(along, axis=1) * np.ptp(across, axis=1)
    best = int(np.argmin(area))
    left, right = along[best].min(), along[best].max()
    top, bottom = across[best].min(), across[best].max()
    turned = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    c, s = float(cos[best, 0]), float(sin[best, 0])
    corners: Array = turned @ np.array([[c, s], [-s, c]])
    return corners


def _joined(count: int, first: Sequence[int], last: Sequence[int]) -> NDArray[np.int64]:
    """Return a representative for each run, after joining each with the runs above it."""
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for run in range(count):
        for other in range(first[run], last[run]):
            parent[root(run)] = root(other)
    return np.array([root(run) for run in range(count)], dtype=np.int64)


def _hull(points: Array) -> Array:
    """Return the corners of the convex hull in order (Andrew's monotone chain)."""
    unique = np.unique(points, axis=0)
    if len(unique) < 3:
        return unique

    def chain(ordered: Array) -> list[Array]:
        corners: list[Array] = []
        for point in ordered:
            while len(corners) > 1 and _turn(corners[-2], corners[-1], point) <= 0:
                corners.pop()
            corners.append(point)
        return corners[:-1]

    return np.array(chain(unique) + chain(unique[::-1]))


def _turn(a: Array, b: Array, c: Array) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
