"""From a purpose in words and explicit options to the data of a run."""

from __future__ import annotations

from edgewright.agents.fl_coder.constraints.data_words import other_than_images, read_data
from edgewright.agents.fl_coder.constraints.spans import read_constraints
from edgewright.graphs.federated.validation import validated
from edgewright.tools.datasets.partition import Partition
from edgewright.tools.errors import InputError
from edgewright.tools.federated.trials.prepare import DataRequest


def data_request(
    purpose: str,
    *,
    source: str | None = None,
    clients: int | None = None,
    partition: Partition | None = None,
    alpha: float | None = None,
    samples: int | None = None,
    seed: int | None = None,
) -> DataRequest:
    """Return the data that a run trains on.

    An explicit option takes precedence over the words of the purpose, and these over the defaults
    of ``DataRequest``. The first call loads the phrase classifier, which takes seconds.

    Args:
        purpose: What the model is for, in the person's words; it may name the data and the number
            of owners, and say that the owners' data differ.
        source: A named set, a folder or a file.
        clients: Number of owners.
        partition: How samples are dealt to the owners.
        alpha: Dirichlet's concentration.
        samples: Maximum number of samples; 0 for all.
        seed: Determines splits and clients.

    Raises:
        InputError: Neither the options nor the words name any data (``data_unnamed``), or they
            name some that are no images (``data_unsupported``).
    """
    words = read_data(purpose)
    source = source or words.source
    if not source and (kind := other_than_images(purpose)):
        raise InputError(
            f"training learns to classify images, and these are {kind}. What is possible: images "
            "of what you want to tell apart, sorted into one folder per class, or an .npz file "
            "with 'images' and 'labels'; name it with '--data' or in the request",
            code="data_unsupported",
        )
    if not source:
        raise InputError(
            "name the data to train on: the path of a folder of class folders or of an .npz file, "
            "or one of digits, fashion-mnist, elpv",
            code="data_unnamed",
        )
    if partition is None:
        partition = "dirichlet" if _differ(purpose) else "iid"
    if clients is None:
        # An attribute has one owner per value, whatever number the words give.
        clients = 0 if partition == "attribute" else words.clients
    given = {
        "source": source,
        "clients": clients,
        "partition": partition,
        "alpha": alpha,
        "samples": samples,
        "seed": seed,
    }
    return validated(
        DataRequest, {name: value for name, value in given.items() if value is not None}
    )


def _differ(purpose: str) -> bool:
    """Return whether the words say that the owners' data differ."""
    return any(constraint.kind == "skew" for constraint in read_constraints(purpose))
