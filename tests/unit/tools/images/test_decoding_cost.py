"""What takes long to decode is refused at once; usual files of any kind are not."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from edgewright.tools.errors import TooLargeError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.probe import probe


def _encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height // 50, width // 50, 3), np.uint8)
    return Image.fromarray(values).resize((width, height)).convert(mode)


def jpeg_of_many_scans(width: int, height: int, scans: int) -> bytes:
    """Return a progressive JPEG whose last scan, which refines, is repeated."""
    usual = _encoded(Image.new("L", (width, height), 128), "JPEG", progressive=True)
    last = usual[usual.rindex(b"\xff\xda") : -2]
    return usual[:-2] + last * (scans - usual.count(b"\xff\xda")) + usual[-2:]


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png_of_many_chunks(kind: bytes) -> bytes:
    usual = _encoded(Image.new("RGB", (64, 64)), "PNG")
    end = usual.rindex(b"IDAT") - 4
    return usual[:end] + _png_chunk(kind, b"") * 400_000 + usual[end:]


def jpeg_of_many_segments() -> bytes:
    usual = _encoded(Image.new("L", (64, 64)), "JPEG")
    scan = usual.index(b"\xff\xda")
    return usual[:scan] + b"\xff\xfe\x00\x02" * 1_000_000 + usual[scan:]


HOSTILE = {
    "scans of a large image": (lambda: jpeg_of_many_scans(5000, 4900, 2006), "too_many_scans"),
    "scans of a narrow image": (lambda: jpeg_of_many_scans(1, 65_500, 2000), "too_many_scans"),
    "scans of a tiny image": (lambda: jpeg_of_many_scans(8, 8, 50_000), "too_many_scans"),
    "segments": (jpeg_of_many_segments, "too_many_chunks"),
    "empty data chunks": (lambda: png_of_many_chunks(b"IDAT"), "too_many_chunks"),
    "unknown chunks": (lambda: png_of_many_chunks(b"abCd"), "too_many_chunks"),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("read", [probe, decode])
def test_what_takes_long_to_decode_is_refused_at_once(kind, read):
    make, code = HOSTILE[kind]
    data = make()
    began = time.process_time()
    with pytest.raises(TooLargeError) as refused:
        read(data)
    assert time.process_time() - began < 2
    assert refused.value.info().code == code


@pytest.mark.parametrize("scans", [20, 39])
def test_as_many_scans_as_are_allowed_take_a_bounded_time(scans):
    data = jpeg_of_many_scans(5000, 4900, scans)
    began = time.process_time()
    assert decode(data).size[0] in (5000, 2500)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "quality": 95}),
        ("JPEG", {"progressive": True, "restart_marker_blocks": 1}),
        ("PNG", {"compress_level": 1}),
        ("PNG", {"compress_level": 0}),
    ],
)
def test_usual_files_are_accepted(kind, options):
    image = _noise(4000, 3000)
    assert probe(_encoded(image, kind, **options)).width == 4000
    assert probe(_encoded(_noise(100, 100, "L"), kind, **options)).width == 100
    if kind == "JPEG":
        assert probe(_encoded(_noise(200, 200, "CMYK"), kind, **options)).width == 200
