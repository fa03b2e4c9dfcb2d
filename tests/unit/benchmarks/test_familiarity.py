"""Cards as diverse as clothes refuse other bright things on black, and sources are counted."""

from __future__ import annotations

import numpy as np

from edgewright.benchmarks.familiarity.run import accepted, measure
from edgewright.benchmarks.familiarity.sources import cards, held_out
from edgewright.benchmarks.workloads.drawings import garments, letters
from edgewright.tools.federated.serving.familiarity import learn_familiarity

CARDS = {card.name: card for card in cards()}


def test_bright_letters_are_no_garments():
    rng = np.random.default_rng(0)
    card = CARDS["garments"]
    images, labels = garments(1200, rng)
    own, others = card.array(images), card.array(letters(list("KLMNOPQRST"), 100, rng)[0])
    known = learn_familiarity(own[:1000], labels[:1000])
    assert (known.margins(own[1000:]) <= 0).mean() >= 0.93
    # By what all images and classes look like on the whole, a third were accepted.
    assert (known.margins(others) <= 0).mean() < 0.2


def test_each_source_is_counted():
    run = measure(CARDS["coloured shapes"], 0)
    assert run["kept"] >= 0.93
    assert accepted([run]) <= 0.05
    found = held_out(CARDS["coloured shapes"], np.random.default_rng(1))
    assert {name: len(each) for name, each in found.items()} == {
        name: each["images"] for name, each in run["sources"].items()
    }
    assert sum(len(each) for each in found.values()) == 500
