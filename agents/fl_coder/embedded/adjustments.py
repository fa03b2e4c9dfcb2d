"""Adjustments for each diagnosis, and repairs for each fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from edgewright.agents.fl_coder.embedded.diagnosis import Cause
from edgewright.agents.fl_coder.embedded.recipes import read, write
from edgewright.tools.federated.app.privacy import noise_for
from edgewright.tools.federated.records.candidate import (
    Candidate,
    CodeSlot,
    FedAvg,
    FedAvgM,
    FedDyn,
    Int8,
    Median,
    Private,
    Scaffold,
)
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.local_privacy import DpSgd
from edgewright.tools.sandbox.faults import Fault

Change = tuple[str, Candidate]
Adjustment = Callable[[Candidate], Change | None]

_WIDEST = 64
#: Minimum side, in pixels, of an image that may be a photograph of a recognisable object.
PHOTOGRAPH = 64
#: Models that no constraint of the person led to.
UNCONSTRAINED = ("convolutions", "residual")
_MAX_ROUNDS = 500
#: Share of the clients in a round below which their corrections of gradients are out of date.
_CORRECTABLE = 0.2


def adjustments(candidate: Candidate, cause: Cause, card: DataCard) -> Iterator[Change]:
    """List adjustments that may help, the most promising first.

    Choices that follow from the person's words are never reverted: a robust or private strategy, a
    compression, a light or linear model, and personal heads.

    Args:
        candidate: The best candidate so far.
        cause: The diagnosis of its curve.
        card: Statistics of the data.

    Yields:
        A description of the change, and the changed candidate.
    """
    photographs = min(card.height, card.width) >= PHOTOGRAPH
    if photographs and read(candidate, "model")[0] in UNCONSTRAINED:
        # Features learned on a million photographs beat any tuning on a few.
        yield (
            "features learned on photographs",
            _with(candidate, model=write("model", "pretrained")),
        )
    for adjustment in _ADJUSTMENTS[cause]:
        change = adjustment(candidate)
        if change is not None and change[1] != candidate and not change[1].conflict:
            yield change


def repairs(candidate: Candidate, fault: Fault, card: DataCard) -> Iterator[Change]:
    """List changes that may fix a fault, the smallest first.

    Args:
        candidate: The candidate with the fault.
        fault: The fault.
        card: Statistics of the data.

    Yields:
        A description of the change, and the changed candidate.
    """
    clients = candidate.clients_per_round(len(card.clients))
    strategy = candidate.strategy
    if fault.code == "privacy_budget" and isinstance(strategy, Private):
        noise = noise_for(1, strategy.epsilon, strategy.delta)
        noisier = strategy.model_copy(update={"noise_multiplier": noise})
        yield "one round, which the budget allows", _with(candidate, strategy=noisier, rounds=1)
    own = candidate.local_privacy
    if fault.code == "privacy_budget" and isinstance(own, DpSgd):
        steps, rate = own.local_steps, own.sample_rate
        noise = noise_for(steps, own.epsilon, own.delta, sample_rate=rate)
        noisier_clients = own.model_copy(update={"noise_multiplier": noise})
        changed = _with(candidate, local_privacy=noisier_clients.model_dump(), rounds=1)
        yield "one round, which the clients' budget allows", changed
    if fault.code in ("quorum", "no_quorum"):
        yield from _of_fewer_clients(candidate, clients)
    if fault.code == "conflict":
        yield "FedAvg, which works with everything else", _with(candidate, strategy=FedAvg())
    if fault.code == "promise":
        yield from _smaller(candidate, fault.slot)
    if fault.code == "no_head":
        yield "one head for all", _with(candidate, personal_head=False)
    for adjustment in _REPAIRS.get(fault.code, ()):
        change = adjustment(candidate)
        if change is not None:
            yield change
    yield _with_plain_code(candidate, fault)


def _of_fewer_clients(candidate: Candidate, clients: int) -> Iterator[Change]:
    """List changes that need fewer clients in a round."""
    if candidate.participation < 1:
        yield "all clients in each round", _with(candidate, participation=1.0)
    if not Median().refusal(clients):
        yield "the median, which needs fewer clients", _with(candidate, strategy=Median())
    yield "FedAvg with the guard", _with(candidate, strategy=FedAvg())


def _smaller(candidate: Candidate, slot: str) -> Iterator[Change]:
    """List changes that make updates, and for devices with little memory the model, smaller."""
    send = {"compression": Int8()} if slot == "compression" else {}
    if slot in ("model", "compression"):
        side = read(candidate, "model")[1].get("side", 8)
        for words, model in (
            ("a light model", _LIGHT),
            ("a light model of half the width", write("model", "light", width=8)),
            ("a linear model", write("model", "linear", side=min(side, 8))),
            ("a small linear model", write("model", "linear", side=4)),
        ):
            yield words, _with(candidate, model=model, **send)


def _with_plain_code(candidate: Candidate, fault: Fault) -> Change:
    """Replace the slot at fault, or all slots if none is named, by code from the recipe book."""
    slots = [slot for slot in _PLAIN if fault.slot == slot] or [*_PLAIN]
    changed = _with(candidate, **{slot: _PLAIN[slot] for slot in slots})
    return f"plain code for {', '.join(slots)}", changed


def _with(candidate: Candidate, **values: object) -> Candidate:
    return Candidate.model_validate(candidate.model_dump() | values)


def _lower_rate(candidate: Candidate) -> Change | None:
    return _at_rate(candidate, 1 / 3, "a third of the learning rate")


def _higher_rate(candidate: Candidate) -> Change | None:
    return _at_rate(candidate, 2.0, "twice the learning rate")


def _at_rate(candidate: Candidate, factor: float, words: str) -> Change | None:
    name, numbers = read(candidate, "schedule")
    if not name:
        return None
    peak = float(f"{numbers['peak'] * factor:.2g}")
    return words, _with(candidate, schedule=write("schedule", name, peak=peak))


def _longer(candidate: Candidate) -> Change | None:
    return _at_length(candidate, 2)


def _much_longer(candidate: Candidate) -> Change | None:
    return _at_length(candidate, 4)


def _at_length(candidate: Candidate, times: int) -> Change | None:
    if candidate.private:  # the privacy budget determines its rounds
        return None
    rounds = min(_MAX_ROUNDS, candidate.rounds * times)
    return f"{rounds} rounds instead of {candidate.rounds}", _with(candidate, rounds=rounds)


def _wider(candidate: Candidate) -> Change | None:
    name, numbers = read(candidate, "model")
    if name != "convolutions" or numbers["width"] * 2 > _WIDEST:
        return None
    code = write("model", name, width=numbers["width"] * 2)
    return "a model of twice the width", _with(candidate, model=code)


def _narrower(candidate: Candidate) -> Change | None:
    name, numbers = read(candidate, "model")
    if numbers.get("width", 0) < 16:
        return None
    code = write("model", name, width=numbers["width"] / 2)
    return "a model of half the width", _with(candidate, model=code)


def _lighter(candidate: Candidate) -> Change | None:
    return "a light model", _with(candidate, model=_LIGHT)


def _fewer_rounds(candidate: Candidate) -> Change | None:
    return "half the rounds", _with(candidate, rounds=max(1, candidate.rounds // 2))


def _deeper(candidate: Candidate) -> Change | None:
    name, numbers = read(candidate, "model")
    if name != "convolutions":
        return None
    code = write("model", "residual", width=numbers["width"])
    return "residual blocks", _with(candidate, model=code)


def _more_jitter(candidate: Candidate) -> Change | None:
    name, numbers = read(candidate, "augmentation")
    if not name.startswith("jittered") or numbers["shift"] >= 0.2:
        return None
    code = write("augmentation", name, angle=0.15, shift=min(0.2, numbers["shift"] * 2))
    return "images shifted twice as far", _with(candidate, augmentation=code)


def _less_jitter(candidate: Candidate) -> Change | None:
    name, numbers = read(candidate, "augmentation")
    if not name.startswith("jittered") or numbers["shift"] <= 0.05:
        return None
    code = write("augmentation", name, angle=0.05, shift=0.05)
    return "images shifted less", _with(candidate, augmentation=code)


def _mirror(candidate: Candidate) -> Change | None:
    name, numbers = read(candidate, "augmentation")
    if name != "jittered":
        return None
    code = write("augmentation", "jittered-mirrored", **numbers)
    return "half of the images mirrored", _with(candidate, augmentation=code)


def _shorter_local(candidate: Candidate) -> Change | None:
    if candidate.local_epochs == 1 or candidate.private:
        return None
    epochs = candidate.local_epochs // 2
    rounds = min(_MAX_ROUNDS, candidate.rounds * candidate.local_epochs // epochs)
    changed = _with(candidate, local_epochs=epochs, rounds=rounds)
    return f"{epochs} instead of {candidate.local_epochs} local epochs, more rounds", changed


def _server_momentum(candidate: Candidate) -> Change | None:
    if type(candidate.strategy) is not FedAvg:
        return None
    changed = _with(candidate, strategy=FedAvgM(server_momentum=0.5).model_dump())
    return "momentum on the server", changed


def _corrected(candidate: Candidate) -> Change | None:
    """Correct gradients against drift: by FedDyn if updates are compressed, else by SCAFFOLD."""
    plain = candidate.strategy.name in ("fedavg", "fedavgm")
    if not plain or candidate.participation < _CORRECTABLE:
        return None
    if candidate.compression.name == "none":
        return "SCAFFOLD's control variates", _with(candidate, strategy=Scaffold())
    return "FedDyn, which costs no bytes", _with(candidate, strategy=FedDyn())


def _proximal(candidate: Candidate) -> Change | None:
    if candidate.proximal >= 0.1 or candidate.private:
        return None
    weight = max(0.01, candidate.proximal * 10)
    return f"a proximal term of {weight:g}", _with(candidate, proximal=weight)


def _against_noise(candidate: Candidate) -> Change | None:
    if candidate.private:
        return None
    changed = _with(
        candidate,
        proximal=max(0.1, candidate.proximal),
        label_smoothing=max(0.2, candidate.label_smoothing),
    )
    return "a proximal term and smoothed labels", changed


def _personal(candidate: Candidate) -> Change | None:
    if candidate.personal_head or candidate.private:
        return None
    return "a personal head for each client", _with(candidate, personal_head=True)


def _smaller_batches(candidate: Candidate) -> Change | None:
    if candidate.batch_size <= 8:
        return None
    changed = _with(candidate, batch_size=candidate.batch_size // 2)
    return "batches of half the size", changed


def _both(first: Adjustment, second: Adjustment) -> Adjustment:
    """Combine two adjustments; one that changes nothing is left out."""

    def joined(candidate: Candidate) -> Change | None:
        words: list[str] = []
        for adjustment in (first, second):
            change = adjustment(candidate)
            if change is not None:
                words.append(change[0])
                candidate = change[1]
        return (" and ".join(words), candidate) if words else None

    return joined


#: Adjustments for each diagnosis, in order; a coder skips what was tried before.
_ADJUSTMENTS: Mapping[Cause, Sequence[Adjustment]] = {
    "divergence": (_lower_rate, _narrower, _smaller_batches),
    "memorised noise": (
        _both(_against_noise, _fewer_rounds), _against_noise, _fewer_rounds, _narrower,
        _more_jitter,
    ),
    "client left behind": (
        _personal, _shorter_local, _server_momentum, _proximal, _much_longer, _longer,
    ),
    "client drift": (
        _corrected, _shorter_local, _much_longer, _longer, _server_momentum, _proximal, _wider,
        _lower_rate,
    ),
    "oscillation": (_lower_rate, _shorter_local, _server_momentum, _longer, _wider),
    "overfitting": (
        _both(_more_jitter, _longer), _longer, _mirror, _wider, _deeper, _shorter_local,
    ),
    # A wider model needs even more steps, so more rounds come first.
    "unfinished": (_much_longer, _longer, _both(_longer, _wider), _higher_rate, _deeper, _mirror),
    "underfitting": (
        _much_longer, _longer, _both(_wider, _longer), _wider, _less_jitter, _higher_rate, _deeper,
        _smaller_batches,
    ),
    "plateau": (
        _both(_wider, _longer), _wider, _mirror, _deeper, _more_jitter, _shorter_local,
        _higher_rate,
    ),
}  # fmt: skip
_REPAIRS: Mapping[str, Sequence[Adjustment]] = {
    "not_finite": (_lower_rate,),
    "not_learning": (_higher_rate,),
    "too_large": (_narrower, _lighter),
    "memory": (_narrower, _lighter),
    "timeout": (_fewer_rounds, _lighter),
}
_LIGHT = write("model", "light", width=16)
_PLAIN: Mapping[CodeSlot, str] = {
    "model": write("model", "convolutions", width=16),
    "augmentation": write("augmentation", "none"),
    "optimiser": write("optimiser", "adam", decay=0.01),
    "schedule": write("schedule", "cosine", peak=0.003),
}
