"""The data card: what a coder may know about data that never leave their clients."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field


class ClientCard(BaseModel):
    """One client's share of the training split.

    Attributes:
        samples: Number of training samples.
        histogram: Training samples per class, in the order of ``DataCard.classes``.
        attribute: Attribute value, if the data were partitioned by attribute; otherwise empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: int
    histogram: tuple[int, ...]
    attribute: str = ""


class DataCard(BaseModel):
    """Counts and shapes of a federated data set, without samples, file names or single labels.

    Attributes:
        name: Name of the data set, or of its folder or file.
        height: Height of the resized images in pixels.
        width: Width of the resized images in pixels.
        channels: 1 for grey, 3 for colour.
        original_side: Median of the longer side before resizing, in pixels.
        classes: Class names; a label is an index into it.
        train: Number of samples in the training split, over all clients.
        validation: Number of samples in the validation split, on which the host scores trials.
        test: Number of samples in the test split, which is scored once.
        partition: How samples were partitioned among clients, e.g. ``dirichlet(0.3)``.
        clients: One card per client; the index is the Flower partition id.
        balance: Size of the rarest class relative to the most frequent one in the training split.
        label_skew: Mean total-variation distance between a client's class distribution and the
            overall one: 0 for identical clients, towards 1 for one class per client.
        size_skew: Size of the largest client relative to the mean: 1 for equal clients.
        persons: Number of persons that the training samples are of, each at one client; 0 if it is
            not known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    height: int = Field(gt=0)
    width: int = Field(gt=0)
    channels: int
    original_side: int
    classes: tuple[str, ...]
    train: int
    validation: int
    test: int
    partition: str
    clients: tuple[ClientCard, ...]
    balance: float
    label_skew: float
    size_skew: float
    persons: int = Field(default=0, ge=0)

    @property
    def excess_skew(self) -> float:
        """The label skew beyond what random shards of these sizes show by chance; 0 if none is.

        The classes of a handful of samples always differ from the overall ones.
        """
        totals = [sum(column) for column in zip(*(c.histogram for c in self.clients), strict=True)]
        count = max(1, sum(totals))
        shares = [total / count for total in totals]
        chance = [
            sum(_mean_deviation(max(1, client.samples), share) for share in shares) / 2
            for client in self.clients
        ]
        expected = sum(chance) / len(chance)
        if self.label_skew <= expected * (1 + 1 / math.sqrt(len(chance))):
            return 0.0
        return math.sqrt(self.label_skew**2 - min(expected, self.label_skew) ** 2)

    @property
    def largest_client(self) -> int:
        """Training samples of the largest client; no honest reply can claim more."""
        return max(client.samples for client in self.clients)


def _mean_deviation(samples: int, share: float) -> float:
    """Return the mean distance of the share of a class in random samples from its true share."""
    if not 0 < share < 1:
        return 0.0
    mode = int(samples * share) + 1
    logarithm = (
        math.lgamma(samples + 1)
        - math.lgamma(mode + 1)
        - math.lgamma(samples - mode + 1)
        + mode * math.log(share)
        + (samples - mode + 1) * math.log(1 - share)
        if mode <= samples
        else -math.inf
    )
    return 2 * mode * math.exp(logarithm) / samples
