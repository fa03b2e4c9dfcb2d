"""Regions of a mask, and rectangles around them, against plain ways to find them."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgewright.tools.vision.perception.regions import regions, smallest_rectangle


def _flooded(mask):
    """Return the regions by flood filling."""
    left = {(int(x), int(y)) for y, x in np.argwhere(mask)}
    found = []
    while left:
        region, new = set(), [left.pop()]
        while new:
            x, y = new.pop()
            region.add((x, y))
            near = {(x + dx, y + dy) for dx, dy in product((-1, 0, 1), repeat=2)} & left
            left -= near
            new += near
        found.append(region)
    return found


@settings(max_examples=200, deadline=None)
@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_regions_equal_flood_filling(mask):
    found = regions(mask)
    expected = _flooded(mask)
    assert len(found) == len(expected)
    by_point = {point: index for index, region in enumerate(expected) for point in region}
    for points in found:
        members = {by_point[(int(x), int(y))] for x, y in points}
        (index,) = members
        xs, ys = zip(*expected[index], strict=True)
        assert (points.min(axis=0) == [min(xs), min(ys)]).all()
        assert (points.max(axis=0) == [max(xs), max(ys)]).all()


@pytest.mark.parametrize("degrees", [0, 10, 45, 80, 133, 179])
def test_the_smallest_rectangle_of_a_turned_rectangle_is_itself(degrees):
    turn = np.radians(degrees)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    grid = np.array(list(product(np.linspace(0, 30, 13), np.linspace(0, 8, 5))))
    corners = smallest_rectangle(grid @ rotation + 50)
    sides = sorted(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1))
    assert sides == pytest.approx([8, 8, 30, 30])
    turned = (np.array([[0, 0], [30, 0], [30, 8], [0, 8]])) @ rotation + 50
    distances = np.linalg.norm(corners[:, np.newaxis] - turned, axis=2)
    assert distances.min(axis=1) == pytest.approx([0, 0, 0, 0], abs=1e-6)


@pytest.mark.parametrize("points", [[[3, 4]], [[3, 4], [3, 4]], [[1, 1], [5, 1]], [[0, 0], [2, 2]]])
def test_points_on_a_line_have_a_rectangle_without_area(points):
    corners = smallest_rectangle(np.array(points, float))
    assert np.isfinite(corners).all()
    sides = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    assert min(sides) == pytest.approx(0, abs=1e-9)
