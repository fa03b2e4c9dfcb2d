"""The data card: what a coder may know about data that never leave their clients."""

from __future__ import annotations

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

    @property
    def largest_client(self) -> int:
        """Training samples of the largest client; no honest reply can claim more."""
        return max(client.samples for client in self.clients)
