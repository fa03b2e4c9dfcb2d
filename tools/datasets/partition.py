"""Partitioning samples into training, validation and test splits, and among clients."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.datasets.samples import Samples
from edgewright.tools.errors import InputError

Partition = Literal["iid", "dirichlet", "attribute"]
TRAIN, VALIDATION, TEST = 0, 1, 2

#: Minimum training samples of a client: batch normalisation needs two.
MIN_CLIENT_SAMPLES = 2
_MAX_DRAWS = 200


def split(
    samples: Samples, rng: np.random.Generator, *, validation: float = 0.1
) -> NDArray[np.int8]:
    """Assign each sample to the training, validation or test split, stratified by class.

    Validation and test get 15 % each. If the data set defines its own test split, validation gets
    the share ``validation`` of the other samples. Its own splits remain as they are, and copies of
    an image are never distributed over several splits.

    Args:
        samples: The data set.
        rng: Random generator for the draws.
        validation: Share of the validation split if the data set defines its test split.

    Raises:
        InputError: A class has fewer than three samples (``too_few_samples``), or there are fewer
            than two classes (``one_class``).
    """
    if len(samples.classes) < 2:
        raise InputError(
            f"all samples have the class {samples.classes[0]!r}; a classifier needs at least two",
            code="one_class",
        )
    splits = np.full(len(samples.labels), TRAIN, dtype=np.int8)
    for own, split_id in ((samples.validation, VALIDATION), (samples.test, TEST)):
        if own is not None:
            splits[own] = split_id
    fixed = splits != TRAIN
    drawn = [
        split_id
        for own, split_id in ((samples.validation, VALIDATION), (samples.test, TEST))
        if own is None
    ]
    share = 0.15 if samples.test is None else validation
    for label, name in enumerate(samples.classes):
        members = rng.permutation(np.flatnonzero((samples.labels == label) & ~fixed))
        groups = _groups(samples, members)
        needed = 3 if samples.validation is None else 1 + len(drawn)
        if len(groups) < needed:
            raise InputError(
                f"class {name!r} has {len(groups)} different samples; it needs at least {needed}, "
                "one each for training, validation and test",
                code="too_few_samples",
            )
        _draw_splits(samples, splits, fixed, groups, drawn, max(1, round(len(members) * share)))
    return splits


def _groups(samples: Samples, members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the samples that belong together, in the order of the members."""
    if samples.groups is None:
        return [members[index : index + 1] for index in range(len(members))]
    together: dict[int, list[int]] = {}
    for member in members.tolist():
        together.setdefault(int(samples.groups[member]), []).append(member)
    return [np.array(each, dtype=np.int64) for each in together.values()]


def _draw_splits(
    samples: Samples,
    splits: NDArray[np.int8],
    fixed: NDArray[np.bool_],
    groups: list[NDArray[np.int64]],
    drawn: list[int],
    count: int,
) -> None:
    """Move about ``count`` samples of a class to each drawn split, copies of an image together."""
    waiting = list(groups)
    for position, split_id in enumerate(drawn):
        moved = 0
        # One group at least remains for each later split and for training.
        while moved < count and len(waiting) > len(drawn) - position:
            # Many copies of one image belong in training, where they do least harm.
            fitting = (n for n, each in enumerate(waiting) if len(each) <= count - moved)
            smallest = min(range(len(waiting)), key=lambda n: len(waiting[n]))
            group = waiting.pop(next(fitting, smallest))
            if splits[group[0]] != TRAIN:  # moved with its copy in another class
                continue
            copies = group
            if samples.groups is not None:
                copies = np.flatnonzero((samples.groups == samples.groups[group[0]]) & ~fixed)
            splits[copies] = split_id
            moved += len(group)


def assign_clients(
    samples: Samples,
    splits: NDArray[np.int8],
    *,
    clients: int,
    partition: Partition,
    alpha: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Assign each sample of every split to a client.

    A client's share of a class is the same in all three splits, so that its validation and test
    samples have the distribution it trains on.

    Args:
        samples: The data set.
        splits: The split of each sample, from ``split``.
        clients: Number of clients; for ``attribute``, 0 or the number of its values.
        partition: ``iid``: each client gets the same share of each class; ``dirichlet``: shares are
            drawn from Dirichlet(alpha) per class; ``attribute``: one client per value.
        alpha: Concentration; smaller values make clients differ more.
        rng: Random generator for the draws.

    Returns:
        The client of each sample, and each client's attribute value (empty if none).

    Raises:
        InputError: ``no_clients``, ``too_many_clients``, ``no_attribute``, ``empty_client``.
    """
    if partition == "attribute":
        return _by_attribute(samples, splits, clients)
    if clients < 1:
        raise InputError("clients must be at least 1", code="no_clients")
    available = int((splits == TRAIN).sum())
    if clients * MIN_CLIENT_SAMPLES > available:
        raise InputError(
            f"{clients} clients are too many for {available} training samples; with at least "
            f"{MIN_CLIENT_SAMPLES} each, use at most {available // MIN_CLIENT_SAMPLES} clients",
            code="too_many_clients",
        )
    for _ in range(_MAX_DRAWS):
        assignment = _draw(
            samples, splits, clients, alpha if partition == "dirichlet" else None, rng
        )
        if np.bincount(assignment[splits == TRAIN], minlength=clients).min() >= MIN_CLIENT_SAMPLES:
            return assignment, ("",) * clients
    raise InputError(
        f"dirichlet({alpha}) leaves at least one of {clients} clients with too few samples; "
        "increase alpha or use fewer clients",
        code="empty_client",
    )


def _draw(
    samples: Samples,
    splits: NDArray[np.int8],
    clients: int,
    alpha: float | None,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    assignment = np.zeros(len(samples.labels), dtype=np.int64)
    for label in range(len(samples.classes)):
        shares = np.full(clients, 1 / clients)
        if alpha is not None:
            shares = rng.dirichlet(np.full(clients, alpha))
        order = rng.permutation(clients)  # so that rounding does not favour the same client
        for split_id in (TRAIN, VALIDATION, TEST):
            members = rng.permutation(
                np.flatnonzero((samples.labels == label) & (splits == split_id))
            )
            cuts = np.round(np.cumsum(shares[order])[:-1] * len(members)).astype(int)
            for client, part in zip(order, np.split(members, cuts), strict=True):
                assignment[part] = client
    return assignment if samples.persons is None else _whole_persons(samples, assignment, rng)


def _whole_persons(
    samples: Samples, assignment: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Give all samples of a person to the client of one of them, drawn at random."""
    assert samples.persons is not None
    order = rng.permutation(len(assignment))
    persons, first = np.unique(samples.persons[order], return_index=True)
    clients = np.zeros(int(persons.max()) + 1, dtype=np.int64)
    clients[persons] = assignment[order[first]]
    return clients[samples.persons]


def _by_attribute(
    samples: Samples, splits: NDArray[np.int8], clients: int
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if samples.attribute is None:
        raise InputError(
            f"{samples.name!r} has no attribute to partition by; choose iid or dirichlet",
            code="no_attribute",
        )
    values, assignment = np.unique(samples.attribute, return_inverse=True)
    if clients not in (0, len(values)):
        raise InputError(
            f"the attribute has {len(values)} values, so there are {len(values)} clients, not "
            f"{clients}; omit the number of clients",
            code="too_many_clients" if clients > len(values) else "no_attribute",
        )
    counts = np.bincount(assignment[splits == TRAIN], minlength=len(values))
    if counts.min() < MIN_CLIENT_SAMPLES:
        raise InputError(
            f"client {values[counts.argmin()]!r} has {counts.min()} training samples; each needs "
            f"at least {MIN_CLIENT_SAMPLES}, so remove it or add data",
            code="empty_client",
        )
    return assignment.astype(np.int64), tuple(str(value) for value in values)
