from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.embedded.diagnosis import diagnose, noise_of

RISING = [0.3, 0.5, 0.62, 0.7, 0.76, 0.81, 0.85, 0.885, 0.915, 0.94]
LOW = [0.4, 0.6, 0.7, 0.74, 0.76, 0.77, 0.77, 0.77, 0.77, 0.77]
FLAT = [0.5, 0.8, 0.9, 0.93, 0.94, 0.945, 0.945, 0.945, 0.945, 0.945]


@pytest.mark.parametrize(
    ("accuracy", "train", "cause"),
    [
        ([0.1] * 8, None, "divergence"),
        ([0.3, 0.6, 0.8, 0.85, 0.2, 0.1, 0.1], None, "divergence"),
        ([0.5, 0.8, 0.9, 0.7, 0.9, 0.7, 0.9, 0.75, 0.9, 0.72], None, "oscillation"),
        (RISING, RISING, "unfinished"),
        (FLAT, [min(1.0, value + 0.055) for value in FLAT], "overfitting"),
        (FLAT, FLAT, "underfitting"),
        (LOW, [value + 0.1 for value in LOW], "underfitting"),
        ([0.5, 0.9, 0.97, 0.99, 0.99, 0.99, 0.99], [0.5, 0.9, 0.98, 1, 1, 1, 1], "plateau"),
        ([0.5, 0.9, 0.98, 0.99, 0.99, 0.99, 0.99], [None] * 7, "plateau"),
    ],
)
def test_a_curve_is_diagnosed(make_card, make_curve, accuracy, train, cause):
    found = diagnose(make_curve(accuracy, train), make_card())
    assert found.cause == cause, found
    assert found.evidence


def test_skewed_clients_drift(make_card, make_curve):
    curve = make_curve(FLAT, [1.0] * 10, spread=0.2)
    assert diagnose(curve, make_card(skew=0.6)).cause == "client drift"
    assert diagnose(curve, make_card(skew=0.0)).cause == "overfitting"


def test_a_loss_that_is_not_finite_is_divergence(make_card, make_curve):
    assert diagnose(make_curve(FLAT, loss=float("nan")), make_card()).cause == "divergence"


def test_a_curve_of_one_round_is_diagnosed(make_card, make_curve):
    assert diagnose(make_curve([0.95], [0.99]), make_card()).cause == "overfitting"


def test_noise_falls_with_samples_and_rises_with_jitter(make_curve):
    calm = make_curve(FLAT)
    assert noise_of(calm, 100) > noise_of(calm, 10_000) > 0
    wild = make_curve([0.5, 0.9, 0.7, 0.9, 0.7, 0.9, 0.7, 0.9, 0.7])
    assert noise_of(wild, 10_000) > 0.05
    assert noise_of([], 100) > 0
