"""The compiled coder, the one in Python and constriction's: the same bytes, the same symbols.

``EDGEWRIGHT_TEST_STREAMS`` sets the number of streams.
"""

import os
from itertools import pairwise

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.codecs import range_coder
from edgewright.tools.codecs.entropy import TOTAL_FREQUENCY, edges_of

compiled = pytest.importorskip(
    "edgewright.tools.codecs._range_coder",
    reason="the range coder is not compiled: install a C compiler and the package again",
    exc_type=ImportError,
)
STREAMS = int(os.environ.get("EDGEWRIGHT_TEST_STREAMS", "2000"))
CODERS = pytest.mark.parametrize("coder", [compiled, range_coder], ids=["compiled", "python"])
FULL_WIDTH = 2**64 - 1


def start(payload):
    first = payload[:8]
    return int.from_bytes(first.ljust(8, b"\0"), "big"), FULL_WIDTH, len(first)


def decoded(coder, payload, edges, count):
    """Return the symbols and the state behind them; None if there are no such symbols."""
    symbols = np.full(count, -1, dtype=np.int32)
    state = coder.decode(payload, start(payload), edges, symbols)
    return None if state is None else (symbols.tolist(), state)


class Reference:
    """constriction's coder, with the shortest number in its last interval."""

    @staticmethod
    def model(edges):
        # constriction adds 1 to every weight.
        weights = np.diff(edges.astype(np.int64)).astype(np.float64) - 1
        return constriction.stream.model.Categorical(weights, perfect=False)

    @classmethod
    def encode(cls, parts):
        coder = constriction.stream.queue.RangeEncoder()
        for symbols, edges in parts:
            coder.encode(symbols, cls.model(edges))
        words, (lower, width) = coder.pos()
        size = words * 4 + 8
        compressed = coder.get_compressed().astype(">u4").tobytes().ljust(size, b"\0")
        interior = int.from_bytes(compressed, "big")
        low = interior - ((interior - lower) & FULL_WIDTH)
        for bits in range(64, 0, -8):
            rounded_up = -(-low >> bits)
            if rounded_up << bits < low + width:
                return rounded_up.to_bytes(size - bits // 8, "big").rstrip(b"\0")
        raise AssertionError

    @classmethod
    def decode(cls, payload, edges, count):
        padded = payload + bytes(-len(payload) % 4 + 8)
        coder = constriction.stream.queue.RangeDecoder(np.frombuffer(padded, ">u4").astype("u4"))
        try:
            return coder.decode(cls.model(edges), count).tolist()
        except AssertionError:
            return None


def random_edges(random):
    """Return the edges of an even, uneven or extreme table of 2 to 300 symbols."""
    size = int(random.choice([2, 3, 17, 256, 300]))
    spare = TOTAL_FREQUENCY - size
    if random.random() < 0.3:  # one symbol has nearly everything, the others the least
        frequencies = np.ones(size, dtype=np.int64)
        frequencies[random.integers(size)] += spare
    else:
        evenness = 10.0 ** random.uniform(-2, 1)
        shares = random.dirichlet(np.full(size, evenness))
        frequencies = np.floor(np.nan_to_num(shares) * spare).astype(np.int64) + 1
        frequencies[random.integers(size)] += TOTAL_FREQUENCY - frequencies.sum()
    return edges_of(frequencies)


def random_symbols(random, edges):
    """Return symbols as likely as their table says, or the first, last, rarest or any ones."""
    size, count = edges.size - 1, int(random.integers(0, 150))
    frequencies = np.diff(edges.astype(np.int64))
    match random.integers(6):
        case 0:
            symbols = np.zeros(count)
        case 1:
            symbols = np.full(count, size - 1)
        case 2:
            symbols = np.full(count, frequencies.argmin())
        case 3:
            symbols = random.integers(0, size, count)
        case 4:  # of a number that is all ones or zeros in long runs: carries go far
            runs = random.integers(0, 30, 6)
            number = b"".join(
                byte * int(run)
                for byte, run in zip([b"\x7f", b"\xff", b"\0"] * 2, runs, strict=True)
            )
            found = decoded(range_coder, number, edges, count)
            symbols = np.zeros(0) if found is None else np.array(found[0])
            if symbols.size:
                symbols[-1] = size - 1
        case _:
            symbols = random.choice(size, size=count, p=frequencies / TOTAL_FREQUENCY)
    return symbols.astype(np.int32)


@pytest.mark.timeout(3600)
def test_three_coders_agree_in_both_directions(monkeypatch):
    far_carries = []
    carry = range_coder._carry

    def counted(low, words):
        if words[-1] == 2**32 - 1:
            far_carries.append(low)
        return carry(low, words)

    monkeypatch.setattr(range_coder, "_carry", counted)
    random = np.random.default_rng(11)
    refused = 0
    for _ in range(STREAMS):
        parts = []
        for _ in range(random.integers(1, 4)):
            edges = random_edges(random)
            parts.append((random_symbols(random, edges), edges))
        payload = compiled.encode(parts)
        assert payload == range_coder.encode(parts) == Reference.encode(parts)
        state = start(payload)
        for symbols, edges in parts:
            found = np.empty_like(symbols), np.empty_like(symbols)
            states = [
                coder.decode(payload, state, edges, out)
                for coder, out in zip((compiled, range_coder), found, strict=True)
            ]
            assert states[0] == states[1]
            assert np.array_equal(found[0], symbols)
            assert np.array_equal(found[1], symbols)
            state = states[0]
        # Bytes that no encoder wrote are decoded alike too.
        damaged = random.bytes(int(random.integers(0, 60)))
        if random.random() < 0.2:
            damaged = b"\xff" * 8 + damaged
        expected = Reference.decode(damaged, edges, 40)
        ours = decoded(compiled, damaged, edges, 40)
        assert ours == decoded(range_coder, damaged, edges, 40)
        assert (None if ours is None else ours[0]) == expected
        refused += ours is None
    assert refused
    assert far_carries


@st.composite
def tables(draw):
    inner = draw(st.lists(st.integers(1, TOTAL_FREQUENCY - 1), unique=True, max_size=300))
    edges = np.array([0, *sorted(inner), TOTAL_FREQUENCY], dtype=np.uint32)
    assert all(left < right for left, right in pairwise(edges))
    return edges


@given(payload=st.binary(max_size=300), edges=tables(), count=st.integers(0, 400))
def test_hostile_payloads_have_equal_outcomes(payload, edges, count):
    ours = decoded(compiled, payload, edges, count)
    assert ours == decoded(range_coder, payload, edges, count)
    if ours is not None:
        parts = [(np.array(ours[0], dtype=np.int32), edges)]
        assert compiled.encode(parts) == range_coder.encode(parts)


@given(payload=st.binary(max_size=40), edges=tables(), position=st.integers(0, 100))
def test_any_state_is_continued_alike(payload, edges, position):
    state = (2**63, 2**64 - 2**33, position)
    found = [np.empty(50, dtype=np.int32) for _ in range(2)]
    states = [
        coder.decode(payload, state, edges, symbols)
        for coder, symbols in zip((compiled, range_coder), found, strict=True)
    ]
    assert states[0] == states[1]


@CODERS
def test_a_table_of_one_symbol_costs_nothing(coder):
    edges = np.array([0, TOTAL_FREQUENCY], dtype=np.uint32)
    assert coder.encode([(np.zeros(5, dtype=np.int32), edges)]) == b""
    assert decoded(coder, b"", edges, 5)[0] == [0] * 5


@CODERS
@pytest.mark.parametrize("symbol", [-1, 2, 2**31 - 1, -(2**31)])
def test_a_symbol_outside_its_table_is_refused(coder, symbol):
    edges = np.array([0, 5, TOTAL_FREQUENCY], dtype=np.uint32)
    with pytest.raises(ValueError, match="outside its table"):
        coder.encode([(np.array([0, symbol], dtype=np.int32), edges)])


@CODERS
def test_no_symbols_are_no_bytes(coder):
    assert coder.encode([]) == b""
    edges = np.array([0, 5, TOTAL_FREQUENCY], dtype=np.uint32)
    assert coder.encode(iter([(np.zeros(0, dtype=np.int32), edges)])) == b""


@CODERS
def test_an_error_of_the_iterator_is_passed_on(coder):
    edges = np.array([0, 5, TOTAL_FREQUENCY], dtype=np.uint32)

    def parts():
        yield np.zeros(3, dtype=np.int32), edges
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        coder.encode(parts())


EDGES = np.array([0, 5, TOTAL_FREQUENCY], dtype=np.uint32)
SYMBOLS = np.zeros(4, dtype=np.int32)


@pytest.mark.parametrize(
    "edges",
    [[], [0], [0, 5], [1, TOTAL_FREQUENCY], [0, 7, 7, TOTAL_FREQUENCY], [0, 9, 3, TOTAL_FREQUENCY]],
)
def test_the_compiled_coder_refuses_edges_that_could_leave_its_buffers(edges):
    table = np.array(edges, dtype=np.uint32)
    with pytest.raises(ValueError, match="ascend"):
        compiled.encode([(SYMBOLS, table)])
    with pytest.raises(ValueError, match="ascend"):
        compiled.decode(b"", start(b""), table, SYMBOLS.copy())


@pytest.mark.parametrize(
    "part",
    [
        (SYMBOLS.astype(np.int64), EDGES),
        (SYMBOLS.astype(np.uint32), EDGES),
        (SYMBOLS.astype(np.float32), EDGES),
        (SYMBOLS.reshape(2, 2), EDGES),
        (SYMBOLS, EDGES.astype(np.int32)),
        (SYMBOLS, EDGES.reshape(1, 3)),
        (SYMBOLS,),
        [SYMBOLS, EDGES],
        None,
    ],
)
def test_the_compiled_coder_takes_only_its_types(part):
    with pytest.raises(TypeError):
        compiled.encode([part])


@pytest.mark.parametrize("state", [(0, 0, 0), (0, 2**32 - 1, 0), (0, 2**64 - 1, -1)])
def test_the_compiled_coder_takes_only_its_states(state):
    with pytest.raises(ValueError, match="state"):
        compiled.decode(b"", state, EDGES, SYMBOLS.copy())


def test_the_compiled_coder_writes_into_no_constant():
    constant = SYMBOLS.copy()
    constant.flags.writeable = False
    with pytest.raises((ValueError, BufferError)):
        compiled.decode(b"", start(b""), EDGES, constant)
    with pytest.raises((ValueError, BufferError)):
        compiled.encode([(np.zeros(8, dtype=np.int32)[::2], EDGES)])
