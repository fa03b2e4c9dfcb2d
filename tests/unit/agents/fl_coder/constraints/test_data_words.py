from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.constraints.data_words import read_data


@pytest.mark.parametrize(
    ("text", "source", "clients"),
    [
        ("ten clinics each have photos of handwritten digits", "digits", 10),
        ("train on Fashion-MNIST with 5 clients", "fashion-mnist", 5),
        ("train a model on /data/parts for our 12 small factories", "/data/parts", 12),
        ("use 'my pictures/of parts' please", "my pictures/of parts", None),
        ("digits from ./scans.npz", "./scans.npz", None),
        ("the file scans.npz holds them", "scans.npz", None),
        ("cats and/or dogs", "", None),
        ("a model that tells ripe from unripe tomatoes", "", None),
        ("0 clients", "", None),
    ],
)
def test_data_and_owners_are_read(text, source, clients):
    found = read_data(text)
    assert (found.source, found.clients) == (source, clients)
