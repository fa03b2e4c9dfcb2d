"""Designs with differential privacy, and a forecast of what their noise leaves of the accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.promises import StatedPrivacy
from edgewright.agents.fl_coder.embedded.recipes import write
from edgewright.tools.federated.app.privacy import noise_for
from edgewright.tools.federated.records.candidate import ROBUST, FedAvg, Private, Strategy
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.local_privacy import DpSgd

_CLIENT_ROUNDS = 30
#: Rounds, and steps of each client in a round. All samples take part in each step: for a given
#: budget that leaves the least noise, and the last layer of a small model is cheap.
_SAMPLE_ROUNDS, _SAMPLE_STEPS = 8, 10
#: Maximum norm of a sample's gradient, far below the usual one, so that all weigh about the same.
_SAMPLE_NORM = 4.0
#: Share of the accuracy above chance that is kept at a ratio of signal to noise r:
#: 1 / (1 + a * r ** -b). Fitted to runs on Fashion-MNIST with 10 clients, from 0.3 to 170.
_LOSS, _EXPONENT = 0.48, 0.63
#: Below this share a model is not worth its training.
USABLE = 0.6


@dataclass(frozen=True)
class PrivateDesign:
    """Values of a candidate that hold a privacy budget.

    Attributes:
        values: Values to replace in the candidate.
        choice: What was chosen.
        reason: Why, with the forecast.
        kept: Forecast share of the accuracy above chance that the noise leaves, 0 to 1.
    """

    values: dict[str, object]
    choice: str
    reason: str
    kept: float


def private_design(privacy: StatedPrivacy, strategy: Strategy, card: DataCard) -> PrivateDesign:
    """Design training that holds a privacy budget.

    Args:
        privacy: The guarantee. If the data do not say whose a sample is, that of persons is held
            as that of clients, since everything of a client includes every person's.
        strategy: The strategy so far, which noise of the clients leaves as it is.
        card: Statistics of the data.
    """
    if clients_add_noise(privacy, card):
        units = card.train if privacy.unit == "sample" else card.persons
        return _of_samples(privacy, strategy, card, units=units)
    return _of_clients(privacy, card)


def clients_add_noise(privacy: StatedPrivacy, card: DataCard) -> bool:
    """Return whether the clients add the noise, and not the server to the sum of their updates."""
    return privacy.unit == "sample" or (privacy.unit == "person" and card.persons > 0)


def warning(design: PrivateDesign, privacy: StatedPrivacy) -> str:
    """Return a warning if the budget is unlikely to give a usable model; otherwise empty."""
    if design.kept >= USABLE:
        return ""
    help_ = "a larger epsilon or more clients"
    if privacy.unit == "client":
        help_ += ", or protecting single samples instead of whole clients, if that is enough"
    return (
        f"Epsilon {privacy.epsilon:g} is unlikely to give a usable model here: its noise leaves "
        f"about {design.kept:.0%} of what the same model would learn without it. What helps is "
        f"{help_}. Train it all the same?"
    )


def forecast(signal: float) -> float:
    """Return the share of the accuracy above chance that noise leaves, 0 to 1.

    Args:
        signal: Ratio of the summed gradients' bound to the norm of the noise on them.
    """
    return 1 / (1 + _LOSS / math.pow(max(signal, 1e-9), _EXPONENT))


def _signal(privacy: StatedPrivacy, units: float, weights: int) -> float:
    """Return the ratio of signal to noise; it does not depend on the number of steps."""
    return units / (noise_for(1, privacy.epsilon, privacy.delta) * math.sqrt(weights))


def _kept_words(kept: float) -> str:
    return f"the noise is forecast to leave about {kept:.0%} of the accuracy above chance"


def _of_samples(
    privacy: StatedPrivacy, strategy: Strategy, card: DataCard, *, units: int
) -> PrivateDesign:
    side = max(2, min(7, min(card.height, card.width) // 2))
    weights = (9 * card.channels * side**2 + 1) * len(card.classes)
    clients = len(card.clients)
    kept = forecast(_signal(privacy, units / math.sqrt(clients), weights))
    steps = _SAMPLE_ROUNDS * _SAMPLE_STEPS
    noise = DpSgd(
        unit="person" if privacy.unit == "person" else "sample",
        clipping_norm=_SAMPLE_NORM,
        noise_multiplier=noise_for(steps, privacy.epsilon, privacy.delta),
        epsilon=privacy.epsilon,
        delta=privacy.delta,
        local_steps=_SAMPLE_STEPS,
    )
    values: dict[str, object] = {
        "model": write("model", "oriented", side=side),
        "augmentation": write("augmentation", "none"),
        "optimiser": write("optimiser", "momentum", decay=0),
        "schedule": write("schedule", "cosine", peak=1.0),
        "strategy": strategy.model_dump(),
        "local_privacy": noise.model_dump(),
        "rounds": _SAMPLE_ROUNDS,
        "local_epochs": 1,
        "proximal": 0.0,
        "label_smoothing": 0.0,
        "personal_head": False,
    }
    return PrivateDesign(
        values,
        f"differential privacy of each {privacy.unit} with epsilon {privacy.epsilon:g} and delta "
        f"{privacy.delta:g}, by DP-SGD on the clients",
        f"each client clips the gradient of each {privacy.unit} and adds the noise itself, in "
        f"{steps} steps that train one layer over fixed features; {_kept_words(kept)}",
        kept,
    )


def _of_clients(privacy: StatedPrivacy, card: DataCard) -> PrivateDesign:
    side = min(8, card.height, card.width)
    weights = (card.channels * side**2 + 1) * len(card.classes)
    kept = forecast(_signal(privacy, len(card.clients), weights))
    rounds = _CLIENT_ROUNDS
    strategy = Private(
        clipping_norm=0.3,
        noise_multiplier=noise_for(rounds, privacy.epsilon, privacy.delta),
        epsilon=privacy.epsilon,
        delta=privacy.delta,
    )
    values: dict[str, object] = {
        "model": write("model", "linear", side=side),
        "augmentation": write("augmentation", "none"),
        "optimiser": write("optimiser", "plain", decay=0),
        "schedule": write("schedule", "constant", peak=0.1),
        "strategy": strategy.model_dump(),
        "compression": {"name": "none"},
        "rounds": rounds,
        "local_epochs": 5,
        "proximal": 0.0,
        "label_smoothing": 0.0,
    }
    whom = "each client's data"
    if privacy.unit == "person":
        whom += ", and so of each person in them, since the data do not say whose a sample is"
    return PrivateDesign(
        values,
        f"differential privacy of {whom}, with epsilon {privacy.epsilon:g} and delta "
        f"{privacy.delta:g}, and a linear model",
        f"clipped updates with noise in {rounds} rounds; the total noise grows with the number of "
        f"weights, so the model has few; {_kept_words(kept)}",
        kept,
    )


def plain_strategy(strategy: Strategy) -> Strategy:
    """Return a strategy that works with the clients' noise: a robust one, or else FedAvg."""
    return strategy if strategy.name in ROBUST else FedAvg()
