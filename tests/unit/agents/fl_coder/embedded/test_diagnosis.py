from __future__ import annotations

import numpy as np
import pytest

from edgewright.agents.fl_coder.embedded.design import first_design
from edgewright.agents.fl_coder.embedded.diagnosis import diagnose, left_behind, noise_of
from edgewright.tools.federated.records.data_card import ClientCard

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


NOISY = [0.4, 0.55, 0.62, 0.64, 0.63, 0.6, 0.57, 0.55, 0.53, 0.52]
RISING_TRAIN = [0.35, 0.45, 0.52, 0.56, 0.62, 0.68, 0.74, 0.8, 0.85, 0.9]


@pytest.mark.parametrize(
    ("accuracy", "train"),
    [
        (NOISY, RISING_TRAIN),  # was: underfitting
        ([0.5, 0.7, 0.74, 0.73, 0.6, 0.45, 0.4], [0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.93]),
        ([0.6, 0.7, 0.66, 0.64, 0.63], [0.5, 0.6, 0.7, 0.75, 0.8]),
    ],
)
def test_falling_validation_with_rising_training_accuracy_is_memorised_noise(
    make_card, make_curve, accuracy, train
):
    found = diagnose(make_curve(accuracy, train), make_card())
    assert found.cause == "memorised noise"
    assert "rises" in found.evidence


def test_a_fall_without_a_rise_is_not(make_card, make_curve):
    assert diagnose(make_curve(NOISY, NOISY), make_card()).cause != "memorised noise"
    assert diagnose(make_curve(NOISY, [None] * 10), make_card()).cause != "memorised noise"
    assert diagnose(make_curve(NOISY, RISING_TRAIN), make_card(skew=0.6)).cause != "memorised noise"


def with_clients(curve, *accuracies):
    score = curve[-1].validation.model_copy(update={"clients": accuracies})
    return (*curve[:-1], curve[-1].model_copy(update={"validation": score}))


@pytest.mark.parametrize(
    ("accuracies", "behind"),
    [
        ((0.9, 0.0, 0.95), (1,)),
        ((0.9, 0.3, 0.1), (2, 1)),
        ((0.9, None, 0.8), ()),
        ((0.9, 0.7, 0.9), ()),
    ],
)
def test_a_client_at_nothing_is_noticed(make_card, make_curve, accuracies, behind):
    curve = with_clients(make_curve(FLAT), *accuracies)
    assert left_behind(curve[-1].validation, make_card(3)) == behind
    cause = diagnose(curve, make_card(3)).cause
    assert (cause == "client left behind") is bool(behind)


def test_a_client_with_hardly_any_images_is_not_judged(make_card, make_curve):
    curve = with_clients(make_curve(FLAT), 0.9, 0.0)
    few = make_card(2, samples=120).model_copy(update={"validation": 8})
    assert left_behind(curve[-1].validation, few) == ()


def random_card(make_card, clients: int, size: int, alpha: float | None, classes: int = 10):
    """Deal samples at random, or by Dirichlet, and describe the shards as ``prepare`` does."""
    rng = np.random.default_rng(clients * size)
    shares = np.full((clients, classes), 1 / classes)
    if alpha is not None:
        shares = rng.dirichlet(np.full(classes, alpha), size=clients)
    table = np.stack([rng.multinomial(size, share) for share in shares])
    overall = table.sum(0) / table.sum()
    skew = float((np.abs(table / size - overall).sum(1) / 2).mean())
    shards = tuple(ClientCard(samples=size, histogram=tuple(row.tolist())) for row in table)
    return make_card(clients).model_copy(
        update={"clients": shards, "label_skew": skew, "train": clients * size}
    )


@pytest.mark.parametrize(("clients", "size"), [(10, 5), (20, 10), (50, 4), (5, 20), (10, 100)])
def test_the_skew_of_tiny_random_shards_is_none(make_card, clients, size):
    card = random_card(make_card, clients, size, None)
    assert card.excess_skew < 0.2, card.label_skew
    assert not first_design("recognise digits", card).choices


@pytest.mark.parametrize(("clients", "size"), [(10, 10), (20, 40), (10, 200)])
def test_real_skew_is_still_found(make_card, clients, size):
    assert random_card(make_card, clients, size, 0.2).excess_skew > 0.35
