"""Who holds which sample: the splits, and how they are dealt to clients."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.datasets.samples import Samples
from edgewright.tools.errors import InputError

Partition = Literal["iid", "dirichlet", "attribute"]
TRAIN, VALIDATION, TEST = 0, 1, 2

#: A client needs two samples: one alone cannot pass through batch normalisation.
MIN_CLIENT_SAMPLES = 2
_DRAWS = 200


def split(
    samples: Samples, rng: np.random.Generator, *, validation: float = 0.1
) -> NDArray[np.int8]:
    """Mark each sample as training, validation or test, class by class.

    Validation and test get 15 % each; where the set defines its own test split, validation
    gets 10 % of the rest, or another share.

    Args:
        samples: The set.
        rng: Draws them.
        validation: That other share.

    Raises:
        InputError: A class has fewer than three samples (``too_few_samples``), or there are
            fewer than two classes (``one_class``).
    """
    if len(samples.classes) < 2:
        raise InputError(
            f"all samples are of one class, {samples.classes[0]!r}; a classifier needs two or more",
            code="one_class",
        )
    marks = np.full(len(samples.labels), TRAIN, dtype=np.int8)
    own_test = samples.test
    if own_test is not None:
        marks[own_test] = TEST
    for label, name in enumerate(samples.classes):
        members = rng.permutation(np.flatnonzero((samples.labels == label) & (marks == TRAIN)))
        if len(members) < 3:
            raise InputError(
                f"class {name!r} has {len(members)} samples; it needs at least 3, one each to "
                "train, validate and test",
                code="too_few_samples",
            )
        share = 0.15 if own_test is None else validation
        held = max(1, round(len(members) * share))
        marks[members[:held]] = VALIDATION
        if own_test is None:
            marks[members[held : 2 * held]] = TEST
    return marks


def deal(
    samples: Samples,
    marks: NDArray[np.int8],
    *,
    clients: int,
    partition: Partition,
    alpha: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Give every sample of every split to a client.

    A client's share of a class is the same in all three splits, so that its validation and test
    samples look like those it trains on.

    Args:
        samples: The data.
        marks: From ``split``.
        clients: How many; for ``attribute`` 0, or the number of its values.
        partition: ``iid``: the same share of each class for all; ``dirichlet``: shares drawn
            from Dirichlet(alpha) for each class; ``attribute``: one client per value.
        alpha: Small values make clients differ more.
        rng: Decides all draws.

    Returns:
        The client of each sample, and each client's attribute value (empty if none).

    Raises:
        InputError: ``no_clients``, ``too_many_clients``, ``no_attribute``, ``empty_client``.
    """
    if partition == "attribute":
        return _by_attribute(samples, marks, clients)
    if clients < 1:
        raise InputError("0 clients cannot train anything; give at least one", code="no_clients")
    available = int((marks == TRAIN).sum())
    if clients * MIN_CLIENT_SAMPLES > available:
        raise InputError(
            f"{clients} clients are too many for {available} training samples; each needs at "
            f"least {MIN_CLIENT_SAMPLES}, so at most {available // MIN_CLIENT_SAMPLES}",
            code="too_many_clients",
        )
    for _ in range(_DRAWS):
        dealt = _draw(samples, marks, clients, alpha if partition == "dirichlet" else None, rng)
        if np.bincount(dealt[marks == TRAIN], minlength=clients).min() >= MIN_CLIENT_SAMPLES:
            return dealt, ("",) * clients
    raise InputError(
        f"dirichlet({alpha}) leaves a client without samples among {clients} clients; raise alpha "
        "or lower the number of clients",
        code="empty_client",
    )


def _draw(
    samples: Samples,
    marks: NDArray[np.int8],
    clients: int,
    alpha: float | None,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    dealt = np.zeros(len(samples.labels), dtype=np.int64)
    for label in range(len(samples.classes)):
        shares = np.full(clients, 1 / clients)
        if alpha is not None:
            shares = rng.dirichlet(np.full(clients, alpha))
        order = rng.permutation(clients)  # so that roundings do not always favour the same client
        for mark in (TRAIN, VALIDATION, TEST):
            members = rng.permutation(np.flatnonzero((samples.labels == label) & (marks == mark)))
            cuts = np.round(np.cumsum(shares[order])[:-1] * len(members)).astype(int)
            for client, part in zip(order, np.split(members, cuts), strict=True):
                dealt[part] = client
    return dealt


def _by_attribute(
    samples: Samples, marks: NDArray[np.int8], clients: int
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if samples.attribute is None:
        raise InputError(
            f"{samples.name!r} has no attribute to split by; choose iid or dirichlet",
            code="no_attribute",
        )
    values, dealt = np.unique(samples.attribute, return_inverse=True)
    if clients not in (0, len(values)):
        raise InputError(
            f"the attribute has {len(values)} values, so there are {len(values)} clients, not "
            f"{clients}; leave the number out",
            code="too_many_clients" if clients > len(values) else "no_attribute",
        )
    counts = np.bincount(dealt[marks == TRAIN], minlength=len(values))
    if counts.min() < MIN_CLIENT_SAMPLES:
        raise InputError(
            f"client {values[counts.argmin()]!r} has {counts.min()} training samples; each needs "
            f"at least {MIN_CLIENT_SAMPLES}",
            code="empty_client",
        )
    return dealt.astype(np.int64), tuple(str(value) for value in values)
