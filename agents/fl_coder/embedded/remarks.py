"""Follows a person's remarks on a proposal, or says why not.

A remark is read as a list of orders: a number of rounds, a strategy to use or to avoid, a
constraint to forget. What is followed holds for all later proposals of the run. What is not is
answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import TypeAdapter

from edgewright.agents.fl_coder.constraints.limits import StatedLimit
from edgewright.agents.fl_coder.constraints.methods import USUAL_WEIGHT
from edgewright.agents.fl_coder.constraints.numbers import numbers_of, tokens_of
from edgewright.agents.fl_coder.constraints.promises import read_promises
from edgewright.agents.fl_coder.constraints.spans import PLAIN, read_constraints
from edgewright.agents.fl_coder.embedded.design import design_for, in_rounds
from edgewright.agents.fl_coder.embedded.names import NAMES, PARTS, SUBJECTS, TOPICS
from edgewright.agents.fl_coder.embedded.orders import Change, Orders
from edgewright.agents.fl_coder.embedded.private_design import clients_add_noise
from edgewright.agents.fl_coder.embedded.recipes import write
from edgewright.agents.fl_coder.protocol import TrainingProblem
from edgewright.tools.federated.records.candidate import ROBUST, Candidate, Private, Strategy
from edgewright.tools.federated.records.data_card import DataCard

#: Largest number of each thing that may be ordered, and the names of it.
_BOUNDS = {"rounds": 500, "local_epochs": 50, "batch_size": 1024}
_COUNTED = {
    "round": "rounds", "rounds": "rounds", "epoch": "local_epochs", "epochs": "local_epochs",
}  # fmt: skip
_COUNTED_KINDS = frozenset({"global", "training", "local"})
_BATCH = re.compile(r"\bbatch(?:es|\s*size)?\s+(?:of\s+|to\s+|=\s*)?$")
_FORGET = re.compile(
    r"\b(?:forget|ignore|drop|skip|never\s*mind|leave\s+out|disregard|scrap|remove)\b"
    r"\s*(?:about\s+)?",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:no|not|without|avoid|never|don't|do\s+not|instead\s+of|rather\s+than|forget|drop|skip"
    r"|remove|leave\s+out|scrap)\b[\w\s-]{0,20}$",
    re.IGNORECASE,
)
#: Words that order a strategy in the purpose, which also speaks of other things.
_USE = re.compile(
    r"\b(?:use|using|apply|take|try|aggregat\w*|combin\w*)\b[\w\s-]{0,30}$", re.IGNORECASE
)
#: The same before names that mean nothing else.
_WITH = re.compile(r"\b(?:with|via|by|prefer)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_UNMISTAKABLE = re.compile(r"fed|SCAFFOLD", re.IGNORECASE)
#: Words that ask for nothing by themselves.
_POLITE = re.compile(
    r"\b(?:please|thanks|thank\s+you|ok|okay|good|great|well|hi|hello|yes|then)\b", re.IGNORECASE
)
#: What separates orders; a comma in brackets does not: "(3, 1e-5)".
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+|,\s+(?![^(]*\))(?:and\s+|but\s+)?|\s+(?:and|but)\s+")
_LIFT = {
    "privacy": "; say 'forget the privacy' to lift that",
    "attackers": ", which you mentioned; say 'forget the attackers' to lift that",
}

#: Robust strategies that need to know how many clients may be hostile.
_NUMBERED = frozenset({"trimmed-mean", "krum", "multi-krum"})
#: What takes the place of a strategy that is not wanted, with and without attackers.
_ROBUST_FIRST = ("median", "trimmed-mean", "multi-krum", "krum")
_PLAIN_FIRST = ("fedavg", "fedavgm", "fedadam")
_STRATEGY: TypeAdapter[Strategy] = TypeAdapter(Strategy)


def read_remarks(problem: TrainingProblem) -> Orders:
    """Read a person's remarks on proposals; a later one counts more than an earlier one.

    A strategy that the purpose orders counts as well, as the earliest remark.
    """
    orders = Orders(problem.purpose, problem.card)
    for words in _SENTENCE.split(problem.purpose.translate(PLAIN)):
        for name, pattern in NAMES.items():
            found = pattern.search(words)
            if found and name in available_strategies() and _ordered(words, found):
                denied = _NOT.search(words[: found.start()]) is not None
                _strategy(words.strip(" .,;!?"), name, denied, orders)
    for remark in problem.remarks:
        for part in _SENTENCE.split(remark.translate(PLAIN).strip()):
            words = part.strip(" .,;!?")
            if _POLITE.sub("", words).strip(" .,;!?"):
                _read(words, orders)
    return orders


def _ordered(words: str, name: re.Match[str]) -> bool:
    """Return whether words order what they name."""
    before = words[: name.start()]
    named_with = _UNMISTAKABLE.match(name[0]) and _WITH.search(before)
    return bool(_USE.search(before) or named_with)


def _read(words: str, orders: Orders) -> None:
    if _forgets(words, orders) or _counts(words, orders):
        return
    named = [(name, found) for name, pattern in NAMES.items() if (found := pattern.search(words))]
    for name, found in named:
        denied = _NOT.search(words[: found.start()]) is not None
        (_part if name in PARTS else _strategy)(words, name, denied, orders)
    if named:
        return
    stated = read_promises(words, len(orders.card.clients))
    if stated.refused:
        orders.refuse(words, stated.refused[0][1])
    elif stated.constraints or stated.limits or stated.participation:
        orders.state(words, frozenset(each.kind for each in stated.constraints))
    else:
        orders.refuse(
            words,
            "it names no number of rounds, epochs or batches, no strategy and no constraint; edit "
            "the proposal to change anything else",
        )


def _forgets(words: str, orders: Orders) -> bool:
    """Read an order to forget a constraint; return whether it is one."""
    found = _FORGET.search(words)
    if found is None:
        return False
    rest = words[found.end() :]
    kinds = {kind for kind, topic in TOPICS.items() if topic.search(rest)}
    kinds = kinds or {constraint.kind for constraint in read_constraints(rest)}
    for kind in sorted(kinds):
        orders.forgotten.add(kind)
        orders.follow(words, f"a design without regard to {SUBJECTS[kind]}")
    return bool(kinds)


def _counts(words: str, orders: Orders) -> bool:
    """Read numbers of rounds, epochs and samples per batch; return whether there are any."""
    counted = list(_counted(words))
    for name, number in counted:
        spoken = name.replace("_", " ")
        if not 1 <= number <= _BOUNDS[name]:
            orders.refuse(words, f"{spoken} must be between 1 and {_BOUNDS[name]}")
            continue
        orders.follow(words, f"{number} {spoken}", _setter(name, number))
        if name == "rounds":
            orders.rounds = StatedLimit("rounds", number, words)
    return bool(counted)


def _counted(words: str) -> Iterator[tuple[str, int]]:
    """Yield what each number in an order counts, and the number."""
    tokens = tokens_of(words)
    for number in numbers_of(tokens):
        if number.share or number.article:
            continue
        after = [token.text for token in tokens[number.after : number.after + 2]]
        noun = after[-1:] if after[:1] and after[0] in _COUNTED_KINDS else after[:1]
        if noun and noun[0] in _COUNTED:
            yield _COUNTED[noun[0]], int(number.high)
        elif _BATCH.search(" ".join(token.text for token in tokens[: number.first]) + " "):
            yield "batch_size", int(number.high)


def _setter(name: str, number: int) -> Change:
    def change(candidate: Candidate, card: DataCard) -> Candidate:
        del card
        if name != "rounds":
            return _with(candidate, **{name: number})
        if candidate.rounds == number:
            return candidate
        return _with(candidate, **in_rounds(candidate, number))

    return change


def _strategy(words: str, name: str, denied: bool, orders: Orders) -> None:
    hostile, private = _hostile(orders), orders.promises.privacy
    if denied:
        orders.avoided.add(name)
        orders.robust = "" if orders.robust == name else orders.robust
        orders.follow(words, f"no {name}", _avoiding(name, orders))
        if name == "fedprox":
            orders.proximal = 0.0
    elif name == "fedprox":
        _fedprox(words, orders)
    elif name not in available_strategies():
        known = ", ".join(sorted({*available_strategies(), "fedprox"} - {"private"}))
        orders.refuse(words, f"{name} is not available; choose one of {known}")
    elif private is not None and not clients_add_noise(private, orders.card):
        orders.refuse(words, f"{name} would break the privacy you require{_LIFT['privacy']}")
    elif hostile and name not in ROBUST:
        orders.refuse(words, f"{name} tolerates no attackers{_LIFT['attackers']}")
    elif unfit := _unfit(name, hostile, orders):
        orders.refuse(words, f"{name} {unfit}")
    else:
        orders.avoided.discard(name)
        orders.robust = name if name in _NUMBERED else ""
        orders.follow(words, name, _using(name, orders))


def _fedprox(words: str, orders: Orders) -> None:
    if orders.promises.privacy is not None:
        reason = "a private design clips what clients learn already"
        orders.refuse(words, reason + _LIFT["privacy"])
        return
    weight = read_promises(words, len(orders.card.clients)).proximal or USUAL_WEIGHT
    orders.proximal = weight
    orders.follow(words, f"FedProx with mu {weight:g}", lambda c, _: _with(c, proximal=weight))


def _unfit(name: str, hostile: int, orders: Orders) -> str:
    """Return why a strategy cannot work with the clients and the design; empty if it can."""
    clients = len(orders.card.clients)
    strategy: Strategy = _STRATEGY.validate_python(_values(name, hostile, clients))
    return strategy.refusal(clients) or _with(_ordered_design(orders), strategy=strategy).conflict


def _ordered_design(orders: Orders) -> Candidate:
    """Return the first design for what was ordered so far."""
    return orders.applied(design_for(orders.promises, orders.card).candidate)


def _hostile(orders: Orders) -> int:
    """Return the number of hostile clients that must be tolerated."""
    attackers = orders.promises.attackers
    return attackers.count if attackers else 0


def _using(name: str, orders: Orders) -> Change:
    def change(candidate: Candidate, card: DataCard) -> Candidate:
        if candidate.strategy.name == name:
            return candidate
        clients = candidate.clients_per_round(len(card.clients))
        hostile = max(_hostile(orders), candidate.strategy.tolerates(clients))
        changed = _with(candidate, strategy=_values(name, hostile, clients))
        return candidate if changed.strategy.refusal(clients) or changed.conflict else changed

    return change


def _values(name: str, hostile: int, clients: int) -> dict[str, object]:
    """Return a strategy that tolerates so many hostile clients, if one of its name can.

    If no number is known, it tolerates as many as it can.
    """
    if name in ("krum", "multi-krum"):
        return {"name": name, "attackers": hostile or max(1, (clients - 3) // 2)}
    if name == "trimmed-mean":
        hostile = hostile or max(1, (clients - 1) // 2)
        return {"name": name, "trim": min(0.49, hostile / clients + 1e-6)}
    return {"name": name}


def _avoiding(name: str, orders: Orders) -> Change:
    """Return a change that replaces a strategy, by a robust one where attackers are expected."""

    def change(candidate: Candidate, card: DataCard) -> Candidate:
        if name == "fedprox":
            return _with(candidate, proximal=0.0)
        if candidate.strategy.name != name:
            return candidate
        clients, hostile = candidate.clients_per_round(len(card.clients)), _hostile(orders)
        for other in _ROBUST_FIRST if hostile else _PLAIN_FIRST:
            changed = _with(candidate, strategy=_values(other, hostile, clients))
            if other not in orders.avoided and not changed.strategy.refusal(clients):
                return changed
        return candidate

    return change


def _part(words: str, name: str, denied: bool, orders: Orders) -> None:
    if name in ("int8", "top-k", "compression"):
        compression = "none" if denied else "int8" if name == "compression" else name
        _follow(
            words,
            "updates as they are" if denied else f"{compression} updates",
            lambda c, _: (
                c
                if isinstance(c.strategy, Private) or c.compression.name == compression
                else _with(c, compression={"name": compression})
            ),
            orders,
        )
    elif name == "personal heads":
        _follow(
            words,
            "one head for all" if denied else "a personal head for each client",
            lambda c, _: _with(c, personal_head=not denied),
            orders,
        )
    elif name == "augmentation" and denied:
        code = write("augmentation", "none")
        orders.follow(words, "no augmentation", lambda c, _: _with(c, augmentation=code))
    elif name == "label smoothing":
        share = 0.0 if denied else 0.1
        orders.follow(
            words, f"label smoothing of {share:g}", lambda c, _: _with(c, label_smoothing=share)
        )
    else:
        orders.refuse(words, "images are shifted and turned already where that helps")


def _follow(words: str, choice: str, change: Change, orders: Orders) -> None:
    """Follow an order for a part, unless the strategy does not work with it."""
    design = change(_ordered_design(orders), orders.card)
    if design.conflict:
        orders.refuse(words, f"{design.strategy.name} {design.conflict}")
    else:
        orders.follow(words, choice, change)


def available_strategies() -> frozenset[str]:
    """Return the names of the aggregation strategies that a candidate may have."""
    strategy = Candidate.model_json_schema()["properties"]["strategy"]
    return frozenset(strategy["discriminator"]["mapping"])


def _with(candidate: Candidate, **values: object) -> Candidate:
    return Candidate.model_validate(candidate.model_dump() | values)
