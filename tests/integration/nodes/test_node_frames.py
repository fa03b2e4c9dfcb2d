"""The tail route under tens of thousands of damaged and forged frames."""

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from edgewright.tools.codecs.frame import HEADER_BYTES, pack
from edgewright.tools.codecs.registry import codec_for
from edgewright.tools.contracts.invocation import OPTIONS_HEADER
from edgewright.tools.library import load_adapter
from edgewright.tools.nodes.client import FRAME_MEDIA_TYPE
from edgewright.tools.nodes.launch import launch_node

MODEL = "efficientnet-lite0"
PATH = f"/v1/split/{MODEL}/tail"
POINT = 12
#: A full run takes 100,000 frames; the suite has less time.
COUNT = int(os.environ.get("EDGEWRIGHT_TEST_FRAMES", "20000"))
FORGED = COUNT // 100
CONNECTIONS = 4
DEADLINE_S = 5
HEADERS = {
    "Content-Type": FRAME_MEDIA_TYPE,
    OPTIONS_HEADER: json.dumps({"expert": f"{MODEL}-classifier", "deadline_s": DEADLINE_S}),
}
#: Offsets of the envelope's fields, as the frame's own documentation states them.
FIELDS = {"magic": 0, "version": 3, "point": 4, "fingerprint": 6}


@pytest.fixture(scope="module")
def codec():
    return codec_for(load_adapter(MODEL), POINT)


@pytest.fixture(scope="module")
def features(codec):
    return np.random.default_rng(0).standard_normal(codec.shape).astype(np.float32)


@pytest.fixture(scope="module")
def frame(codec, features):
    return pack(codec.encode(features), codec)


@pytest.fixture
async def http(edge_node):
    async with httpx.AsyncClient(base_url=edge_node.url, headers=HEADERS, timeout=30) as client:
        yield client


async def test_the_frame_itself_is_answered(http, frame):
    answer = await http.post(PATH, content=frame)
    assert answer.status_code == 200
    result = answer.json()
    assert result["model"].startswith(f"{MODEL}@")
    assert list(result["stages_ms"]) == ["tail_decode", "tail", "postprocess"]
    assert "app;dur=" in answer.headers["server-timing"]


def _with(frame: bytes, field: str, value: bytes) -> bytes:
    at = FIELDS[field]
    return frame[:at] + value + frame[at + len(value) :]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda frame: b"", "frame_length"),
        (lambda frame: frame[:20], "frame_length"),
        (lambda frame: frame[:-1], "frame_checksum"),
        (lambda frame: frame + b"x", "frame_checksum"),
        (lambda frame: _with(frame, "magic", b"ABC"), "frame_magic"),
        (lambda frame: _with(frame, "version", b"\x09"), "frame_version"),
        (lambda frame: _with(frame, "point", bytes(2)), "frame_checksum"),
        (lambda frame: _with(frame, "fingerprint", bytes(8)), "frame_checksum"),
        (lambda frame: frame[:-1] + bytes([frame[-1] ^ 1]), "frame_checksum"),
    ],
)
async def test_each_check_has_its_code(http, frame, damage, code):
    answer = await http.post(PATH, content=damage(frame))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


class _Lying:
    """A codec with false attributes, to make frames with a valid checksum."""

    def __init__(self, codec, **lies):
        self.__dict__.update({"point": codec.point, "fingerprint": codec.fingerprint, **lies})


@pytest.mark.parametrize(
    ("lies", "code"),
    [
        ({"fingerprint": b"strange!"}, "frame_fingerprint"),
        ({"point": 3}, "frame_fingerprint"),
        ({"point": 60_000}, "frame_point"),
    ],
)
async def test_a_frame_that_lies_with_a_right_checksum(http, codec, features, lies, code):
    answer = await http.post(PATH, content=pack(codec.encode(features), _Lying(codec, **lies)))
    assert 400 <= answer.status_code < 500
    assert answer.json()["code"] == code


@pytest.mark.parametrize("payload", [b"\0" * 4, b"\xff" * 64, b"abc" + b"\0"])
async def test_a_payload_that_no_encoder_made(http, codec, payload):
    answer = await http.post(PATH, content=pack(payload, codec))
    assert (answer.status_code, answer.json()["code"]) == (422, "frame_payload")


async def test_features_that_are_not_finite_are_never_sent(codec, features):
    for value in (np.nan, np.inf, -np.inf):
        broken = features.copy()
        broken.flat[0] = value
        with pytest.raises(Exception, match="finite") as raised:
            codec.encode(broken)
        assert raised.value.info().code == "features_not_finite"


async def test_features_too_large_to_compute_with_end_no_process(http, codec, edge_node):
    """They are finite when sent, but the network's activations are not."""
    huge = np.full(codec.shape, 3e9, dtype=np.float32)
    huge.flat[::2] *= -1
    answer = await http.post(PATH, content=pack(codec.encode(huge), codec))
    assert answer.status_code in (200, 422)
    assert (await http.post(PATH, content=b"")).status_code == 422


@pytest.mark.parametrize(
    ("headers", "path", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, PATH, 415, "unsupported_media_type"),
        ({OPTIONS_HEADER: "{"}, PATH, 422, "invalid_options"),
        ({OPTIONS_HEADER: "{}"}, PATH, 422, "expert_missing"),
        ({OPTIONS_HEADER: '{"expert":"nobody"}'}, PATH, 404, "unknown_expert"),
        ({}, "/v1/split/none/tail", 404, "unknown_model"),
    ],
)
async def test_wrong_tail_requests(http, frame, headers, path, status, code):
    answer = await http.post(path, content=frame, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def _mutate(frame: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Damage a frame in one or more random ways."""
    data = bytearray(frame)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        way = rng.randrange(7)
        at = rng.randrange(len(data)) if data else 0
        if way == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            del data[at:]
        elif way == 2:
            data[at:at] = rng.randbytes(rng.randrange(1, 64))
        elif way == 3:
            data[at : at + rng.randrange(1, 32)] = b""
        elif way == 4:
            size = rng.randrange(1, 5)
            data[at : at + size] = rng.choice((b"\0", b"\xff", b"\x80")) * size
        elif way == 5:  # the envelope alone
            at = rng.randrange(HEADER_BYTES)
            data[at : at + 1] = rng.randbytes(1)
        else:
            data[at:] = rng.choice(others)[at:]
    return bytes(data)


class _Connection:
    """A persistent connection; httpx would take most of the test's time."""

    def __init__(self, url: str) -> None:
        self._address = url.removeprefix("http://").split(":")
        self._head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in HEADERS.items()
        )

    async def __aenter__(self):
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def post(self, frame: bytes) -> tuple[int, dict[str, Any]]:
        self._writer.write(f"{self._head}Content-Length: {len(frame)}\r\n\r\n".encode() + frame)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        size = next(int(one.split(b":")[1]) for one in lines if one.startswith(b"content-length"))
        return int(lines[0].split()[1]), json.loads(await self._reader.readexactly(size))


@pytest.mark.slow
@pytest.mark.timeout(300 + COUNT // 50)
async def test_mutated_frames_are_refused_and_nothing_breaks(node_settings, codec, features, frame):
    others = [pack(codec.encode(features * scale), codec) for scale in (0, 0.5, 3)]
    valid = {frame, *others}
    statuses: Counter[int] = Counter()
    slowest = 0.0

    def mutated(index: int) -> bytes:
        return _mutate(frame, others, random.Random(index))

    def forged(index: int) -> bytes:
        """Return a frame with a valid checksum, which by chance may be decodable."""
        return pack(mutated(index)[HEADER_BYTES:], codec)

    async def send(url: str, frames: Iterator[bytes], allowed: set[int]) -> None:
        nonlocal slowest
        async with _Connection(url) as connection:
            for one in frames:
                started_at = time.monotonic()
                status, answer = await connection.post(one)
                slowest = max(slowest, time.monotonic() - started_at)
                statuses[status] += 1
                if one not in valid:
                    assert status in allowed, answer
                if status != 200:
                    assert answer["code"].startswith("frame_")

    async with launch_node(node_settings("edge", limits={"queue": CONNECTIONS})) as node:
        for make, count, allowed in ((mutated, COUNT, {422}), (forged, FORGED, {200, 422})):
            shares = [map(make, range(first, count, CONNECTIONS)) for first in range(CONNECTIONS)]
            await asyncio.gather(*(send(node.url, share, allowed) for share in shares))
        async with httpx.AsyncClient(base_url=node.url, headers=HEADERS, timeout=30) as http:
            assert (await http.post(PATH, content=frame)).status_code == 200
            metrics = (await http.get("/metrics")).text
        assert node.returncode is None
    assert statuses.total() == COUNT + FORGED
    assert slowest < DEADLINE_S
    assert f'edgewright_worker_replacements_total{{model="{MODEL}"}} 0.0' in metrics
