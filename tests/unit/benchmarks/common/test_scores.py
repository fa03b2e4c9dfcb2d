"""Shares, intervals and calibration, checked against figures worked out by hand."""

import pytest

from edgewright.benchmarks.common.scores import (
    calibration_error,
    format_share,
    macro_f1,
    mean_interval,
    quantiles,
    reliability,
    share,
    wilson,
)


def test_wilson_of_a_textbook_case() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(5, 5)[1] == 1.0


def test_a_share_has_its_count_and_interval() -> None:
    assert share(8, 10)["count"] == 10
    assert format_share(share(8, 10)) == "80.0 % (49.0–94.3)"  # noqa: RUF001
    assert share(0, 0)["share"] == 0


def test_macro_f1_weights_every_expected_label_equally() -> None:
    assert macro_f1(["a", "a", "b", "c"], ["a", "a", "a", "b"]) == pytest.approx((0.8 + 0) / 2)


def test_quantiles_of_a_ramp() -> None:
    times = quantiles([float(value) for value in range(101)])
    assert times["p50_ms"] == pytest.approx(50)
    assert 94 <= times["p95_ms"] <= 96


def test_three_seeds_have_a_wide_interval() -> None:
    mean, half = mean_interval([80, 82, 84])
    assert mean == 82
    assert half == pytest.approx(4.303 * 2 / 3**0.5)


def test_more_seeds_narrow_the_interval_and_one_has_none() -> None:
    halves = [mean_interval([80, 84] * pairs)[1] for pairs in range(1, 10)]
    assert halves == sorted(halves, reverse=True)
    with pytest.raises(ValueError, match="at least two values, not 1"):
        mean_interval([80])


def test_calibration_error_is_the_distance_weighted_by_count() -> None:
    bins = reliability([0.95, 1.0, 0.05, 0.05], [True, False, False, False])
    assert [each["count"] for each in bins] == [2, 2]
    assert calibration_error(bins) == pytest.approx((2 * (0.975 - 0.5) + 2 * 0.05) / 4)
