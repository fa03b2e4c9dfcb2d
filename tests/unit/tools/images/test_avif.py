"""The size an AVIF declares must equal the size its bitstream makes the decoder allocate."""

import io
import struct
import time
from collections.abc import Callable

import pytest
from PIL import Image

from edgewright.tools.errors import EdgewrightError, MediaTypeError
from edgewright.tools.images.avif import avif_size
from edgewright.tools.images.decode import decode
from edgewright.tools.images.probe import probe

SIZE = (64, 48)


def encoded(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "AVIF", speed=10, **options)
    return buffer.getvalue()


PLAIN = encoded(Image.new("RGB", SIZE, "grey"))
#: Offset of the sequence header: an OBU of type 1 with a length, after the temporal delimiter.
SEQUENCE_HEADER = PLAIN.index(b"\x12\x00\x0a") + 4


def code_of(data: bytes) -> str:
    with pytest.raises(EdgewrightError) as caught:
        probe(data)
    with pytest.raises(EdgewrightError):
        decode(data)
    return caught.value.info().code


def with_bytes_after(kind: bytes, offset: int, change: bytes, data: bytes = PLAIN) -> bytes:
    """Return a file with changed bytes at an offset after a box's type."""
    position = data.index(kind) + 4 + offset
    return data[:position] + change + data[position + len(change) :]


def with_bits(start: int, length: int, value: int) -> bytes:
    """Return a file with changed bits in its sequence header."""
    header = int.from_bytes(PLAIN[SEQUENCE_HEADER : SEQUENCE_HEADER + 8], "big")
    left = 64 - start - length
    header = header & ~(((1 << length) - 1) << left) | value << left
    return PLAIN[:SEQUENCE_HEADER] + header.to_bytes(8, "big") + PLAIN[SEQUENCE_HEADER + 8 :]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (16, 16), (300, 17)])
@pytest.mark.parametrize("options", [{}, {"subsampling": "4:4:4"}, {"quality": 100}])
def test_sizes_are_read(noise, size, options):
    data = encoded(noise.resize(size), **options)
    facts = probe(data)
    assert (facts.mime, facts.width, facts.height) == ("image/avif", *size)
    assert decode(data).size == size


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA"])
def test_grey_and_transparent_images_are_read(noise, mode):
    image = noise.convert("RGB")
    if mode != "L":
        image.putalpha(noise.convert("L"))
    assert avif_size(encoded(image.convert(mode))) == noise.size


def test_camera_metadata_does_not_matter(noise):
    exif = Image.Exif()
    exif[0x010E] = "a description"
    data = encoded(noise, exif=exif, xmp=b"<x/>", icc_profile=b"profile " * 20)
    assert avif_size(data) == noise.size


def test_a_container_that_claims_less_than_its_stream_is_refused():
    """Pillow allocates the bitstream's size: 300 MiB for 12,000 x 12,000 declared as 16 x 16."""
    assert (
        code_of(with_bytes_after(b"ispe", 4, struct.pack(">II", 16, 16)))
        == "unsupported_media_type"
    )


def test_the_limit_on_pixels_holds():
    data = with_bytes_after(b"ispe", 4, struct.pack(">II", 60_000, 60_000))
    assert code_of(data) == "unsupported_media_type"

    with pytest.raises(EdgewrightError) as caught:
        probe(PLAIN, max_pixels=64 * 48 - 1)
    assert caught.value.info().code == "too_many_pixels"


@pytest.mark.parametrize(
    "change",
    [
        (18, 6, 15),  # the frame's width, in the number of bits the header declares
        (10, 4, 15),  # the number of these bits
        (3, 1, 0),  # not a still image
        (4, 1, 0),  # frame headers may override the size
    ],
)
def test_a_stream_of_another_size_or_kind_is_refused(change: tuple[int, int, int]):
    assert code_of(with_bits(*change)) == "unsupported_media_type"


def test_a_second_frame_is_refused():
    """The frame is appended to the bitstream, with the item's length extended over it."""
    position = PLAIN.index(b"mdat") + 4
    stream = PLAIN[position:]
    extended = with_bytes_after(b"iloc", 18, struct.pack(">I", 2 * len(stream)))
    size = struct.pack(">I", 8 + 2 * len(stream))
    data = extended[: position - 8] + size + b"mdat" + stream * 2
    assert code_of(data) == "unsupported_media_type"


@pytest.mark.parametrize(
    ("kind", "offset", "change"),
    [
        (b"infe", 8, b"grid"),
        (b"infe", 0, b"\x03"),
        (b"iloc", 0, b"\x01"),
        (b"iloc", 0, b"\x02"),
        (b"iloc", 5, b"\x01"),
        (b"iloc", 12, b"\x00\x02"),
        (b"pixi", -4, b"clap"),
        (b"pixi", -4, b"a1lx"),
        (b"hdlr", -4, b"idat"),
        (b"hdlr", -4, b"pitm"),
        (b"hdlr", -8, b"\0\0\0\x01"),
        (b"ipma", 0, b"\x01"),
        (b"ipma", 11, b"\x00"),
        (b"mdat", -4, b"moov"),
        (b"mdat", 0, b"\x16"),
        (b"mdat", 0, b"\x52"),
    ],
)
def test_other_avif_features_are_refused(kind, offset, change):
    assert code_of(with_bytes_after(kind, offset, change)) == "unsupported_media_type"


def test_animations_are_refused():
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "blue")]
    data = encoded(frames[0], save_all=True, append_images=frames[1:], duration=100)
    assert code_of(data) == "unsupported_media_type"


@pytest.mark.parametrize("length", range(30, len(PLAIN), 7))
def test_truncated_files_are_refused(length):
    assert code_of(PLAIN[:length]) in {"image_truncated", "unsupported_media_type"}


def _many_boxes() -> bytes:
    return PLAIN + struct.pack(">I4s", 8, b"free") * 500_000


def _many_units() -> bytes:
    stream = b"\x7a\x00" * 2_000_000
    position = PLAIN.index(b"mdat") + 4
    extended = with_bytes_after(b"iloc", 18, struct.pack(">I", len(stream)))
    return extended[: position - 8] + struct.pack(">I", 8 + len(stream)) + b"mdat" + stream


def _many_items() -> bytes:
    entry = b"\0\0\0\x14infe\x02\0\0\0%b\0\0av01"
    items = b"".join(entry % struct.pack(">H", number) for number in range(5000))
    iinf = struct.pack(">I4s", 14 + len(items), b"iinf") + bytes(6) + items
    meta = struct.pack(">I4s", 12 + len(iinf), b"meta") + bytes(4) + iinf
    return PLAIN[: PLAIN.index(b"meta") - 4] + meta


@pytest.mark.parametrize("make", [_many_boxes, _many_units, _many_items])
def test_parsing_hostile_files_ends_soon(make: Callable[[], bytes]):
    data = make()
    start = time.process_time()
    with pytest.raises(MediaTypeError):
        probe(data)
    assert time.process_time() - start < 3
