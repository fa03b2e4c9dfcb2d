"""From a data source to a run folder: splits and clients on disk, and the data card."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.datasets.partition import (
    TEST,
    TRAIN,
    VALIDATION,
    Partition,
    assign_clients,
    split,
)
from edgewright.tools.datasets.samples import Samples
from edgewright.tools.datasets.sources import load_source
from edgewright.tools.errors import InputError, NotFoundError, StorageError
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.layout import RunFolder

#: Fewer samples than this teach a network nothing that a test could show.
MIN_SAMPLES = 20


class DataRequest(BaseModel):
    """What to train on and how it lies at the clients.

    Attributes:
        source: As for ``load_source``.
        clients: Number of clients; 0 with ``attribute`` takes one per value.
        partition: How samples are dealt.
        alpha: Dirichlet's concentration; small values make clients differ more.
        samples: Use at most so many samples, drawn at random; 0 for all.
        whole_test: Keep the set's own test split whole, if it has one; ``samples`` limits the rest.
        validation: Share of what the set's own test split leaves that is validated with.
        label_noise: Share of the training labels that are replaced by a random other class, to
            study data sets with wrong labels.
        seed: Decides splits and clients.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = "digits"
    clients: int = Field(default=10, ge=0, le=1000)
    partition: Partition = "iid"
    alpha: float = Field(default=0.3, gt=0, le=1000)
    samples: int = Field(default=0, ge=0)
    whole_test: bool = False
    validation: float = Field(default=0.1, gt=0, le=0.5)
    label_noise: float = Field(default=0.0, ge=0, lt=1)
    seed: int = Field(default=0, ge=0)


def prepare(request: DataRequest, run: RunFolder) -> DataCard:
    """Load, split, deal and write a data set; everything that can be wrong with it is said here.

    Args:
        request: What to prepare.
        run: Where to; the training split goes to ``run.data``, the others to ``run.held``.

    Raises:
        InputError: Data or request cannot be used; the code says how.
        NotFoundError: No such data (``data_missing``).
        StorageError: The disk is full or the folder cannot be written.
    """
    rng = np.random.default_rng(request.seed)
    samples = _limited(load_source(request.source), request, rng)
    if len(samples.labels) < MIN_SAMPLES:
        raise InputError(
            f"{samples.name!r} has {len(samples.labels)} samples; at least {MIN_SAMPLES} are "
            "needed to train, validate and test",
            code="too_few_samples",
        )
    marks = split(samples, rng, validation=request.validation)
    dealt, attributes = assign_clients(
        samples,
        marks,
        clients=request.clients,
        partition=request.partition,
        alpha=request.alpha,
        rng=rng,
    )
    labels = _with_noise(samples, marks, request.label_noise, rng)
    card = _card(request, samples, marks, dealt, attributes, labels)
    try:
        for folder, name, mark in (
            (run.data, "train", TRAIN),
            (run.held, "validation", VALIDATION),
            (run.held, "test", TEST),
        ):
            chosen = marks == mark
            write_split(folder, name, samples.images[chosen], labels[chosen], dealt[chosen])
        (run.data / "card.json").write_text(card.model_dump_json(indent=2), "utf-8")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError(
            f"the data cannot be written ({error.strerror}); "
            + ("free some space" if full else "set EDGEWRIGHT_HOME to a folder that can be written")
        ) from error
    return card


def load_card(run: RunFolder) -> DataCard:
    """Read the card of a prepared run.

    Raises:
        NotFoundError: Nothing was prepared there (``data_missing``).
    """
    try:
        return DataCard.model_validate_json((run.data / "card.json").read_text("utf-8"))
    except OSError:
        raise NotFoundError(
            f"the run {run.root.name!r} has no prepared data; start a new one", code="data_missing"
        ) from None


def write_split(
    folder: Path,
    name: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    clients: NDArray[np.int64],
) -> None:
    """Write one split as three ``.npy`` files."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}_images.npy", images, allow_pickle=False)
    np.save(folder / f"{name}_labels.npy", labels, allow_pickle=False)
    np.save(folder / f"{name}_clients.npy", clients, allow_pickle=False)


def _limited(samples: Samples, request: DataRequest, rng: np.random.Generator) -> Samples:
    if not request.samples:
        return samples
    kept = np.zeros(len(samples.labels), dtype=bool)
    if request.whole_test and samples.test is not None:
        kept |= samples.test
    drawn = rng.permutation(np.flatnonzero(~kept))[: request.samples]
    chosen = np.sort(np.append(drawn, np.flatnonzero(kept)))
    return Samples(
        name=samples.name,
        images=samples.images[chosen],
        labels=samples.labels[chosen],
        classes=samples.classes,
        original_side=samples.original_side,
        test=None if samples.test is None else samples.test[chosen],
        attribute=None if samples.attribute is None else samples.attribute[chosen],
    )


def _with_noise(
    samples: Samples, marks: NDArray[np.int8], share: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    labels = samples.labels.copy()
    train = np.flatnonzero(marks == TRAIN)
    wrong = rng.permutation(train)[: round(len(train) * share)]
    shift = rng.integers(1, len(samples.classes), size=len(wrong))
    labels[wrong] = (labels[wrong] + shift) % len(samples.classes)
    return labels


def _card(
    request: DataRequest,
    samples: Samples,
    marks: NDArray[np.int8],
    dealt: NDArray[np.int64],
    attributes: tuple[str, ...],
    labels: NDArray[np.int64],
) -> DataCard:
    train = marks == TRAIN
    kinds = len(samples.classes)
    table = np.zeros((len(attributes), kinds), dtype=np.int64)
    np.add.at(table, (dealt[train], labels[train]), 1)
    overall, sizes = table.sum(axis=0), table.sum(axis=1)
    distances = np.abs(table / sizes[:, None] - overall / overall.sum()).sum(axis=1) / 2
    return DataCard(
        name=samples.name,
        height=samples.images.shape[1],
        width=samples.images.shape[2],
        channels=samples.images.shape[3],
        original_side=samples.original_side,
        classes=samples.classes,
        train=int(train.sum()),
        validation=int((marks == VALIDATION).sum()),
        test=int((marks == TEST).sum()),
        partition=f"dirichlet({request.alpha})"
        if request.partition == "dirichlet"
        else request.partition,
        clients=tuple(
            ClientCard(samples=int(row.sum()), histogram=tuple(row.tolist()), attribute=value)
            for row, value in zip(table, attributes, strict=True)
        ),
        balance=float(overall.min() / overall.max()),
        label_skew=float(distances.mean()),
        size_skew=float(sizes.max() / sizes.mean()),
    )
