"""Image locations given by a person: files, conversion and camera references."""

from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import InputError, StorageError, TooLargeError
from edgewright.tools.images import conversion
from edgewright.tools.images.decode import decode
from edgewright.tools.images.files import MAX_FILE_BYTES, resolve_image
from edgewright.tools.images.probe import probe
from edgewright.tools.images.store import ImageStore


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "store")


@pytest.fixture
def png(tmp_path):
    buffer = BytesIO()
    Image.new("RGB", (8, 6)).save(buffer, "PNG")
    path = tmp_path / "gate.png"
    path.write_bytes(buffer.getvalue())
    return path


def test_a_file_goes_to_the_store_under_its_name(store, png):
    image = resolve_image(str(png), store)
    assert (image.name, image.width, image.height) == ("gate.png", 8, 6)
    assert store.get(image) == png.read_bytes()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("BMP", "RGB"),
        ("BMP", "1"),
        ("GIF", "P"),
        ("TIFF", "RGB"),
        ("TIFF", "CMYK"),
        ("TIFF", "I;16"),
        ("TIFF", "F"),
    ],
)
def test_files_of_other_kinds_become_png(store, tmp_path, kind, mode):
    path = tmp_path / "gate.one"
    Image.new(mode, (8, 6)).save(path, kind)
    image = resolve_image(str(path), store)
    assert (image.name, image.mime, image.width, image.height) == ("gate.one", "image/png", 8, 6)
    assert decode(store.get(image)).size == (8, 6)


def test_other_kinds_that_are_too_large_or_damaged_are_refused(store, tmp_path, monkeypatch):
    path = tmp_path / "gate.bmp"
    Image.new("RGB", (8, 6)).save(path)
    monkeypatch.setattr(conversion, "MAX_PIXELS", 47)
    with pytest.raises(TooLargeError, match="8 x 6"):
        resolve_image(str(path), store)
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match=r"gate\.bmp.*BMP") as caught:
        resolve_image(str(path), store)
    assert caught.value.info().code == "image_truncated"


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF"])
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=20))
def test_damaged_files_of_other_kinds_are_refused_or_become_png(kind, changes):
    buffer = BytesIO()
    Image.radial_gradient("L").resize((24, 18)).save(buffer, kind)
    data = bytearray(buffer.getvalue())
    for place, value in changes:
        data[4 + place % (len(data) - 4)] = value
    with suppress(InputError, TooLargeError):
        assert probe(conversion.to_accepted_format(bytes(data))).mime == "image/png"


def test_a_cameras_image_is_only_referenced(store):
    assert resolve_image("camera:gate.png", store) == ImageRef.camera("gate.png")


@pytest.mark.parametrize("location", ["camera:", "camera:../etc/passwd", "camera:" + "a" * 300])
def test_an_invalid_camera_name_is_refused(store, location):
    with pytest.raises(InputError) as caught:
        resolve_image(location, store)
    assert caught.value.info().code == "image_unknown"


def test_an_unreadable_file_is_named(store, tmp_path):
    with pytest.raises(InputError, match=r"none\.png") as caught:
        resolve_image(str(tmp_path / "none.png"), store)
    assert caught.value.info().code == "file_missing"
    with pytest.raises(InputError) as caught:
        resolve_image(str(tmp_path), store)
    assert caught.value.info().code == "file_unreadable"


def test_a_file_that_is_too_long_is_not_read(store, tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(TooLargeError):
        resolve_image(str(path), store)


def test_an_image_that_is_refused_keeps_its_code(store, tmp_path):
    (tmp_path / "text.png").write_text("not an image")
    with pytest.raises(InputError, match=r"text\.png") as caught:
        resolve_image(str(tmp_path / "text.png"), store)
    assert caught.value.info().code == "not_an_image"


def test_a_store_that_is_not_writable_raises(tmp_path, png):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        resolve_image(str(png), ImageStore(tmp_path / "file"))


def test_a_stored_image_is_named_by_its_own_digest():
    with pytest.raises(ValueError, match="sha256"):
        ImageRef(uri="store:" + "a" * 64, sha256="b" * 64)
