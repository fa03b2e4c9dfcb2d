"""A person's own labels: kept as features, trained on by several nodes, used in answers."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from safetensors.numpy import save

from edgewright.tools.contracts.views import MoodLabels, MoodRound
from edgewright.tools.errors import InputError, NotFoundError, RefusedError
from edgewright.tools.sensing.moods.network import MoodNetwork, averaged
from edgewright.tools.sensing.moods.own import OwnMoods
from edgewright.tools.sensing.moods.rounds import train

SCALES = {"work": (0.2, 0.1), "games": (0.2, 0.1)}


def own(folder, rows=0, seed=0, noise=0.02):
    """Return labels of somebody who is tense when at work, and happy when playing."""
    moods, rng = OwnMoods("card", SCALES, folder), np.random.default_rng(seed)
    for number in range(rows):
        tense = number % 2 == 0
        shares = (0.35, 0.05) if tense else (0.05, 0.35)
        moods.add(
            dict(zip(SCALES, shares + rng.normal(0, noise, 2), strict=True)),
            "tense" if tense else "happy",
        )
    return moods


class Node:
    """What a node does for a training, without HTTP."""

    def __init__(self, moods: OwnMoods) -> None:
        self.moods = moods
        self.seen: list[bytes] = []

    async def mood_labels(self, card):
        return MoodLabels(features=list(self.moods.features), labels=self.moods.counts())

    async def mood_round(self, card, begin):
        network, right = self.moods.trained(self._network(begin))
        return MoodRound(network_base64=base64.b64encode(network.to_bytes()).decode(), right=right)

    async def install_moods(self, card, trained):
        self.moods.install(self._network(trained))
        return await self.mood_labels(card)

    def _network(self, given):
        data = base64.b64decode(given.network_base64)
        self.seen.append(data)
        return MoodNetwork.from_bytes(data, self.moods.features)


async def test_two_nodes_train_one_network_that_both_then_use(tmp_path):
    nodes = [Node(own(tmp_path / "a", 20)), Node(own(tmp_path / "b", 10, seed=1))]
    nodes.append(Node(own(tmp_path / "c")))  # no labels: it only gets the network
    done = []
    trained = await train("card", nodes, 15, done.append)
    assert done == list(range(1, 16))
    assert (trained.right, trained.tested) == (6, 6)
    assert (trained.network.samples, trained.network.nodes) == (24, 2)
    for node in nodes:
        (best, *_), basis = node.moods.estimate({"work": 0.36, "games": 0.02})
        assert best[0] == "tense"
        assert best[1] > 0.8
        assert basis == "trained on 24 labels of your own on 2 nodes"
    assert nodes[0].moods.estimate({"work": 0.03, "games": 0.4})[0][0][0] == "happy"


async def test_one_node_alone_can_only_learn_what_it_saw(tmp_path):
    tense, happy = own(tmp_path / "a"), own(tmp_path / "b")
    for number in range(12):
        tense.add({"work": 0.3 + number / 100, "games": 0.0}, "tense")
        happy.add({"work": 0.0, "games": 0.3 + number / 100}, "happy")
    both = await train("card", [Node(tense), Node(happy)], 20)
    assert both.right == both.tested == 4
    with pytest.raises(RefusedError, match="too few"):
        await train("card", [Node(tense)], 20)


def test_only_named_features_and_the_label_are_kept(tmp_path):
    moods = own(tmp_path)
    counts = moods.add({"work": 0.123456789, "secret": 5.0}, "calm")
    assert counts == moods.counts() == {"calm": 1}
    (line,) = (tmp_path / "card.jsonl").read_text().splitlines()
    assert json.loads(line) == {"features": {"work": 0.12346}, "label": "calm"}
    with pytest.raises(InputError, match="no label"):
        moods.add({"work": 0.1}, "../x")
    moods.forget()
    assert moods.counts() == {}
    with pytest.raises(NotFoundError, match="no labels"):
        moods.trained(MoodNetwork.initial(moods.features, ["a", "b"]))


def test_labels_that_come_at_once_are_all_kept(tmp_path):
    moods = OwnMoods("card", SCALES, tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: moods.add({"work": 0.3}, "calm"), range(64)))
    assert moods.counts() == {"calm": 64}


def test_without_enough_labels_the_fitted_expert_answers(tmp_path):
    moods = own(tmp_path)
    assert moods.estimate({"work": 0.3}) is None
    moods.install(MoodNetwork.initial(moods.features, ["a", "b"]))
    assert moods.estimate({"work": 0.3}) is None


def test_the_mean_is_weighed_by_the_numbers_of_labels():
    first = MoodNetwork.initial(("x",), ("a", "b"), seed=1)
    rows, labels = np.ones((3, 1), np.float32), ["a", "a", "b"]
    one, other = first.trained(rows, labels), first.trained(rows[:1], labels[:1])
    mean = averaged([one, other])
    assert (mean.samples, mean.nodes) == (4, 2)
    expected = 0.75 * one.arrays["output"] + 0.25 * other.arrays["output"]
    np.testing.assert_allclose(mean.arrays["output"], expected, rtol=1e-5)


def test_a_network_travels_as_it_is_and_nothing_else_is_one():
    network = MoodNetwork.initial(tuple(SCALES), ("calm", "sad"))
    data = network.to_bytes()
    again = MoodNetwork.from_bytes(data, tuple(SCALES))
    assert again.labels == network.labels
    np.testing.assert_array_equal(again.arrays["hidden"], network.arrays["hidden"])
    bad = {**network.arrays, "hidden_bias": np.full(16, np.nan, np.float32)}
    names = json.dumps({"features": list(SCALES), "labels": ["a", "b"], "samples": 1, "nodes": 1})
    for broken in (
        b"", b"x" * 20, data[:-3], data[:40], b"\xff" * 9, save(dict(network.arrays)),
        save(bad, metadata={"names": names}), data + b"0" * 100_000,
    ):  # fmt: skip
        with pytest.raises(InputError, match="no network"):
            MoodNetwork.from_bytes(broken, tuple(SCALES))
    with pytest.raises(InputError, match="no network"):
        MoodNetwork.from_bytes(data, ("other",))
