"""The quantised codec is accurate, compact and bit-exact, and rejects damaged payloads."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY
from edgewright.tools.codecs.quantised import STEPS, SYMBOLS, QuantisedCodec, Tables
from edgewright.tools.errors import EdgewrightError, FrameError
from edgewright.tools.models.adapter import Features


def bell(width: float) -> NDArray[np.uint32]:
    """Return frequencies around the middle symbol, computed in integers to be exact everywhere."""
    weights = [round(2**20 / (1 + (abs(symbol - 128) / width) ** 3)) for symbol in range(SYMBOLS)]
    scaled = [1 + weight * (TOTAL_FREQUENCY - SYMBOLS) // sum(weights) for weight in weights]
    scaled[128] += TOTAL_FREQUENCY - sum(scaled)
    return np.array(scaled, dtype=np.uint32)


TABLES = Tables(4.0, np.stack([bell(12), bell(3), bell(5)]))


def codec(shape: tuple[int, ...] = (6, 7, 7), **other: object) -> QuantisedCodec:
    settings = {"model": "m", "revision": "r", "point": 1, "tables": TABLES, **other}
    return QuantisedCodec(shape=shape, **settings)  # type: ignore[arg-type]


def features(shape: tuple[int, ...] = (6, 7, 7), seed: int = 0) -> Features:
    """Return multiples of 1/64, which are rounded identically on all machines."""
    random = np.random.default_rng(seed)
    return (random.integers(-300, 300, shape) / 64).astype(np.float32)


def code_of(payload: bytes, shape: tuple[int, ...] = (6, 7, 7)) -> str:
    with pytest.raises(FrameError) as caught:
        codec(shape).decode(payload)
    return caught.value.info().code


@pytest.mark.parametrize("shape", [(80, 14, 14), (197, 32), (50,), (3, 1, 1)])
def test_round_trip_is_within_half_a_step(shape: tuple[int, ...]) -> None:
    original = features(shape)
    coder = codec(shape)
    decoded = coder.decode(coder.encode(original))
    assert decoded.shape == shape
    assert decoded.dtype == np.float32
    axis = {1: None, 2: 0, 3: (1, 2)}[len(shape)]
    spread = np.broadcast_to(original.std(axis=axis, keepdims=True), shape)
    assert (np.abs(decoded - original) <= spread / 4 / 2 * 2**0.125 * 1.02 + 0.02).all()


def test_takes_much_less_than_a_byte_per_value() -> None:
    original = np.random.default_rng(0).normal(size=(80, 14, 14)).astype(np.float32)
    assert len(codec((80, 14, 14)).encode(original)) < 0.7 * original.size


def test_channels_of_zeros_cost_nearly_nothing() -> None:
    original = np.zeros((6, 7, 7), dtype=np.float32)
    payload = codec().encode(original)
    assert len(payload) <= 16
    assert not codec().decode(payload).any()


def test_a_constant_channel_keeps_its_value() -> None:
    original = np.full((6, 7, 7), 7.5, dtype=np.float32)
    assert codec().decode(codec().encode(original)) == pytest.approx(7.5, rel=0.01)


@pytest.mark.parametrize("magnitude", [1e-38, 1e-9, 1e9, 3e38])
def test_any_finite_magnitude_is_encoded(magnitude: float) -> None:
    original = features() / 5 * np.float32(magnitude)
    assert np.isfinite(codec().decode(codec().encode(original))).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    original = features()
    original[2, 3, 4] = value
    with pytest.raises(EdgewrightError) as caught:
        codec().encode(original)
    assert caught.value.info().code == "features_not_finite"


def test_another_shape_is_refused() -> None:
    with pytest.raises(EdgewrightError) as caught:
        codec().encode(features((6, 7, 8)))
    assert caught.value.info().code == "features_shape"


def test_the_bitstream_does_not_change() -> None:
    payload = codec().encode(features())
    decoded = codec().decode(payload)
    assert hashlib.sha256(payload).hexdigest()[:16] == "a869e042aaaeac19"
    assert hashlib.sha256(decoded.astype("<f4").tobytes()).hexdigest()[:16] == "a7dffc3e44264b7a"


@pytest.mark.slow
def test_other_processes_and_thread_counts_produce_the_same_bytes() -> None:
    program = (
        "import sys, hashlib, numpy as np, torch; torch.set_num_threads(int(sys.argv[1]));"
        "from edgewright.tools.codecs.registry import _codec;"
        "known = (np.random.default_rng(5).integers(-300, 300, (80, 14, 14)) / 64).astype('f4');"
        "codec = _codec('efficientnet-lite0', 'r', 9, known.shape); data = codec.encode(known);"
        "print(hashlib.sha256(data + codec.decode(data).tobytes()).hexdigest()[:16])"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program, threads], capture_output=True, check=True, text=True
        ).stdout
        for threads in ("1", "2")
    }
    assert digests == {"e896e79fef9040c7\n"}


def test_steps_are_exact_in_few_bits() -> None:
    assert STEPS[128] == 1
    assert STEPS[132] == 2
    for step in STEPS[1:]:
        fraction, _ = np.frexp(step)
        assert (fraction * 2**9).is_integer()


def test_the_fingerprint_covers_all_that_matters() -> None:
    other_tables = Tables(4.0, TABLES.frequencies[::-1].copy())
    variants = [
        codec(),
        codec((6, 49)),
        codec(model="n"),
        codec(revision="s"),
        codec(point=2),
        codec(tables=Tables(5.0, TABLES.frequencies)),
        codec(tables=other_tables),
    ]
    assert len({one.fingerprint for one in variants}) == len(variants)
    assert codec().fingerprint == codec().fingerprint
    assert len(codec().fingerprint) == 8


PAYLOAD = codec().encode(features())


@given(payload=st.binary(max_size=400))
@example(payload=b"")
@example(payload=PAYLOAD[:-1])
@example(payload=b"\1\0\0")
@example(payload=b"\xff" * 40)
def test_arbitrary_payloads_are_refused_or_decode_to_finite_features(payload: bytes) -> None:
    try:
        decoded = codec().decode(payload)
    except FrameError as error:
        assert error.info().code == "frame_payload"
    else:
        assert decoded.shape == (6, 7, 7)
        assert np.isfinite(decoded).all()


@given(extra=st.binary(min_size=1, max_size=40))
@example(extra=b"*")  # the payload of other features
def test_extended_payloads_are_refused_or_other_features(extra: bytes) -> None:
    try:
        decoded = codec().decode(PAYLOAD + extra)
    except FrameError as error:
        assert error.info().code == "frame_payload"
    else:
        assert not np.array_equal(decoded, codec().decode(PAYLOAD))


def test_a_payload_too_long_for_its_shape_is_refused_without_decoding() -> None:
    assert code_of(b"\1" * 8000, shape=(2, 2)) == "frame_payload"
