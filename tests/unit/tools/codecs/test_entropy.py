"""The entropy coder wastes less than a byte and produces the same bytes on every machine."""

import hashlib
import inspect
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgewright.tools.codecs.entropy import (
    TOTAL_FREQUENCY,
    Decoder,
    Integers,
    edges_of,
    encode,
)
from edgewright.tools.errors import FrameError

SYMBOLS = 256


def random_table(random: np.random.Generator, evenness: float) -> NDArray[np.uint32]:
    shares = random.dirichlet(np.full(SYMBOLS, evenness)) * (TOTAL_FREQUENCY - SYMBOLS)
    table = np.floor(shares).astype(np.int64) + 1
    table[7] += TOTAL_FREQUENCY - table.sum()
    return table.astype(np.uint32)


def information_bytes(symbols: Integers, table: NDArray[np.uint32]) -> float:
    return float(-np.log2(table[symbols] / TOTAL_FREQUENCY).sum() / 8)


@pytest.mark.parametrize("evenness", [0.02, 0.2, 2.0])
@pytest.mark.parametrize("probable", [True, False])
def test_a_stream_is_less_than_a_byte_longer_than_its_information(evenness, probable):
    """The required bound is 2 bytes below 64 symbols and 1 % above; one byte is less than both."""
    random = np.random.default_rng(0)
    for length in [*range(80), 1000, 5000]:
        table = random_table(random, evenness)
        probabilities = table / TOTAL_FREQUENCY if probable else None
        symbols = random.choice(SYMBOLS, size=length, p=probabilities).astype(np.int32)
        payload = encode([(symbols, edges_of(table))])
        information = information_bytes(symbols, table)
        # Streams may end in zeros, which are not sent.
        assert len(payload) <= information * 1.0001 + 1
        decoder = Decoder(payload)
        assert np.array_equal(decoder.read(edges_of(table), length), symbols)
        decoder.verify()


def test_integer_tables_are_used_without_rounding():
    """A reference coder in integer arithmetic produces the same bytes."""
    random = np.random.default_rng(3)
    for _ in range(20):
        table = random_table(random, 0.2)
        symbols = np.concatenate([np.arange(SYMBOLS), random.integers(0, SYMBOLS, 200)])
        payload = encode([(symbols.astype(np.int32), edges_of(table))])
        assert payload == reference_encode(symbols.tolist(), table.tolist())


def reference_encode(symbols: list[int], table: list[int]) -> bytes:
    """Range coder: 24-bit precision, 32-bit words, 64-bit state, then the shortest number."""
    low, width, bits = 0, 2**64 - 1, 64
    for symbol in symbols:
        width >>= 24
        low += width * sum(table[:symbol])
        width *= table[symbol]
        if width < 2**32:
            low, width, bits = low << 32, width << 32, bits + 32
    for size in range(bits // 8 + 1):
        number = -(-low >> (bits - 8 * size))
        if number << (bits - 8 * size) < low + width:
            return number.to_bytes(size, "big")
    raise AssertionError


def digest_of_a_fixed_stream() -> str:
    table = np.full(SYMBOLS, TOTAL_FREQUENCY // (2 * SYMBOLS), dtype=np.uint32)
    table[100] += TOTAL_FREQUENCY // 2
    symbols = (np.arange(1000) * 37 % 301 % SYMBOLS).astype(np.int32)
    payload = encode([(symbols[:400], edges_of(table)), (symbols[400:], edges_of(table))])
    return hashlib.sha256(payload).hexdigest()[:16]


def test_the_bytes_do_not_change():
    assert digest_of_a_fixed_stream() == "6e3bd4ee51b4c144"


def test_without_the_compiled_coder_the_bytes_are_the_same():
    """The coder is chosen at import, so another process imports it."""
    code = "\n".join(
        [
            "import sys",
            "sys.modules['edgewright.tools.codecs._range_coder'] = None",
            "import hashlib",
            "import numpy as np",
            "from edgewright.tools.codecs.entropy import *",
            "from edgewright.tools.codecs import entropy",
            f"SYMBOLS = {SYMBOLS}",
            inspect.getsource(digest_of_a_fixed_stream),
            "print(entropy.COMPILED, digest_of_a_fixed_stream())",
        ]
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.split() == ["False", "6e3bd4ee51b4c144"]


TABLE = random_table(np.random.default_rng(5), 1.0)


@given(payload=st.binary(max_size=200))
def test_any_bytes_are_decoded_consistently_or_refused(payload):
    decoder = Decoder(payload)
    try:
        symbols = decoder.read(edges_of(TABLE), 150)
        decoder.verify()
    except FrameError as error:
        assert error.info().code == "frame_payload"
    else:
        assert encode([(symbols, edges_of(TABLE))]) == payload


@given(extra=st.binary(min_size=1, max_size=40))
def test_trailing_bytes_are_refused(extra):
    symbols = np.arange(100, dtype=np.int32)
    decoder = Decoder(encode([(symbols, edges_of(TABLE))]) + extra)
    with pytest.raises(FrameError):
        decoder.read(edges_of(TABLE), 100)
        decoder.verify()


@pytest.mark.parametrize(
    "frequencies", [[TOTAL_FREQUENCY, 0], [1, 2, 3], [-1, TOTAL_FREQUENCY + 1]]
)
def test_frequencies_that_do_not_fill_the_interval_are_refused(frequencies):
    with pytest.raises(ValueError, match="positive and sum to"):
        edges_of(np.array(frequencies))
