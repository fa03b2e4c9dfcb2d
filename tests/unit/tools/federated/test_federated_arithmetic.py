"""Arithmetic of compression, aggregation, privacy and the link clock."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.aggregation import ServerOptimiser, combine, krum
from edgewright.tools.federated.app.compression import compress, decompress
from edgewright.tools.federated.app.privacy import delta_of, epsilon_spent, rounds_within
from edgewright.tools.federated.records.candidate import (
    Compression,
    FedAdam,
    FedAvg,
    FedAvgM,
    FedYogi,
    Int8,
    Krum,
    Median,
    MultiKrum,
    NoCompression,
    Private,
    Strategy,
    TopK,
    TrimmedMean,
)
from edgewright.tools.federated.records.trial import ClientRound, LinkSpeed
from edgewright.tools.federated.trials.link_clock import round_seconds

SIZES = [30, 10, 60]
RNG = np.random.default_rng(0)


def vector(scale: float = 1.0) -> np.ndarray:
    return (RNG.normal(size=100) * scale).astype(np.float32)


@pytest.mark.parametrize("compression", [NoCompression(), Int8(), TopK(share=0.2)])
def test_compression_round_trip(compression: Compression) -> None:
    update = vector()
    payload, residual = compress(update, compression, SIZES, None)
    decoded = decompress(payload, compression, SIZES)
    if isinstance(compression, NoCompression):
        assert np.array_equal(decoded, update) and len(payload) == 400
    elif isinstance(compression, Int8):
        assert np.abs(decoded - update).max() < np.abs(update).max() / 127
        assert len(payload) == 112
    else:
        assert residual is not None
        assert np.allclose(decoded + residual, update)
        assert np.count_nonzero(decoded) == 20 and len(payload) == 160


def test_error_feedback_eventually_sends_everything() -> None:
    target, sent = vector(), np.zeros(100, np.float32)
    payload, residual = compress(target, TopK(share=0.1), SIZES, None)
    sent += decompress(payload, TopK(share=0.1), SIZES)
    for _ in range(12):
        payload, residual = compress(np.zeros(100, np.float32), TopK(share=0.1), SIZES, residual)
        sent += decompress(payload, TopK(share=0.1), SIZES)
    assert np.allclose(sent, target)


@settings(max_examples=200, deadline=None)
@given(
    payload=st.binary(max_size=500),
    compression=st.sampled_from([NoCompression(), Int8(), TopK(share=0.2)]),
)
def test_any_bytes_are_decoded_or_refused(payload: bytes, compression: Compression) -> None:
    try:
        decoded = decompress(payload, compression, SIZES)
    except InputError as error:
        assert error.info().code == "bad_update"
    else:
        assert decoded.shape == (100,)


def test_top_k_indices_must_be_in_order_and_in_range() -> None:
    good, _ = compress(vector(), TopK(share=0.02), SIZES, None)
    for indices in ([5, 5], [7, 3], [3, 100]):
        bad = np.array(indices, "<u4").tobytes() + good[8:]
        with pytest.raises(InputError):
            decompress(bad, TopK(share=0.02), SIZES)


def combined(
    strategy: Strategy, updates: list[np.ndarray], selected: int | None = None
) -> np.ndarray:
    return combine(
        updates,
        [10] * len(updates),
        strategy,
        selected=selected or len(updates),
        noise=np.random.default_rng(1),
    )


def test_the_mean_is_weighted() -> None:
    one, two = np.ones(4, np.float32), np.full(4, 4, np.float32)
    result = combine([one, two], [30, 10], FedAvg(), selected=2, noise=np.random.default_rng(0))
    assert np.allclose(result, 1.75)


@pytest.mark.parametrize(
    "strategy", [TrimmedMean(trim=0.2), Median(), Krum(attackers=1), MultiKrum(attackers=1)]
)
def test_robust_strategies_tolerate_one_attacker(strategy: Strategy) -> None:
    honest = [np.ones(50, np.float32) + vector(0.01)[:50] for _ in range(4)]
    attack = np.full(50, -30, np.float32)
    result = combined(strategy, [honest[0], attack, *honest[1:]])
    assert np.abs(result - 1).max() < 0.1
    assert np.abs(combined(FedAvg(), [*honest, attack]) - 1).max() > 1


def test_flowers_average_without_the_guard_is_the_control() -> None:
    """Without the guard, one client makes the plain average worthless."""
    from flwr.app import Array, ArrayRecord, MetricRecord, RecordDict
    from flwr.serverapp.strategy.strategy_utils import aggregate_arrayrecords

    def record(values: np.ndarray, samples: int) -> RecordDict:
        arrays = ArrayRecord({"w": Array(values)})
        return RecordDict({"arrays": arrays, "metrics": MetricRecord({"num-examples": samples})})

    honest = [record(np.ones(3, np.float32), 20) for _ in range(4)]
    poisoned = record(np.full(3, np.nan, np.float32), 20)
    greedy = record(np.full(3, 50, np.float32), 10**9)
    assert np.isnan(aggregate_arrayrecords([*honest, poisoned], "num-examples")["w"].numpy()).all()
    aggregated = aggregate_arrayrecords([*honest, greedy], "num-examples")["w"].numpy()
    assert np.allclose(aggregated, 50, atol=0.01)


def test_dropped_replies_count_as_attackers() -> None:
    honest = [np.full(3, value, np.float32) for value in (1, 2, 3, 4)]
    assert np.allclose(combined(TrimmedMean(trim=0.2), honest, selected=5), 2.5)
    assert np.allclose(combined(MultiKrum(attackers=1), honest, selected=5), 2.5)


def test_krum_picks_the_closest() -> None:
    updates = [np.full(3, value, np.float32) for value in (0, 1, 1.1, 1.2, 9)]
    assert krum(updates, 1, 1) == [2]
    assert krum(updates, 1, 2) == [1, 2]


def test_private_mean_clips_and_adds_noise() -> None:
    updates = [np.full(10_000, 5, np.float32), np.full(10_000, 5, np.float32)]
    strategy = Private(clipping_norm=1.0, noise_multiplier=0.5)
    result = combined(strategy, updates)
    assert abs(float(np.std(result)) - 0.25) < 0.02
    assert abs(float(result.mean()) - 0.01) < 0.01


def test_server_optimisers_resume_from_their_state() -> None:
    mask = np.array([True, True, False])
    update = np.array([1, 2, 3], np.float32)
    for strategy in (
        FedAvgM(server_momentum=0.5),
        FedAdam(server_learning_rate=0.1),
        FedYogi(server_learning_rate=0.1),
    ):
        one = ServerOptimiser(strategy, mask, {})
        first = one.step(update)
        assert first[2] == 3
        resumed = ServerOptimiser(strategy, mask, one.state)
        assert np.array_equal(resumed.step(update), one.step(update))
    assert np.array_equal(ServerOptimiser(FedAvg(), mask, {}).step(update), update)


def test_fedyogi_forgets_a_large_update_more_slowly_than_fedadam() -> None:
    """Its second moment changes by the square alone, so small steps do not grow at once."""
    large, small = np.full(1, 10, np.float32), np.full(1, 0.1, np.float32)
    steps = {}
    for strategy in (FedAdam(), FedYogi()):
        server = ServerOptimiser(strategy, np.ones(1, bool), {})
        server.step(large)
        for _ in range(300):
            steps[strategy.name] = float(server.step(small)[0])
    assert 3 * steps["fedyogi"] < steps["fedadam"]


def test_fedyogi_steps_as_flowers_does() -> None:
    from flwr.app import Array, ArrayRecord, MetricRecord, RecordDict
    from flwr.serverapp import strategy as flowers

    theirs = flowers.FedYogi(eta=0.1)
    ours = ServerOptimiser(FedYogi(server_learning_rate=0.1), np.ones(100, bool), {})
    model = vector()
    expected = model.copy()
    for number, scale in enumerate((1.0, 0.1, 3.0, 0.01), start=1):
        update = vector(scale)
        theirs.current_arrays = {"w": expected}
        arrays = ArrayRecord({"w": Array(expected + update)})
        content = RecordDict({"arrays": arrays, "metrics": MetricRecord({"num-examples": 5})})
        message = SimpleNamespace(content=content, has_error=lambda: False)
        record, _ = theirs.aggregate_train(number, [message])
        assert record is not None
        expected = record["w"].numpy()
        model = model + ours.step(update)
        assert np.allclose(model, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("strategy", "too_few", "enough"),
    [
        (FedAvg(), 0, 1),
        (TrimmedMean(trim=0.2), 4, 5),
        (Median(), 2, 3),
        (Krum(attackers=1), 4, 5),
        (MultiKrum(attackers=2), 6, 7),
        (Private(), 1, 2),
    ],
)
def test_strategies_refuse_too_few_clients(strategy: Strategy, too_few: int, enough: int) -> None:
    assert strategy.refusal(too_few)
    assert not strategy.refusal(enough)


def test_epsilon_is_exact_for_the_gaussian_mechanism() -> None:
    # One release with multiplier 1, as published by Balle and Wang.
    assert epsilon_spent(noise_multiplier=1, rounds=1, delta=1e-5) == pytest.approx(
        4.3772, abs=1e-3
    )
    # T releases with multiplier z equal one with z / sqrt(T).
    many = epsilon_spent(noise_multiplier=3, rounds=9, delta=1e-5)
    assert many == pytest.approx(epsilon_spent(noise_multiplier=1, rounds=1, delta=1e-5))
    assert epsilon_spent(noise_multiplier=1, rounds=0, delta=1e-5) == 0
    assert epsilon_spent(noise_multiplier=1e-4, rounds=9, delta=1e-5) == math.inf
    assert delta_of(many, noise_multiplier=3, rounds=9) == pytest.approx(1e-5, rel=1e-3)


def test_rounds_within_a_budget() -> None:
    private = Private(noise_multiplier=2, epsilon=8, delta=1e-5)
    rounds = rounds_within(private, at_most=100)
    assert epsilon_spent(noise_multiplier=2, rounds=rounds, delta=1e-5) <= 8
    assert epsilon_spent(noise_multiplier=2, rounds=rounds + 1, delta=1e-5) > 8
    assert rounds_within(private, at_most=3) == 3
    weak = Private(noise_multiplier=0.1, epsilon=1, delta=1e-5)
    assert rounds_within(weak, at_most=3) == 0


def test_the_link_clock_counts_the_slowest_client() -> None:
    fast = ClientRound(client=0, samples=1, loss=0, accuracy=0, bytes_up=0, bytes_down=0)
    slow = ClientRound(
        client=1, samples=100, loss=0, accuracy=0, bytes_up=250_000, bytes_down=500_000
    )
    link = LinkSpeed(device_gflop_per_s=1)
    seconds = round_seconds([fast, slow], link, flop_per_sample=1e7, local_epochs=2)
    assert seconds == pytest.approx(1 + 1 + 2)
    assert round_seconds([], link, flop_per_sample=1, local_epochs=1) == 0
