"""What the tests of the federated benchmarks share."""

import pytest

from edgewright.tools.federated.records.data_card import ClientCard, DataCard


@pytest.fixture
def card() -> DataCard:
    """Ten equal clients with the digits."""
    client = ClientCard(samples=120, histogram=(12,) * 10)
    return DataCard(
        name="digits", height=8, width=8, channels=1, original_side=8,
        classes=tuple("0123456789"), train=1200, validation=300, test=300, partition="iid",
        clients=(client,) * 10, balance=1.0, label_skew=0.5, size_skew=1.0,
    )  # fmt: skip
