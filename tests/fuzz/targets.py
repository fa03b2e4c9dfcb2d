"""The targets: for each, how a case is made and what may come of it."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
from mutation import mutated
from openai import DefaultHttpxClient, OpenAI
from PIL import Image
from pydantic import ValidationError
from safetensors.numpy import save

from edgewright.agents.llm.bounds import bounded
from edgewright.agents.llm.client import ChatModel, Message
from edgewright.cli.requests import _row
from edgewright.tools.cards.demonstrations import parse_demonstrations
from edgewright.tools.cards.registry import _parse
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.federated.app.files import finished_rounds, newest_states
from edgewright.tools.federated.records.trial import CurvePoint, LinkSpeed, ModelScore, RoundRecord
from edgewright.tools.federated.records.validated import (
    read_logits,
    read_progress,
    read_record,
    read_weights,
)
from edgewright.tools.federated.trials.curve import _mean
from edgewright.tools.federated.trials.link_clock import round_seconds
from edgewright.tools.images.conversion import to_accepted_format
from edgewright.tools.images.decode import decode as decode_image
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.programs import read_answer
from edgewright.tools.sensing.packets.capture import read_packets
from edgewright.tools.sensing.packets.flows import flow_table
from edgewright.tools.sensing.wav import read_wav, write_wav
from edgewright.tools.settings import ChatModelSettings
from edgewright.tools.simulation.packets import (
    RESOLVER,
    TCP,
    UDP,
    Wire,
    client_hello,
    dns_answer,
    write_capture,
)
from edgewright.tools.storage.documents import parse_rows
from edgewright.tools.storage.reading import decode
from edgewright.tools.storage.removal import remove

Run = Callable[[random.Random], bool]


@dataclass(frozen=True)
class Target:
    """A target.

    Attributes:
        name: Its name.
        cases: Number of cases in full.
        seconds: Processor time that no single case may exceed; it may wait ten times as long.
        open: Returns the function that runs one case: True if the input was accepted, False if it
            was refused as it should be. Any exception is a crash.
    """

    name: str
    cases: int
    seconds: float
    open: Callable[[], Run]


CLIENTS, CLASSES = 3, 4
_JSON_TOKENS = [
    b"[" * 500, b'{"a":' * 200, b"1" + b"0" * 400, b"1e999", b"-1", b"NaN", b"Infinity", b"null",
    b"true", b'"\\ud83d"', b"\xed\xa0\xbd", b"\xff", b"\0", b"1.7e308", b"[]", b"{}", b'""', b",",
    b'"\x1b]0;x\x07"', b"\xe2\x80\xa8", b"\xc2\x85", b"\n", b"9223372036854775808",
]  # fmt: skip


def refused(read: Callable[[], object]) -> bool:
    """Return whether a reader refused an input, which it may only do with its own errors."""
    try:
        read()
    except EdgewrightError as error:
        assert 400 <= error.info().status < 600
        assert error.message.encode("utf-8", "replace")
        return True
    return False


def _record() -> bytes:
    client = {"samples": 9, "loss": 1.5, "accuracy": 0.5, "bytes_up": 100, "bytes_down": 100}
    clients = [{"client": number, **client} for number in range(CLIENTS)]
    record = {"round_number": 1, "clients": clients, "wall_s": 1.5, "dropped": []}
    return RoundRecord.model_validate(record).model_dump_json().encode()


def open_results() -> Run:
    """Mutated result folders through every reader, and through the sums that are stored."""
    weights = save({"a": np.ones((3, 2), np.float32), "b": np.ones(4, np.float32)})
    logits = io.BytesIO()
    np.save(logits, np.zeros((5, CLASSES), np.float32))
    progress = b'{"event": "client", "round": 1, "client": 0, "loss": 1.0}\n' * 3
    valid = {
        "checkpoints/round-0001/record.json": _record(),
        "checkpoints/round-0001/weights.safetensors": weights,
        "clients/0/round-0001.safetensors": weights,
        "progress.jsonl": progress,
        "logits.npy": logits.getvalue(),
    }
    answers = [b'{"facts": {"parameters": 3}}', b'{"fault": {"code": "raised", "message": "x"}}']
    names = [b"F32", b"F64", b"dtype", b"shape", b"data_offsets", b"__metadata__", b"client"]
    corpus = [*valid.values(), struct.pack("<Q", 2**62) + b"{}"]
    parent = Path(tempfile.mkdtemp(prefix="edgewright-fuzz-", dir=_memory()))

    def run(rng: random.Random) -> bool:
        folder = parent / "out"
        remove(folder)
        for name, content in valid.items():
            changed = rng.random() < 0.4
            data = mutated(rng, [content, *corpus], [*_JSON_TOKENS, *names]) if changed else content
            _leave(rng, folder / name, data)
        return _read_results(folder, mutated(rng, answers, _JSON_TOKENS))

    return run


def _leave(rng: random.Random, path: Path, data: bytes) -> None:
    """Leave a file, or something else in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = rng.randrange(40)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        os.mkfifo(path)
    elif kind == 2:
        path.symlink_to("/dev/zero")
    elif kind > 3:
        path.write_bytes(data)


def _read_results(folder: Path, answer: bytes) -> bool:
    assert finished_rounds(folder / "checkpoints") == [1]
    checkpoint = folder / "checkpoints" / "round-0001"
    states = newest_states(folder / "clients", 1, CLIENTS)
    assert set(states) <= set(range(CLIENTS))
    bad = [refused(lambda path=path: read_weights(path, 100)) for path in states.values()]
    bad.append(refused(lambda: read_weights(checkpoint / "weights.safetensors", 100)))
    bad.append(refused(lambda: read_logits(folder / "logits.npy", (5, CLASSES))))
    position = 0
    for _ in range(3):
        _, position = read_progress(folder / "progress.jsonl", position)
    try:
        Fault.model_validate(read_answer(answer.decode("utf-8", "replace")).get("fault"))
    except ValidationError:
        bad.append(True)
    try:
        record = read_record(checkpoint / "record.json", number=1, clients=CLIENTS)
    except EdgewrightError:
        return False
    point = CurvePoint(
        round_number=1,
        train_loss=_mean([(each.loss, each.samples) for each in record.clients]),
        train_accuracy=_mean([(each.accuracy, each.samples) for each in record.clients]),
        validation=ModelScore(accuracy=0.5, loss=1.0, clients=(0.5,)),
        bytes_up=sum(each.bytes_up for each in record.clients),
        bytes_down=sum(each.bytes_down for each in record.clients),
        simulated_s=round_seconds(
            record.clients, LinkSpeed(), flop_per_sample=1e18, local_epochs=100
        ),
        wall_s=record.wall_s,
        quorum=record.quorum,
        dropped=record.dropped,
        epsilon=record.epsilon,
    )
    assert CurvePoint.model_validate_json(point.model_dump_json()) == point
    return not any(bad)


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def open_cards() -> Run:
    """Mutated YAML cards through the decoder, the parser and the card's own checks."""
    from importlib.resources import files

    folder = files("edgewright.tools.cards") / "catalogue"
    corpus = [e.read_bytes() for e in folder.iterdir() if e.name.endswith(".yaml")][:12]
    corpus += [b"a: &a [1]\nb: [*a, *a]\n", b"x: {<<: {a: 1}}\n"]
    tokens = [
        *_JSON_TOKENS, b"&a ", b"*a", b"<<: *a\n", b"- " * 300, b"!!int ''", b"!!timestamp x",
        b"!!binary x", b"? ", b"2026-13-45", b"0x" + b"9" * 500, b"\t", b"|\n", b"---\n",
        b"%YAML 9", b"\x85", b"!!python/object:os.system ", b"1:" * 200, b"\\e[2J", b"#",
    ]  # fmt: skip

    def run(rng: random.Random) -> bool:
        data = mutated(rng, corpus, tokens)
        return not refused(lambda: _parse("card.yaml", decode(data)))

    return run


def open_rows() -> Run:
    """Mutated files of requests and of demonstrations."""
    rows = [{"id": n, "request": "is it a caf\u00e9?", "image": None} for n in range(4)]
    demonstrations = [{"request": "what is it?", "tools": ["a"], "links": [["a", "a"]]}] * 3
    texts = ["\n".join(map(json.dumps, each)) for each in (rows, demonstrations)]
    encodings = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1")
    corpus = [text.encode(encoding) for text in texts for encoding in encodings]
    corpus += [json.dumps(rows).encode()]

    def run(rng: random.Random) -> bool:
        text = decode(mutated(rng, corpus, _JSON_TOKENS))
        found = [_row(Path("in.jsonl"), number, value) for number, value in parse_rows(text)]
        for row in found:
            json.dumps([row.id, row.text, str(row.wrong)], ensure_ascii=False).encode()
        refused(lambda: parse_demonstrations("demos.jsonl", text, {"a"}))
        return all(row.wrong is None for row in found)

    return run


def open_images() -> Run:
    """Mutated images of all formats through conversion and decoder."""
    photograph = Image.radial_gradient("L").resize((48, 36))
    colour = Image.merge("RGB", [photograph, photograph.rotate(90), photograph.rotate(45)])
    exif = Image.Exif()
    exif[0x0112] = 6
    corpus = []
    for image, kind, options in [
        (colour, "PNG", {}), (colour, "JPEG", {"exif": exif}), (colour, "WEBP", {}),
        (colour, "WEBP", {"lossless": True}), (colour, "AVIF", {}), (colour, "BMP", {}),
        (colour, "GIF", {}), (colour, "TIFF", {}), (colour, "JPEG", {"progressive": True}),
        (photograph.convert("F"), "TIFF", {}), (photograph.convert("I"), "TIFF", {}),
        (colour.convert("CMYK"), "JPEG", {}), (colour.convert("P"), "PNG", {}),
        (photograph.convert("F"), "TIFF", {"compression": "tiff_deflate"}),
        (colour, "TIFF", {"compression": "tiff_lzw", "big_tiff": True}),
    ]:  # fmt: skip
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        corpus.append(buffer.getvalue())
    corpus += [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)]
    tokens = [
        b"\xff\xd9",
        b"\xff\xda",
        b"IHDR",
        b"iCCP",
        b"ICC_PROFILE\0\1\1",
        b"Exif\0\0",
        b"ftyp",
    ]

    def run(rng: random.Random) -> bool:
        data = mutated(rng, corpus, tokens)
        return not refused(
            lambda: decode_image(to_accepted_format(data), max_pixels=1_000_000).load()
        )

    return run


def open_chat() -> Run:
    """Mutated responses of a chat endpoint through the client."""
    content = json.dumps({"tasks": [{"id": "t1", "tool": "x", "args": []}], "confidence": 0.5})
    messages = [
        {"content": content}, {"content": f"Sure!\n```json\n{content}\n```"}, {"content": None},
        {"content": [{"type": "text", "text": content}]}, {"content": "{" * 5000}, {},
    ]  # fmt: skip
    corpus = [json.dumps({"choices": [{"message": each}]}).encode() for each in messages]
    corpus += [b"[" * 5000, b"<html>", b"data: {}\n\n"]

    def run(rng: random.Random) -> bool:
        body = mutated(rng, corpus, _JSON_TOKENS)
        status = rng.choice((200, 200, 200, 200, 204, 301, 400, 401, 429, 500))
        headers = {"Content-Type": rng.choice(("application/json", "text/event-stream", "x"))}
        if rng.random() < 0.05:
            headers["Content-Encoding"] = rng.choice(("gzip", "identity", "br"))
        if status == 301:
            headers["Location"] = "http://elsewhere.example/"
        model = _Scripted(status, headers, body)
        message = Message(role="user", content="plan")
        return not refused(
            lambda: json.dumps(
                model.ask([message], {}, deadline=time.monotonic() + 5), ensure_ascii=False
            ).encode()
        )

    return run


class _Scripted(ChatModel):
    """A client whose connection returns a given response; everything else is the real thing."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(ChatModelSettings(model="m", base_url="http://127.0.0.1:9/v1"))
        self._response = status, headers, body

    def _client(self, timeout_s: float) -> OpenAI:
        def respond(_: httpx2.Request) -> httpx2.Response:
            status, headers, body = self._response
            return httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(body))

        return OpenAI(
            base_url=self.settings.base_url, api_key="none", timeout=timeout_s, max_retries=0,
            http_client=DefaultHttpxClient(
                transport=httpx2.MockTransport(respond), follow_redirects=False,
                event_hooks={"response": [bounded]},
            ),
        )  # fmt: skip


def open_captures() -> Run:
    """Mutated capture files through the reader, the headers, the names and the flows."""
    server = bytes((93, 10, 20, 30))
    answer = dns_answer("chat.kestrel.example", server)
    hello = client_hello("video.heron.example")
    packets = [
        Wire(0.0, RESOLVER, 53, 40_000, UDP, False, 28 + len(answer), answer),
        Wire(0.1, server, 443, 40_001, TCP, True, 60, opens=True),
        Wire(0.2, server, 443, 40_001, TCP, True, 40 + len(hello), hello),
        *(Wire(0.3 + n, server, 443, 40_001, TCP, n % 2 == 0, 900, bytes(40)) for n in range(20)),
    ]
    classic = write_capture(packets)
    blocks = [struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)]
    blocks.append(struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20))
    for packet in read_packets(classic):
        data = bytes(packet.data) + bytes(-len(packet.data) % 4)
        head = struct.pack("<IIIII", 0, 0, int(packet.time_s), len(packet.data), packet.length)
        size = struct.pack("<I", 32 + len(data))
        blocks.append(struct.pack("<I", 6) + size + head + data + size)
    corpus = [classic, b"".join(blocks)]

    def run(rng: random.Random) -> bool:
        data = mutated(rng, corpus, [b"\xc0\x0c", b"\xff" * 4, b"\x86\xdd\x60", b"\x81\x00"])
        tables = []
        if refused(lambda: tables.append(flow_table(read_packets(data), 60.0))):
            return False
        assert json.dumps([flow.as_json() for flow in tables[0].flows()])
        return True

    return run


def open_sounds() -> Run:
    """Mutated WAV files through the reader."""
    tone = (9_000 * np.sin(np.arange(600) / 5)).astype(np.int16)
    small = write_wav(tone, 48_000)
    floats = bytearray(small)
    floats[20:22], floats[34:36] = b"\x03\0", b"\x20\0"
    corpus = [small, bytes(floats), small[:36] + b"LIST\x04\0\0\0abcd" + small[36:]]

    def run(rng: random.Random) -> bool:
        data = mutated(rng, corpus, [b"data", b"fmt ", b"\xfe\xff", b"\xff" * 4, b"\0" * 4])
        found = []
        if refused(lambda: found.append(read_wav(data))):
            return False
        samples, rate = found[0]
        assert samples.dtype == np.int16
        assert samples.size
        assert rate > 0
        return True

    return run


TARGETS = (
    Target("results", 50_000, 2.0, open_results),
    Target("cards", 20_000, 2.0, open_cards),
    Target("rows", 20_000, 2.0, open_rows),
    Target("images", 20_000, 10.0, open_images),
    Target("chat", 5_000, 5.0, open_chat),
    Target("captures", 20_000, 2.0, open_captures),
    Target("sounds", 20_000, 2.0, open_sounds),
)
