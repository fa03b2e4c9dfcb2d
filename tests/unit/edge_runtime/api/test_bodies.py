"""Reading bodies and options within their limits."""

import asyncio
import base64
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from PIL import Image

from edgewright.edge_runtime.api.bodies import RECEIVED_AT, read_body, read_invocation, read_options
from edgewright.edge_runtime.config import RequestLimits
from edgewright.tools.errors import (
    DeadlineError,
    InputError,
    LinkError,
    MediaTypeError,
    TooLargeError,
)

LIMITS = RequestLimits(body_bytes=10_000, upload_s=0.2, pixels=10_000)


class Upload:
    """An ASGI receive function that returns its chunks, then hangs or ends."""

    def __init__(self, chunks: Sequence[bytes], *, ends: bool = True, lost: bool = False) -> None:
        self._chunks = list(chunks)
        self._ends = ends
        self._lost = lost
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        if self.taken < len(self._chunks):
            self.taken += 1
            more = self.taken < len(self._chunks) or not self._ends
            body = self._chunks[self.taken - 1]
            return {"type": "http.request", "body": body, "more_body": more}
        if self._lost:
            return {"type": "http.disconnect"}
        await asyncio.sleep(60)
        raise AssertionError


def _scope(**headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "headers": pairs}


def _png(size: tuple[int, int] = (4, 4), *, shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, 0, shade)).save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_length_of_thousands_of_digits_is_no_defect() -> None:
    assert await read_body(_scope(content_length="9" * 5000), Upload([b"ab"]), LIMITS) == b"ab"


async def test_body_is_joined_and_its_arrival_noted() -> None:
    scope = _scope()
    assert await read_body(scope, Upload([b"ab", b"", b"cd"]), LIMITS) == b"abcd"
    assert scope[RECEIVED_AT] > 0


@pytest.mark.parametrize("length", ["10001", str(10**18), str(2**63), str(2**64 - 1)])
async def test_declared_length_is_refused_before_anything_is_read(length: str) -> None:
    upload = Upload([b"x"])
    with pytest.raises(TooLargeError):
        await read_body(_scope(content_length=length), upload, LIMITS)
    assert upload.taken == 0


async def test_undeclared_length_is_counted_as_it_arrives() -> None:
    upload = Upload([b"x" * 6000] * 50)
    with pytest.raises(TooLargeError):
        await read_body(_scope(), upload, LIMITS)
    assert upload.taken == 2


async def test_slow_upload_is_given_up() -> None:
    with pytest.raises(DeadlineError) as raised:
        await read_body(_scope(), Upload([b"x"], ends=False), LIMITS)
    assert raised.value.info().code == "upload_too_slow"


async def test_lost_caller_is_noticed() -> None:
    with pytest.raises(LinkError):
        await read_body(_scope(), Upload([b"x"], ends=False, lost=True), LIMITS)


def test_options_come_from_the_header() -> None:
    assert read_options(_scope()).deadline_s == 30
    assert read_options(_scope(edgewright_options='{"deadline_s": 2}')).deadline_s == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"deadline_s": -1}', '{"unknown": 1}'])
def test_wrong_options_are_named(text: str) -> None:
    with pytest.raises(InputError) as raised:
        read_options(_scope(edgewright_options=text))
    assert raised.value.info().code == "invalid_options"


async def test_raw_image() -> None:
    scope = _scope(content_type="Image/PNG; x=y", edgewright_options='{"args": {"a": "b"}}')
    options, image, _ = await read_invocation(scope, Upload([_png()]), LIMITS)
    assert options.args == {"a": "b"}
    assert image == _png()


async def test_json_with_image() -> None:
    body = {"image_base64": base64.b64encode(_png()).decode(), "deadline_s": 3}
    scope = _scope(content_type="application/json")
    options, image, _ = await read_invocation(scope, Upload([json.dumps(body).encode()]), LIMITS)
    assert (options.deadline_s, image) == (3, _png())


async def test_json_without_image() -> None:
    scope = _scope(content_type="application/json")
    options, image, _ = await read_invocation(scope, Upload([b'{"camera": "a.png"}']), LIMITS)
    assert (options.camera, image) == ("a.png", None)


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"{", InputError), (b'{"image_base64": "!"}', InputError), (b"\xff", InputError)],
)
async def test_wrong_json(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        await read_invocation(_scope(content_type="application/json"), Upload([body]), LIMITS)
    assert raised.value.info().code == "invalid_body"  # type: ignore[attr-defined]


@pytest.mark.parametrize("declared", ["", "text/plain", "image/gif", "image/jpeg"])
async def test_wrong_media_type(declared: str) -> None:
    with pytest.raises(MediaTypeError):
        await read_invocation(_scope(content_type=declared), Upload([_png()]), LIMITS)


async def test_too_many_pixels() -> None:
    with pytest.raises(TooLargeError) as raised:
        await read_invocation(_scope(content_type="image/png"), Upload([_png((200, 200))]), LIMITS)
    assert raised.value.info().code == "too_many_pixels"


@pytest.mark.parametrize("declared", ["image/jpg", "image/pjpeg", "IMAGE/JPG; q=1", "image/jfif"])
async def test_other_names_of_a_media_type_are_understood(declared: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "JPEG")
    scope = _scope(content_type=declared)
    _, image, _ = await read_invocation(scope, Upload([buffer.getvalue()]), LIMITS)
    assert image == buffer.getvalue()


@pytest.mark.parametrize(
    "form",
    [
        lambda text: "data:image/png;base64," + text,
        lambda text: "data:image/jpg;charset=utf-8;base64," + text.replace("+", "%2B"),
        lambda text: text.translate(str.maketrans("+/", "-_")),
        lambda text: text.rstrip("="),
        lambda text: "\r\n".join(text[at : at + 20] for at in range(0, len(text), 20)),
        lambda text: f"  {text}\n",
    ],
)
async def test_usual_forms_of_base64_are_understood(form: Callable[[str], str]) -> None:
    image = next(
        png for shade in range(256)
        if b"+" in base64.b64encode(png := _png(shade=shade)) and b"/" in base64.b64encode(png)
    )  # fmt: skip
    body = json.dumps({"image_base64": form(base64.b64encode(image).decode())}).encode()
    scope = _scope(content_type="application/json")
    assert (await read_invocation(scope, Upload([body]), LIMITS))[1] == image
