"""Preparing a run's data: loading, splitting and partitioning a data set, and its data card."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
from edgewright.tools.datasets.summary import DataSummary
from edgewright.tools.errors import InputError, NotFoundError, StorageError
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.layout import RunFolder

#: Minimum number of samples for a meaningful training and test.
MIN_SAMPLES = 20


class DataRequest(BaseModel):
    """The data to train on and their partition among clients.

    Attributes:
        source: The data source, as for ``load_source``.
        clients: Number of clients; 0 with ``attribute`` means one per value.
        partition: How samples are partitioned among clients.
        alpha: Dirichlet concentration; smaller values make clients differ more.
        samples: Maximum number of samples, drawn at random; 0 uses all.
        whole_test: Use the data set's whole test split, if it has one; ``samples`` limits only the
            others.
        validation: Share of the validation split, if the data set has its own test split.
        label_noise: Share of the training labels replaced by a random other class, to study wrong
            labels.
        seed: Seed of splits and partition.
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
    """Load, split, partition and write a data set, with all checks of the data.

    Args:
        request: The data request.
        run: Folder of the run; the training split is written to ``run.data``, the others to
            ``run.held``.

    Raises:
        InputError: The data or the request cannot be used; the code gives the reason.
        NotFoundError: There are no such data (``data_missing``).
        StorageError: The disk is full or the folder is not writable.
    """
    rng = np.random.default_rng(request.seed)
    samples = _subsample(load_source(request.source), request, rng)
    if len(samples.labels) < MIN_SAMPLES:
        raise InputError(
            f"{samples.name!r} has {len(samples.labels)} samples; use at least {MIN_SAMPLES} for "
            "training, validation and test",
            code="too_few_samples",
        )
    splits = split(samples, rng, validation=request.validation)
    assignment, attributes = assign_clients(
        samples,
        splits,
        clients=request.clients,
        partition=request.partition,
        alpha=request.alpha,
        rng=rng,
    )
    labels = _with_noise(samples, splits, request.label_noise, rng)
    card = _card(request, samples, splits, assignment, attributes, labels)
    try:
        for folder, name, split_id in (
            (run.data, "train", TRAIN),
            (run.held, "validation", VALIDATION),
            (run.held, "test", TEST),
        ):
            chosen = splits == split_id
            write_split(folder, name, samples.images[chosen], labels[chosen], assignment[chosen])
        if card.persons and samples.persons is not None:
            own = samples.persons[splits == TRAIN]
            np.save(run.data / "train_persons.npy", own, allow_pickle=False)
        (run.data / "card.json").write_text(card.model_dump_json(indent=2), "utf-8")
        if samples.summary is not None:
            run.reading.write_text(samples.summary.model_dump_json(indent=2), "utf-8")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError(
            f"the data cannot be written ({error.strerror}); "
            + ("free some disk space" if full else "set EDGEWRIGHT_HOME to a writable folder")
        ) from error
    return card


def load_card(run: RunFolder) -> DataCard:
    """Read the data card of a prepared run.

    Raises:
        NotFoundError: The run has no prepared data (``data_missing``).
    """
    try:
        return DataCard.model_validate_json((run.data / "card.json").read_text("utf-8"))
    except OSError:
        raise NotFoundError(
            f"the run {run.root.name!r} has no prepared data; start a new run", code="data_missing"
        ) from None


def load_reading(run: RunFolder) -> DataSummary | None:
    """Return what was read of a folder of images and what was not; None for other data."""
    try:
        return DataSummary.model_validate_json(run.reading.read_bytes())
    except (OSError, ValidationError):
        return None


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


def _subsample(samples: Samples, request: DataRequest, rng: np.random.Generator) -> Samples:
    if not request.samples:
        return samples
    whole_test = np.zeros(len(samples.labels), dtype=bool)
    if request.whole_test and samples.test is not None:
        whole_test |= samples.test
    drawn = rng.permutation(np.flatnonzero(~whole_test))[: request.samples]
    chosen = np.sort(np.append(drawn, np.flatnonzero(whole_test)))
    return samples.chosen(chosen)


def _with_noise(
    samples: Samples, splits: NDArray[np.int8], share: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    labels = samples.labels.copy()
    train = np.flatnonzero(splits == TRAIN)
    wrong = rng.permutation(train)[: round(len(train) * share)]
    shift = rng.integers(1, len(samples.classes), size=len(wrong))
    labels[wrong] = (labels[wrong] + shift) % len(samples.classes)
    return labels


def _card(
    request: DataRequest,
    samples: Samples,
    splits: NDArray[np.int8],
    assignment: NDArray[np.int64],
    attributes: tuple[str, ...],
    labels: NDArray[np.int64],
) -> DataCard:
    train = splits == TRAIN
    class_count = len(samples.classes)
    table = np.zeros((len(attributes), class_count), dtype=np.int64)
    np.add.at(table, (assignment[train], labels[train]), 1)
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
        validation=int((splits == VALIDATION).sum()),
        test=int((splits == TEST).sum()),
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
        persons=_persons(samples, train, assignment),
    )


def _persons(samples: Samples, train: NDArray[np.bool_], assignment: NDArray[np.int64]) -> int:
    """Count the persons of the training split; 0 if they are not known, or at several clients."""
    if samples.persons is None:
        return 0
    persons = samples.persons[train]
    pairs = np.unique(np.stack([persons, assignment[train]]), axis=1)
    count = len(np.unique(persons))
    return count if pairs.shape[1] == count else 0
