"""Pictures that a person names."""

from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import InputError, StorageError, TooLargeError
from edgewright.tools.images import foreign
from edgewright.tools.images.decode import decode
from edgewright.tools.images.files import MAX_FILE_BYTES, take_image
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
    image = take_image(str(png), store)
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
    image = take_image(str(path), store)
    assert (image.name, image.mime, image.width, image.height) == ("gate.one", "image/png", 8, 6)
    assert decode(store.get(image)).size == (8, 6)


def test_other_kinds_that_cannot_be_used(store, tmp_path, monkeypatch):
    path = tmp_path / "gate.bmp"
    Image.new("RGB", (8, 6)).save(path)
    monkeypatch.setattr(foreign, "MAX_PIXELS", 47)
    with pytest.raises(TooLargeError, match="8 x 6"):
        take_image(str(path), store)
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match=r"gate\.bmp.*BMP") as caught:
        take_image(str(path), store)
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
        assert probe(foreign.recoded(bytes(data))).mime == "image/png"


def test_a_cameras_picture_is_only_named(store):
    assert take_image("camera:gate.png", store) == ImageRef.camera("gate.png")


@pytest.mark.parametrize("where", ["camera:", "camera:../etc/passwd", "camera:" + "a" * 300])
def test_a_name_that_no_camera_can_have(store, where):
    with pytest.raises(InputError) as caught:
        take_image(where, store)
    assert caught.value.info().code == "image_unknown"


def test_what_cannot_be_read_is_named(store, tmp_path):
    with pytest.raises(InputError, match=r"none\.png") as caught:
        take_image(str(tmp_path / "none.png"), store)
    assert caught.value.info().code == "file_missing"
    with pytest.raises(InputError) as caught:
        take_image(str(tmp_path), store)
    assert caught.value.info().code == "file_unreadable"


def test_a_file_that_is_too_long_is_not_read(store, tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(TooLargeError):
        take_image(str(path), store)


def test_a_picture_that_is_refused_keeps_its_code(store, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match=r"text\.png") as caught:
        take_image(str(tmp_path / "text.png"), store)
    assert caught.value.info().code == "not_an_image"


def test_a_store_that_cannot_be_written_is_told(tmp_path, png):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        take_image(str(png), ImageStore(tmp_path / "file"))


def test_a_stored_picture_is_named_by_its_own_digest():
    with pytest.raises(ValueError, match="sha256"):
        ImageRef(uri="store:" + "a" * 64, sha256="b" * 64)
