"""The targets: for each, how a case is made and what may come of it."""

from __future__ import annotations

import io
import json
import random
import time
from pathlib import Path

import httpx2
from mutation import mutated
from openai import DefaultHttpxClient, OpenAI
from PIL import Image
from sandbox_results import open_results
from sensor_files import open_captures, open_sounds
from target import JSON_TOKENS, Run, Target, refused

from edgewright.agents.llm.bounds import bounded
from edgewright.agents.llm.client import ChatModel, Message
from edgewright.cli.requests import _row
from edgewright.tools.cards.demonstrations import parse_demonstrations
from edgewright.tools.cards.registry import _parse
from edgewright.tools.images.conversion import to_accepted_format
from edgewright.tools.images.decode import decode as decode_image
from edgewright.tools.settings import ChatModelSettings
from edgewright.tools.storage.documents import parse_rows
from edgewright.tools.storage.reading import decode


def open_cards() -> Run:
    """Mutated YAML cards through the decoder, the parser and the card's own checks."""
    from importlib.resources import files

    folder = files("edgewright.tools.cards") / "catalogue"
    corpus = [e.read_bytes() for e in folder.iterdir() if e.name.endswith(".yaml")][:12]
    corpus += [b"a: &a [1]\nb: [*a, *a]\n", b"x: {<<: {a: 1}}\n"]
    tokens = [
        *JSON_TOKENS, b"&a ", b"*a", b"<<: *a\n", b"- " * 300, b"!!int ''", b"!!timestamp x",
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
        text = decode(mutated(rng, corpus, JSON_TOKENS))
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
        body = mutated(rng, corpus, JSON_TOKENS)
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


TARGETS = (
    Target("results", 50_000, 2.0, open_results),
    Target("cards", 20_000, 2.0, open_cards),
    Target("rows", 20_000, 2.0, open_rows),
    Target("images", 20_000, 10.0, open_images),
    Target("chat", 5_000, 5.0, open_chat),
    Target("captures", 20_000, 2.0, open_captures),
    Target("sounds", 20_000, 2.0, open_sounds),
)
