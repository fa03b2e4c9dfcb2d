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
    the share ``validation`` of the other samples.

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
    own_test = samples.test
    if own_test is not None:
        splits[own_test] = TEST
    for label, name in enumerate(samples.classes):
        members = rng.permutation(np.flatnonzero((samples.labels == label) & (splits == TRAIN)))
        if len(members) < 3:
            raise InputError(
                f"class {name!r} has {len(members)} samples; it needs at least 3, one each for "
                "training, validation and test",
                code="too_few_samples",
            )
        share = 0.15 if own_test is None else validation
        count = max(1, round(len(members) * share))
        splits[members[:count]] = VALIDATION
        if own_test is None:
            splits[members[count : 2 * count]] = TEST
    return splits


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
    return assignment


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
