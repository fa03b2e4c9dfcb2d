"""The data card: what a coder may know of data that never leave their clients."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ClientCard(BaseModel):
    """One client's share of the training split.

    Attributes:
        samples: Training samples.
        histogram: Training samples per class, in the order of ``DataCard.classes``.
        attribute: Value of the attribute that the split went by; empty if it went by none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: int
    histogram: tuple[int, ...]
    attribute: str = ""


class DataCard(BaseModel):
    """Counts and shapes of a federated data set; no sample, no file name, no label of a sample.

    Attributes:
        name: Named set, or the name of the folder or file.
        height: Pixels, after all images were brought to one size.
        width: Pixels.
        channels: 1 for grey, 3 for colour.
        original_side: Median of the longer side before that, in pixels.
        classes: Class names; a label is an index into it.
        train: Samples in the training split, over all clients.
        validation: Samples in the validation split, which the host scores trials on.
        test: Samples in the test split, scored once.
        partition: How samples were dealt to clients, in words, e.g. ``dirichlet(0.3)``.
        clients: One card per client; the index is the Flower partition id.
        balance: Rarest class over most frequent class in the training split, 0 to 1.
        label_skew: Mean total-variation distance between a client's class shares and the
            overall ones: 0 for identical clients, towards 1 for one class a client.
        size_skew: Share of the largest client over that of an even split: 1 for equal clients.
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
        """Training samples of the largest client: no honest reply can claim more."""
        return max(client.samples for client in self.clients)
