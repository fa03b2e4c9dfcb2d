"""Headers are read without decoding pixels, and hostile bytes raise an Edgewright error."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from edgewright.tools.errors import EdgewrightError, InputError, MediaTypeError, TooLargeError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.probe import probe

KINDS = ("PNG", "JPEG", "WEBP", "AVIF")


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def code_of(data: bytes, read=probe, **options) -> str:
    with pytest.raises(EdgewrightError) as caught:
        read(data, **options)
    return caught.value.info().code


def png_claiming(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT"


def jpeg_claiming(width: int, height: int) -> bytes:
    exif = b"\xff\xe1" + struct.pack(">H", 40_000) + b"\0" * 39_998
    return b"\xff\xd8" + exif + b"\xff\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1)


def webp_claiming(width: int, height: int) -> bytes:
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def webp_lossless_claiming(width: int, height: int) -> bytes:
    bits = struct.pack("<I", width - 1 | (height - 1) << 14)
    chunk = b"VP8L" + struct.pack("<I", 5) + b"\x2f" + bits
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


CLAIMS = [png_claiming, jpeg_claiming, webp_claiming, webp_lossless_claiming]


@pytest.mark.parametrize("claim", CLAIMS)
def test_bombs_are_refused_by_the_header_alone(claim):
    data = claim(16_000, 12_000)
    start = time.process_time()
    with pytest.raises(TooLargeError) as caught:
        probe(data)
    assert time.process_time() - start < 1
    assert caught.value.info().code == "too_many_pixels"
    assert code_of(data, decode) == "too_many_pixels"


@pytest.mark.parametrize("claim", CLAIMS)
def test_sizes_are_read_and_the_limit_is_exact(claim):
    data = claim(300, 200)
    assert (probe(data).width, probe(data).height) == (300, 200)
    assert probe(data, max_pixels=60_000)
    assert code_of(data, max_pixels=59_999) == "too_many_pixels"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["chelsea", "rocket"])
def test_photographs_are_probed_as_pillow_reads_them(kind, name, photograph):
    picture = photograph(name)
    data = encoded(picture, kind)
    assert (facts := probe(data)).mime == f"image/{kind.lower()}"
    assert (facts.width, facts.height, facts.size_bytes) == (*picture.size, len(data))
    difference = np.asarray(decode(data), dtype=int) - np.asarray(picture)
    assert abs(difference).mean() < 8


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 20}, {"exif": b"Exif\0\0"}])
def test_all_forms_of_webp_are_probed(noise, options):
    header = probe(encoded(noise, "WEBP", **options))
    assert (header.width, header.height) == noise.size


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "YCbCr"])
def test_every_mode_becomes_rgb(photograph, mode):
    image = photograph("chelsea")
    grey = np.asarray(image.convert("L"))
    if mode == "I;16":
        data = encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG")
    else:
        kind = "JPEG" if mode in {"CMYK", "YCbCr"} else "PNG"
        data = encoded(image.convert(mode), kind)
    result = decode(data)
    assert result.mode == "RGB"
    assert abs(np.asarray(result.convert("L"), dtype=int).mean() - grey.mean()) < 3


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_transparent_parts_are_white(kind):
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert np.asarray(decode(encoded(clear, kind))).min() > 250


def test_transparent_palettes_are_white():
    clear = Image.new("P", (8, 8), 0)
    clear.putpalette([0, 0, 0, 255, 255, 255])
    assert np.asarray(decode(encoded(clear, "PNG", transparency=0))).min() == 255


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_first_frame_of_an_animation_is_decoded(kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "green")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    red, green, blue = np.asarray(decode(data)).reshape(-1, 3).mean(axis=0)
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(kind, orientation):
    image = Image.new("RGB", (40, 20), "white")
    image.paste("black", (0, 0, 10, 20))
    image.paste("red", (20, 0, 40, 10))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(image, kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    upright = decode(data)
    assert upright.size == ((40, 20) if orientation < 5 else (20, 40))
    assert np.array_equal(np.asarray(upright), np.asarray(expected))
    assert (probe(data).width, probe(data).height) == (40, 20)


def test_a_damaged_exif_block_does_not_matter(photograph):
    exif = Image.Exif()
    exif[0x010E] = "a description"
    data = encoded(photograph("chelsea"), "JPEG", exif=exif)
    damaged = bytearray(data)
    at = data.index(b"Exif\0\0") + 14
    damaged[at : at + 2] = b"\xff\xff"  # an impossible number of entries
    assert decode(bytes(damaged)).size == (451, 300)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_image"),
        (b"hello, world", "not_an_image"),
        (b"\0" * 5000, "not_an_image"),
        (b"\xff\xd8", "not_an_image"),
        (b"GIF89a" + b"\0" * 20, "unsupported_media_type"),
        (b"BM" + b"\0" * 60, "unsupported_media_type"),
        (b"%PDF-1.7", "unsupported_media_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_media_type"),
        (b"\0\0\0\x10ftypavif\0\0\0\0", "image_truncated"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported_media_type"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "unsupported_media_type"),
        (b"\x89PNG\r\n\x1a\n", "image_truncated"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "image_truncated"),
        (png_claiming(0, 5), "not_an_image"),
        (b"\xff\xd8\xff", "image_truncated"),
        (b"\xff\xd8\xff\xe0\x00", "image_truncated"),
        (b"\xff\xd8\xff\xe0\x00\x02\x00", "image_truncated"),
        (b"\xff\xd8\xff\xd0\xff\x01\xff\xd9", "image_truncated"),
        (b"\xff\xd8\xff\xda" + b"\0" * 50, "image_truncated"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 20_000, "image_truncated"),
        (b"RIFF\x04\0\0\0WEBP", "image_truncated"),
        (b"RIFF\xff\0\0\0WEBPVP8X", "image_truncated"),
        (b"RIFF\x20\0\0\0WEBPABCD" + b"\0" * 40, "image_truncated"),
    ],
)
def test_data_that_is_not_an_image_is_refused(data, code):
    assert code_of(data) == code
    assert code_of(data, decode) == code


def test_errors_are_of_the_right_class():
    with pytest.raises(MediaTypeError):
        probe(b"GIF89a" + b"\0" * 20)
    with pytest.raises(InputError):
        probe(b"")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_truncated_images_are_refused(photograph, kind, share):
    data = encoded(photograph("chelsea"), kind)
    assert code_of(data[: int(len(data) * share)], decode) == "image_truncated"


def test_a_second_size_after_the_first_is_refused(noise):
    data = encoded(noise, "PNG")
    body = b"IHDR" + struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0)
    second = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    assert code_of(data[:33] + second + data[33:], decode) == "image_truncated"


def test_parsing_hostile_headers_ends_soon():
    hostile = [
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 1_000_000,
        b"\xff\xd8\xff" + b"\0" * 4_000_000,
        b"\xff\xd8" + b"\xff" * 4_000_000,
    ]
    for data in hostile:
        start = time.process_time()
        assert code_of(data) in {"image_truncated", "too_many_pixels"}
        assert time.process_time() - start < 5


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_mutated_images_raise_only_edgewright_errors(noise, data, kind):
    mutated = bytearray(encoded(noise, kind))
    # Parsers are misled by headers, so mutate them more often than the pixels.
    reach = data.draw(st.sampled_from([40, 400, len(mutated)]))
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, min(reach, len(mutated)) - 1))
        mutated[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(mutated)))
    try:
        image = decode(bytes(mutated[:cut]), max_pixels=1_000_000)
    except EdgewrightError:
        return
    assert image.mode == "RGB"


@given(
    st.binary(max_size=300),
    st.sampled_from(
        [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"\0\0\0\x10ftypavif\0\0\0\0", b""]
    ),
)
def test_random_bytes_raise_only_edgewright_errors(data, magic):
    try:
        probe(magic + data)
    except EdgewrightError as error:
        assert 400 <= error.info().status < 500
