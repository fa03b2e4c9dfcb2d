"""Files as cameras, scanners and other programs write them are read as viewers show them."""

import io
import struct
import unicodedata

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin

from edgewright.tools.errors import InputError
from edgewright.tools.images.conversion import to_accepted_format
from edgewright.tools.images.decode import DRAFT_PIXELS, decode
from edgewright.tools.images.files import resolve_image
from edgewright.tools.images.store import ImageStore


def grey(data: bytes) -> np.ndarray:
    return np.asarray(decode(to_accepted_format(data)).convert("L"), dtype=int)


def tiff(values: np.ndarray, sample_format: int, *, white_is_zero: bool = False) -> bytes:
    """Write an uncompressed grey TIFF in the byte order of the array."""
    order = ">" if values.dtype.byteorder == ">" else "<"
    height, width = values.shape
    entries = [
        (256, 4, width), (257, 4, height), (258, 3, values.dtype.itemsize * 8), (259, 3, 1),
        (262, 3, 0 if white_is_zero else 1), (273, 4, 8 + 2 + 10 * 12 + 4), (277, 3, 1),
        (278, 4, height), (279, 4, values.nbytes), (339, 3, sample_format),
    ]  # fmt: skip
    body = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        field = struct.pack(order + ("I" if kind == 4 else "H"), value).ljust(4, b"\0")
        body += struct.pack(order + "HHI", tag, kind, 1) + field
    start = b"MM\0*" if order == ">" else b"II*\0"
    return start + struct.pack(order + "I", 8) + body + bytes(4) + values.tobytes()


SHADES = np.linspace(0, 255, 48 * 32).reshape(32, 48)


@pytest.mark.parametrize(
    ("kind", "top", "sample_format"),
    [
        ("<u2", 65_535, 1), (">u2", 65_535, 1), ("<i2", 32_767, 2), (">i2", 32_767, 2),
        ("<u4", 2**32 - 1, 1), ("<i4", 2**31 - 1, 2), ("<f4", 1, 3), ("<f4", 255, 3),
        (">f4", 1, 3), ("<i4", 255, 2),
    ],
)  # fmt: skip
def test_grey_of_every_depth(kind: str, top: int, sample_format: int) -> None:
    data = tiff((SHADES / 255 * top).astype(kind), sample_format)
    assert abs(grey(data) - SHADES).max() <= 1.01


def test_white_may_be_zero() -> None:
    inverted = tiff(((255 - SHADES) * 257).astype("<u2"), 1, white_is_zero=True)
    assert abs(grey(inverted) - SHADES).max() <= 1.01


def test_values_beyond_any_range_are_stretched() -> None:
    values = (SHADES * 40 - 3000).astype("<f4")
    values[0, 0], values[0, 1] = np.nan, np.inf
    shown = grey(tiff(values, 3))
    assert abs(shown[1:] - SHADES[1:]).max() <= 2
    assert abs(grey(tiff((SHADES - 128).astype("<i2"), 2)) - SHADES).max() <= 2


@pytest.mark.parametrize("top", [255, 1023, 4095])
def test_short_numbers_in_16_bits_are_not_black(top: int) -> None:
    data = tiff((SHADES / 255 * top).astype("<u2"), 1)
    assert abs(grey(data) - SHADES).max() <= 1.01


def test_signed_bytes_are_not_taken_for_unsigned_ones() -> None:
    assert abs(grey(tiff((SHADES / 255 * 127).astype("i1"), 2)) - SHADES).max() <= 3
    assert abs(grey(tiff((SHADES - 128).astype("i1"), 2)) - SHADES).max() <= 2


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "i4", "f4"])
def test_byte_order_and_compression_change_nothing(
    kind: str, compression: str | None, order: str
) -> None:
    top = 1 if kind == "f4" else np.iinfo(kind).max
    values = (SHADES / 255 * top).astype(order + kind)
    data = written(values, byteorder=order, compression=compression)
    assert abs(grey(data) - SHADES).max() <= 1.01


@pytest.mark.parametrize(("order", "large"), [("<", False), (">", False), ("<", True)])
@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("layout", ["contig", "separate"])
def test_colour_in_any_layout(
    kind: str, compression: str | None, order: str, layout: str, large: bool
) -> None:
    colour = np.stack([SHADES, SHADES[::-1], SHADES[:, ::-1]], axis=2)
    values = (colour * (np.iinfo(kind).max // 255)).astype(order + kind)
    data = written(
        values if layout == "contig" else values.transpose(2, 0, 1),
        photometric="rgb", planarconfig=layout, byteorder=order, compression=compression,
        bigtiff=large,
    )  # fmt: skip
    shown = np.asarray(decode(to_accepted_format(data)), dtype=int)
    assert abs(shown - colour).max() <= 1.01


def written(values: np.ndarray, **options: object) -> bytes:
    """Write a TIFF as scientific programs do."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_a_jpeg_without_its_end_is_read_but_no_shorter_one(photograph, options) -> None:
    data = encoded(photograph("chelsea"), "JPEG", quality=90, **options)
    assert data.endswith(b"\xff\xd9")
    complete = np.asarray(decode(data))
    for cut in (data[:-2], data[:-1], data[:-2] + b"\0\0\0"):
        assert np.array_equal(np.asarray(decode(cut)), complete)
    for missing in (60, 1000):
        if not options.get("progressive"):  # its last scans refine what is already there
            with pytest.raises(InputError, match="truncated"):
                decode(data[:-missing])


def test_a_large_jpeg_is_decoded_at_a_reduced_size() -> None:
    image = Image.radial_gradient("L").resize((8000, 6000)).convert("RGB")
    data = encoded(image, "JPEG", quality=50)
    decoded = decode(data)
    assert decoded.size == (4000, 3000)
    assert decoded.width * decoded.height <= DRAFT_PIXELS
    small = np.asarray(image.resize((80, 60)), dtype=int)
    assert abs(np.asarray(decoded.resize((80, 60)), dtype=int) - small).max() < 6


def test_padding_in_a_bmp_is_not_transparency() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[..., 0] = 200  # blue in BMP's order
    header = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 32, 0, 0, 0, 0, 0, 0)
    data = b"BM" + struct.pack("<IHHI", 54 + 256, 0, 0, 54) + header + pixels.tobytes()
    assert decode(to_accepted_format(data)).getpixel((0, 0)) == (0, 0, 200)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_colour_profiles_are_applied(kind: str) -> None:
    # A profile in which red and blue are exchanged shows at once whether it is applied.
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    swapped[128:] = (
        swapped[128:].replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")
    )
    swapped[128:] = swapped[128:].replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    red = Image.new("RGB", (16, 16), (220, 30, 30))
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    shown = decode(to_accepted_format(encoded(red, kind, icc_profile=bytes(swapped), **options)))
    r, _, b = shown.getpixel((8, 8))
    assert b > 200 > 60 > r
    broken = decode(to_accepted_format(encoded(red, kind, icc_profile=b"nonsense", **options)))
    assert broken.getpixel((8, 8))[0] > 200


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_a_heic_photograph_is_read_and_upright(heic, tmp_path, quarter_turns: int) -> None:
    pytest.importorskip("pi_heif")
    quarters = np.array([[(200, 40, 40), (40, 180, 60)], [(40, 60, 200), (150, 150, 150)]])
    stored = quarters.repeat(16, axis=0).repeat(16, axis=1).astype(np.uint8)
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(heic(stored, quarter_turns=quarter_turns))
    store = ImageStore(tmp_path / "store")
    image = resolve_image(str(path), store)
    assert (image.mime, image.width, image.height) == ("image/jpeg", 32, 32)
    shown = np.asarray(decode(store.get(image)), int)[8::16, 8::16]
    assert np.abs(shown - np.rot90(quarters, quarter_turns)).max() < 12


def test_a_damaged_heic_photograph_is_reported(heic) -> None:
    pytest.importorskip("pi_heif")
    whole = heic(np.full((32, 32, 3), 90, np.uint8))
    for damaged in (whole[:300], b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)):
        with pytest.raises(InputError, match="HEIC"):
            to_accepted_format(damaged)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "RGB", "I;16", "F"])
def test_a_tiff_that_was_scanned_sideways_is_upright(mode: str, orientation: int) -> None:
    values = SHADES + np.linspace(0, 40, 32)[:, None]
    stored = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    upright = np.asarray(ImageOps.exif_transpose(_tagged(stored, orientation)), dtype=int)
    if mode == "I;16":
        kept = Image.fromarray((np.asarray(stored, np.uint16) * 257).astype(np.uint16))
    elif mode == "F":
        kept = Image.fromarray(np.asarray(stored, np.float32) / 255)
    else:
        kept = stored.convert(mode)
    shown = grey(encoded(kept, "TIFF", tiffinfo={274: orientation}))
    assert shown.shape == upright.shape
    assert abs(shown - upright).max() <= 2


def _tagged(image: Image.Image, orientation: int) -> Image.Image:
    """Return an image as a PNG with an orientation."""
    exif = Image.Exif()
    exif[274] = orientation
    return Image.open(io.BytesIO(encoded(image, "PNG", exif=exif)))


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_an_image_is_named_in_composed_form(tmp_path, stored: str) -> None:
    path = tmp_path / unicodedata.normalize(stored, "café.png")
    Image.new("RGB", (8, 8)).save(path)
    store = ImageStore(tmp_path / "store")
    for typed in ("NFC", "NFD"):
        image = resolve_image(unicodedata.normalize(typed, str(path)), store)
        assert image.name == unicodedata.normalize("NFC", "café.png")


def test_tiff_tags_are_those_of_pillow() -> None:
    names = [TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, TiffImagePlugin.BITSPERSAMPLE,
             TiffImagePlugin.SAMPLEFORMAT]  # fmt: skip
    assert names == [262, 258, 339]
