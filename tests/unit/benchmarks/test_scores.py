"""Shares, intervals and calibration, against figures worked out by hand."""

import pytest

from edgewright.benchmarks.common.scores import (
    calibration_error,
    macro_f1,
    of_three_seeds,
    quantiles,
    reliability,
    share,
    shown,
    wilson,
)


def test_wilson_of_a_textbook_case() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(5, 5)[1] == 1.0


def test_a_share_says_what_it_is_a_share_of() -> None:
    assert share(8, 10)["count"] == 10
    assert shown(share(8, 10)) == "80.0 % (49.0–94.3)"  # noqa: RUF001
    assert share(0, 0)["share"] == 0


def test_macro_f1_counts_every_wanted_label_alike() -> None:
    assert macro_f1(["a", "a", "b", "c"], ["a", "a", "a", "b"]) == pytest.approx((0.8 + 0) / 2)


def test_quantiles_of_a_ramp() -> None:
    found = quantiles([float(value) for value in range(101)])
    assert found["p50_ms"] == pytest.approx(50)
    assert 94 <= found["p95_ms"] <= 96


def test_three_seeds_have_a_wide_interval() -> None:
    mean, half = of_three_seeds([80, 82, 84])
    assert mean == 82
    assert half == pytest.approx(4.303 * 2 / 3**0.5)
    with pytest.raises(ValueError, match="three figures"):
        of_three_seeds([1, 2])


def test_calibration_is_the_distance_weighed_by_number() -> None:
    bins = reliability([0.95, 1.0, 0.05, 0.05], [True, False, False, False])
    assert [found["count"] for found in bins] == [2, 2]
    assert calibration_error(bins) == pytest.approx((2 * (0.975 - 0.5) + 2 * 0.05) / 4)
