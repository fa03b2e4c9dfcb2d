"""The first design: a recipe for the data card, adapted to the constraints in the words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgewright.agents.fl_coder.constraints.classifier import Kind
from edgewright.agents.fl_coder.constraints.participation import StatedParticipation
from edgewright.agents.fl_coder.constraints.promises import (
    Promises,
    StatedAttackers,
    StatedPrivacy,
    read_promises,
)
from edgewright.agents.fl_coder.constraints.spans import Constraint
from edgewright.agents.fl_coder.embedded.private_design import plain_strategy, private_design
from edgewright.agents.fl_coder.embedded.recipes import write
from edgewright.agents.fl_coder.protocol import DesignChoice
from edgewright.tools.federated.app.privacy import noise_for
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
from edgewright.tools.federated.records.local_privacy import DpSgd

#: Number of samples that a trial may process at 28 by 28 pixels; fewer for larger images.
_SAMPLES = 250_000
_EPOCHS = (8, 40)
_LOCAL_EPOCHS = 2
#: Label skew above which the data card alone counts as a constraint.
_SKEWED = 0.35

_TINY = {"angle": 0.15, "shift": 0.1}
_LARGER = {"angle": 0.05, "shift": 0.05}

#: Limit on bytes or memory below which the first model is a light one.
_LIGHT_BYTES = 400_000


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
    """Design the first candidate for a person's words.

    Args:
        words: The person's words.
        card: Statistics of the data.
    """
    return design_for(read_promises(words, len(card.clients)), card)


def design_for(promises: Promises, card: DataCard) -> Design:
    """Design the first candidate for what a person said.

    Args:
        promises: What training must hold.
        card: Statistics of the data.
    """
    design = Design(plain_candidate(card))
    if promises.participation is not None:
        design = _answer_participation(design, promises.participation)
    clients = design.candidate.clients_per_round(len(card.clients))
    constraints = {each.kind: each for each in promises.constraints}
    # A clear skew counts even if the words do not mention it.
    if card.excess_skew > _SKEWED and "skew" not in promises.withdrawn:
        constraints.setdefault("skew", Constraint("skew", "", 1.0))
    for kind, answer in _ANSWERS.items():
        if kind in constraints:
            design = answer(design, constraints[kind].words, card)
    if promises.proximal:
        design = _answer_proximal(design, promises.proximal)
    if promises.attackers is not None:
        design = _answer_attackers(design, promises.attackers, clients)
    if promises.privacy is not None:
        design = _answer_privacy(design, promises.privacy, card)
    return _within_limits(design, promises)


def _answer_skew(design: Design, words: str, card: DataCard) -> Design:
    return design.change(
        words,
        "momentum on the server and one local epoch per round",
        f"clients differ (label skew {card.label_skew:.2f}, the largest has {card.size_skew:.1f} "
        "times the mean), so they are averaged more often, and momentum keeps their common "
        "direction",
        **_averaged_more_often(design.candidate),
    )


def _answer_noise(design: Design, words: str, card: DataCard) -> Design:
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


def _answer_weak_devices(design: Design, words: str, card: DataCard) -> Design:
    return design.change(
        words,
        "a light model",
        "strided, mostly depthwise convolutions need a fraction of the operations",
        model=write("model", "light", width=16),
        schedule=write("schedule", "cosine", peak=0.005),
    )


def _answer_thin_links(design: Design, words: str, card: DataCard) -> Design:
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


def _answer_participation(design: Design, stated: StatedParticipation) -> Design:
    choice = f"{stated.clients} clients in a round, drawn again each time"
    return design.change(stated.words, choice, "no more take part", participation=stated.share)


def _answer_proximal(design: Design, weight: float) -> Design:
    values = {"strategy": FedAvg().model_dump(), "proximal": weight}
    choice = f"FedProx with a proximal term of {weight:g}"
    return design.change("FedProx", choice, "it was named", **values)


def _answer_attackers(design: Design, attackers: StatedAttackers, clients: int) -> Design:
    strategy, choice = _robust(clients, attackers.count)
    return design.change(
        attackers.words,
        choice,
        f"tolerates {attackers.count} hostile of {clients} clients; the guard drops implausible "
        "updates",
        strategy=strategy.model_dump(),
    )


def _robust(clients: int, hostile: int) -> tuple[Strategy, str]:
    """Return a strategy that tolerates so many hostile clients, or the best available one."""
    if clients < 3:
        return FedAvg(), "the guard alone, since fewer than three clients cannot outvote one"
    if clients >= 5 and 2 * hostile < clients:
        # Slightly above the share, so that rounding down does not lose a client.
        trim = TrimmedMean(trim=min(0.49, hostile / clients + 1e-6))
        return trim, f"a trimmed mean, without the {hostile} highest and lowest of each weight"
    return Median(), "the median of each weight"


def _answer_privacy(design: Design, privacy: StatedPrivacy, card: DataCard) -> Design:
    private = private_design(privacy, plain_strategy(design.candidate.strategy), card)
    return design.change(privacy.words, private.choice, private.reason, **private.values)


def _within_limits(design: Design, promises: Promises) -> Design:
    """Hold limits on rounds, bytes and memory as far as is known before the first check."""
    rounds = promises.limits.get("rounds")
    candidate = design.candidate
    if rounds is not None and candidate.rounds > rounds.value:
        values = in_rounds(candidate, int(rounds.value))
        choice = f"{int(rounds.value)} rounds"
        design = design.change(rounds.words, choice, "no more are allowed", **values)
    candidate = design.candidate
    sizes = [promises.limits[each] for each in ("bytes", "memory") if each in promises.limits]
    total = promises.limits.get("total_bytes")
    if total is not None:
        sizes.append(replace(total, value=total.value / candidate.rounds))
    if sizes and not design.candidate.private:
        tight = min(sizes, key=lambda each: each.value)
        if tight.value < _LIGHT_BYTES:
            design = design.change(
                tight.words,
                "a light model",
                "it has a fraction of the weights",
                model=write("model", "light", width=16),
                schedule=write("schedule", "cosine", peak=0.005),
            )
        sent = promises.limits.get("bytes", total)
        if sent is not None:
            design = design.change(
                sent.words,
                "8-bit updates",
                "a quarter of the bytes",
                compression=Int8(),
            )
    return design


def in_rounds(candidate: Candidate, rounds: int) -> dict[str, object]:
    """Return values for so many rounds, with the noise that keeps the privacy budget in them."""
    values: dict[str, object] = {"rounds": rounds}
    strategy, own = candidate.strategy, candidate.local_privacy
    if isinstance(strategy, Private):
        noise = noise_for(rounds, strategy.epsilon, strategy.delta)
        values["strategy"] = strategy.model_copy(update={"noise_multiplier": noise}).model_dump()
    if isinstance(own, DpSgd):
        steps, rate = rounds * own.local_steps, own.sample_rate
        noise = noise_for(steps, own.epsilon, own.delta, sample_rate=rate)
        values["local_privacy"] = own.model_copy(update={"noise_multiplier": noise}).model_dump()
    return values


def _answer_personal(design: Design, words: str, card: DataCard) -> Design:
    return design.change(
        words,
        "a personal head for each client",
        "the features are learned together; each client has its own last layer, trained for longer "
        "and drawn towards the common one, so a client with few samples loses nothing",
        personal_head=True,
        local_epochs=design.candidate.local_epochs * 2,
    )


#: In the order in which they change the design. A later one may override an earlier one; promises
#: (attackers, privacy, limits) come after all of these.
_ANSWERS: dict[Kind, Callable[[Design, str, DataCard], Design]] = {
    "skew": _answer_skew,
    "noise": _answer_noise,
    "weak-devices": _answer_weak_devices,
    "thin-links": _answer_thin_links,
    "personal": _answer_personal,
}
