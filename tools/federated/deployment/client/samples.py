"""A client's preparation of its own folder: its samples in the deployment's format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.datasets.partition import MIN_CLIENT_SAMPLES
from edgewright.tools.datasets.samples import Samples, to_array
from edgewright.tools.datasets.sources import load_source
from edgewright.tools.errors import InputError
from edgewright.tools.federated.deployment.folders import ClientFolder
from edgewright.tools.federated.deployment.records import Invitation
from edgewright.tools.federated.grids.identities import make_key_pair
from edgewright.tools.federated.trials.prepare import write_split

_VALIDATION_SHARE = 0.15


def prepare_client(folder: ClientFolder, invitation: Invitation, source: str | None) -> None:
    """Prepare a client's folder: its samples, its keys and the operator's certificate.

    Args:
        folder: The client's folder; samples that it has already are replaced by new ones.
        invitation: The operator's invitation.
        source: The client's data, as for ``load_source``; None keeps those of an earlier call.

    Raises:
        InputError: The data cannot be used, or there are none (``no_shard``, ``unknown_class``,
            ``too_few_samples``).
    """
    if source is None and not (folder.data / "train_labels.npy").exists():
        raise InputError(
            "this client has no data yet; pass its folder of class folders with --data",
            code="no_shard",
        )
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if source is not None:
        _write_samples(folder, invitation, source)
    (folder.root / "invitation.json").write_text(invitation.model_dump_json(indent=2), "utf-8")
    folder.authority.write_text(invitation.authority, "utf-8")
    if not folder.key.exists():
        make_key_pair(folder.key, folder.public_key(invitation.client))


def _write_samples(folder: ClientFolder, invitation: Invitation, source: str) -> None:
    samples = load_source(source)
    labels = _labels(samples, invitation)
    images = _resized(samples.images, invitation)
    held = _validation(labels, np.random.default_rng(invitation.client))
    if int((~held).sum()) < MIN_CLIENT_SAMPLES or not held.any():
        raise InputError(
            f"{samples.name!r} has {len(labels)} samples; a client needs at least "
            f"{MIN_CLIENT_SAMPLES} for training and one for validation",
            code="too_few_samples",
        )
    for target, name, chosen in ((folder.data, "train", ~held), (folder.held, "validation", held)):
        owner = np.full(int(chosen.sum()), invitation.client, dtype=np.int64)
        write_split(target, name, images[chosen], labels[chosen], owner)


def _labels(samples: Samples, invitation: Invitation) -> NDArray[np.int64]:
    """Return the labels as the deployment numbers its classes."""
    unknown = [name for name in samples.classes if name not in invitation.classes]
    if unknown:
        raise InputError(
            f"{samples.name!r} has the classes {', '.join(unknown[:5])}, which the deployment does "
            f"not have; its classes are {', '.join(invitation.classes[:20])}: rename the folders",
            code="unknown_class",
        )
    numbers = np.array([invitation.classes.index(name) for name in samples.classes], np.int64)
    return numbers[samples.labels]


def _resized(images: NDArray[np.uint8], invitation: Invitation) -> NDArray[np.uint8]:
    """Convert images as those were on which the trial was designed."""
    height, width, channels = invitation.height, invitation.width, invitation.channels
    if images.shape[1:] == (height, width, channels):
        return images
    return np.stack(
        [
            to_array(
                Image.fromarray(image.squeeze()).convert("RGB"),
                height=height,
                width=width,
                channels=channels,
            )
            for image in images
        ]
    )


def _validation(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw the validation samples: a share of each class that has at least two samples."""
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        if len(members) > 1:
            held[members[: max(1, round(len(members) * _VALIDATION_SHARE))]] = True
    return held


def sample_counts(folder: ClientFolder) -> tuple[int, int]:
    """Return the numbers of a client's training and validation samples.

    Raises:
        InputError: A file is missing (``no_shard``); its name is given, but not its folder.
    """
    files = [
        (folder.data, "train"),
        (folder.held, "validation"),
    ]
    missing = [
        f"{name}_{part}.npy"
        for parent, name in files
        for part in ("images", "labels")
        if not (parent / f"{name}_{part}.npy").is_file()
    ]
    if missing:
        raise InputError(
            f"its data are missing ({', '.join(missing)}); prepare them again with "
            "'edgewright federate join --data'",
            code="no_shard",
        )
    train, validation = (_length(parent / f"{name}_labels.npy") for parent, name in files)
    return train, validation


def _length(path: Path) -> int:
    return len(np.load(path, allow_pickle=False))
