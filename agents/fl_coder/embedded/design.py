"""The first design: a recipe for the data card, adapted to the constraints in the words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from edgewright.agents.fl_coder.constraints.classifier import Kind
from edgewright.agents.fl_coder.constraints.quantities import read_budget, read_hostile
from edgewright.agents.fl_coder.constraints.spans import PLAIN, Constraint, read_constraints
from edgewright.agents.fl_coder.embedded.recipes import write
from edgewright.agents.fl_coder.protocol import DesignChoice
from edgewright.tools.federated.app.privacy import epsilon_spent
from edgewright.tools.federated.records.candidate import (
    Candidate,
    FedAvg,
    FedAvgM,
    Int8,
    Median,
    Private,
    Strategy,
    TrimmedMean,
)
from edgewright.tools.federated.records.data_card import DataCard

#: Number of samples that a trial may process at 28 by 28 pixels; fewer for larger images.
_SAMPLES = 250_000
_EPOCHS = (8, 40)
_LOCAL_EPOCHS = 2
#: Label skew above which the data card alone counts as a constraint.
_SKEWED = 0.35

_TINY = {"angle": 0.15, "shift": 0.1}
_LARGER = {"angle": 0.05, "shift": 0.05}

#: Privacy budget if the words require a guarantee without giving numbers.
EPSILON, DELTA = 8.0, 1e-5
_PRIVATE_ROUNDS = 30


@dataclass(frozen=True)
class Design:
    """A candidate and the choices behind it."""

    candidate: Candidate
    choices: tuple[DesignChoice, ...] = ()

    def change(self, words: str, choice: str, reason: str, **values: object) -> Design:
        """Return the design with some values of the candidate replaced, and the choice noted."""
        candidate = Candidate.model_validate(self.candidate.model_dump() | values)
        noted = DesignChoice(words=words, choice=choice, reason=reason)
        return Design(candidate, (*self.choices, noted))


def plain_candidate(card: DataCard) -> Candidate:
    """Return FedAvg with a convolutional network, the starting point of every design."""
    pixels = max(28 * 28, card.height * card.width)
    affordable = _SAMPLES * 28 * 28 // (pixels * card.train)
    epochs = min(max(affordable, _EPOCHS[0]), _EPOCHS[1])
    smallest = min(client.samples for client in card.clients)
    side = min(card.height, card.width)
    return Candidate(
        model=write("model", "convolutions", width=32 if side < 20 else 16),
        # A shift by a tenth is under a pixel in a tiny image, but changes a larger one too much.
        augmentation=write("augmentation", "jittered", **(_TINY if side < 20 else _LARGER)),
        optimiser=write("optimiser", "adam", decay=0.01),
        schedule=write("schedule", "cosine", peak=0.003),
        rounds=max(4, epochs // _LOCAL_EPOCHS),
        local_epochs=_LOCAL_EPOCHS,
        # Small clients need small batches to take enough steps in a round.
        batch_size=32 if smallest >= 300 else 16,
        strategy=FedAvg(),
        label_smoothing=0.1,
        rationale="A small convolutional network with FedAvg, for a first curve to read.",
    )


def first_design(words: str, card: DataCard) -> Design:
    """Design the first candidate.

    Args:
        words: The person's words.
        card: Statistics of the data.
    """
    words = words.translate(PLAIN)
    design = Design(plain_candidate(card))
    constraints = {each.kind: each for each in read_constraints(words)}
    if (budget := read_budget(words)) and "privacy" not in constraints:
        constraints["privacy"] = Constraint("privacy", budget.words, 1.0)
    if card.label_skew > _SKEWED:  # even if the words do not mention it
        constraints.setdefault("skew", Constraint("skew", "", 1.0))
    for kind, answer in _ANSWERS.items():
        if kind in constraints:
            design = answer(design, constraints[kind].words, words, card)
    return design


def _answer_skew(design: Design, words: str, text: str, card: DataCard) -> Design:
    return design.change(
        words,
        "momentum on the server and one local epoch per round",
        f"clients differ (label skew {card.label_skew:.2f}, the largest has {card.size_skew:.1f} "
        "times the mean), so they are averaged more often, and momentum keeps their common "
        "direction",
        **_averaged_more_often(design.candidate),
    )


def _answer_noise(design: Design, words: str, text: str, card: DataCard) -> Design:
    return design.change(
        words,
        "a proximal term and smoothed labels",
        "no client moves far from the common model, so one that memorises wrong labels is outvoted",
        proximal=0.1,
        label_smoothing=max(0.1, design.candidate.label_smoothing),
    )


def _averaged_more_often(candidate: Candidate) -> dict[str, object]:
    """Return values for the same number of epochs in more rounds."""
    return {
        "strategy": FedAvgM(server_momentum=0.8).model_dump(),
        "local_epochs": 1,
        "rounds": min(500, candidate.rounds * candidate.local_epochs),
    }


def _answer_weak_devices(design: Design, words: str, text: str, card: DataCard) -> Design:
    return design.change(
        words,
        "a light model",
        "strided, mostly depthwise convolutions need a fraction of the operations",
        model=write("model", "light", width=16),
        schedule=write("schedule", "cosine", peak=0.005),
    )


def _answer_thin_links(design: Design, words: str, text: str, card: DataCard) -> Design:
    candidate = design.candidate
    return design.change(
        words,
        "a light model, 8-bit updates, and fewer rounds with more local training",
        "fewer weights, a quarter of the bytes for each of them, sent less often",
        model=write("model", "light", width=16),
        schedule=write("schedule", "cosine", peak=0.005),
        compression=Int8(),
        local_epochs=candidate.local_epochs * 2,
        rounds=max(4, candidate.rounds // 2),
    )


def _answer_attackers(design: Design, words: str, text: str, card: DataCard) -> Design:
    clients = design.candidate.clients_per_round(len(card.clients))
    hostile = read_hostile(words, clients) or read_hostile(_around(words, text), clients) or 1
    strategy, choice = _robust(clients, hostile)
    return design.change(
        words,
        choice,
        f"tolerates {hostile} hostile of {clients} clients; the guard drops implausible updates",
        strategy=strategy.model_dump(),
    )


def _around(words: str, text: str) -> str:
    """Return the sentence of a text that contains words: "Byzantine clients: up to 3 of 15"."""
    return next((each for each in re.split(r"(?<=[.!?])\s+", text) if words in each), "")


def _robust(clients: int, hostile: int) -> tuple[Strategy, str]:
    """Return a strategy that tolerates so many hostile clients, or the best available one."""
    if clients < 3:
        return FedAvg(), "the guard alone, since fewer than three clients cannot outvote one"
    if clients >= 5 and 2 * hostile < clients:
        # Slightly above the share, so that rounding down does not lose a client.
        trim = TrimmedMean(trim=min(0.49, hostile / clients + 1e-6))
        return trim, f"a trimmed mean, without the {hostile} highest and lowest of each weight"
    return Median(), "the median of each weight"


def _answer_privacy(design: Design, words: str, text: str, card: DataCard) -> Design:
    budget = read_budget(text)
    epsilon = budget.epsilon if budget and budget.epsilon else EPSILON
    delta = budget.delta if budget and budget.delta else min(DELTA, 0.1 / len(card.clients))
    rounds = _PRIVATE_ROUNDS
    multiplier = noise_for(rounds, epsilon, delta)
    return design.change(
        budget.words if budget else words,
        f"differential privacy with epsilon {epsilon:g} and delta {delta:g}, and a linear model",
        f"clipped updates with noise in {rounds} rounds; the total noise grows with the number of "
        "weights, so the model has few",
        model=write("model", "linear", side=min(8, card.height, card.width)),
        augmentation=write("augmentation", "none"),
        optimiser=write("optimiser", "plain", decay=0),
        schedule=write("schedule", "constant", peak=0.1),
        strategy=Private(
            clipping_norm=0.3, noise_multiplier=multiplier, epsilon=epsilon, delta=delta
        ),
        compression={"name": "none"},
        rounds=rounds,
        local_epochs=5,
        proximal=0.0,
        label_smoothing=0.0,
    )


def _answer_personal(design: Design, words: str, text: str, card: DataCard) -> Design:
    return design.change(
        words,
        "a personal head for each client",
        "the features are learned together; each client has its own last layer, trained for longer "
        "and drawn towards the common one, so a client with few samples loses nothing",
        personal_head=True,
        local_epochs=design.candidate.local_epochs * 2,
    )


def noise_for(rounds: int, epsilon: float, delta: float) -> float:
    """Return the smallest noise multiplier within a budget, rounded up to two decimals."""
    low, high = 0.01, 1000.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        if epsilon_spent(noise_multiplier=middle, rounds=rounds, delta=delta) > epsilon:
            low = middle
        else:
            high = middle
    return round(high + 0.005, 2)


#: In the order in which they change the design. A later one may override an earlier one, so a
#: promise (privacy) overrides a preference.
_ANSWERS: dict[Kind, Callable[[Design, str, str, DataCard], Design]] = {
    "skew": _answer_skew,
    "noise": _answer_noise,
    "weak-devices": _answer_weak_devices,
    "thin-links": _answer_thin_links,
    "personal": _answer_personal,
    "attackers": _answer_attackers,
    "privacy": _answer_privacy,
}
