"""The store saves images by digest; the encoder writes every codec and quality."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgewright.tools.errors import InputError, NotFoundError, StorageError
from edgewright.tools.images.decode import decode
from edgewright.tools.images.encode import encode
from edgewright.tools.images.store import ImageStore


def images_in(folder: Path) -> list[Path]:
    return [path for path in folder.glob("??/*") if path.is_file()]


def test_a_stored_image_can_be_read(tmp_path, jpeg):
    store = ImageStore(tmp_path / "images")
    data = jpeg("chelsea")
    ref = store.put(data, "cat.jpg")
    assert (ref.mime, ref.width, ref.height, ref.name) == ("image/jpeg", 451, 300, "cat.jpg")
    assert ref.uri == f"store:{ref.sha256}"
    assert store.get(ref) == data
    assert ImageStore(tmp_path / "images").get(ref) == data


def test_the_same_image_is_stored_once(tmp_path, jpeg):
    store = ImageStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        refs = list(pool.map(store.put, [jpeg("coffee")] * 16))
    assert len(set(refs)) == 1
    assert len(images_in(tmp_path)) == 1


def test_the_size_is_that_of_the_images(tmp_path, jpeg):
    store = ImageStore(tmp_path / "images")
    assert (store.size(), store.stored()) == (0, [])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store.put, [jpeg("chelsea"), jpeg("coffee"), jpeg("chelsea")]))
    assert store.size() == len(jpeg("chelsea")) + len(jpeg("coffee"))
    # A killed process may leave a file that is not counted yet.
    path = images_in(tmp_path / "images")[0]
    path.with_name(f".{path.name}.1.part").write_bytes(b"12345")
    assert len(store.stored()) == 3
    assert store.size() == len(jpeg("chelsea")) + len(jpeg("coffee")) + 5
    store.remove(store.stored())
    assert store.size() == 0
    assert not images_in(tmp_path / "images")


def test_an_image_that_is_put_in_again_is_not_removed(tmp_path, jpeg):
    store = ImageStore(tmp_path)
    ref = store.put(jpeg("chelsea"))
    path = tmp_path / ref.sha256[:2] / ref.sha256
    os.utime(path, (1, 1))
    listed = store.stored()
    store.put(jpeg("chelsea"))
    store.remove(listed)
    assert store.get(ref) == jpeg("chelsea")
    store.remove(store.stored())
    with pytest.raises(NotFoundError):
        store.get(ref)


def test_only_images_are_stored(tmp_path):
    with pytest.raises(InputError):
        ImageStore(tmp_path).put(b"not an image")
    assert not list(tmp_path.iterdir())


def test_missing_and_damaged_images_are_not_found(tmp_path, jpeg):
    store = ImageStore(tmp_path)
    ref = store.put(jpeg("rocket"), "rocket.jpg")
    (path,) = images_in(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    for _ in ("damaged", "missing"):
        with pytest.raises(NotFoundError) as caught:
            store.get(ref)
        assert caught.value.info().code == "image_missing"
        assert "rocket.jpg" in caught.value.message
        path.unlink(missing_ok=True)


def test_a_full_disk_raises_and_leaves_no_file(tmp_path, jpeg, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        ImageStore(tmp_path).put(jpeg("chelsea"))
    assert caught.value.info().status == 507
    assert "No space left" in caught.value.message
    assert not images_in(tmp_path)


def test_a_folder_that_cannot_be_created_raises(tmp_path, jpeg):
    Path(tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        ImageStore(tmp_path / "file").put(jpeg("chelsea"))


@pytest.mark.parametrize(
    ("codec", "quality"), [("jpeg", 90), ("webp", 90), ("avif", 90), ("png", None)]
)
def test_images_are_encoded(photograph, codec, quality):
    image = photograph("chelsea")
    decoded = decode(encode(image, codec, quality))
    difference = np.asarray(decoded, dtype=int) - np.asarray(image)
    assert abs(difference).mean() < (0.001 if codec == "png" else 4)


def test_lower_quality_is_smaller(photograph):
    sizes = [len(encode(photograph("chelsea"), "jpeg", quality)) for quality in (30, 60, 90)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("codec", "quality"), [("png", 90), ("jpeg", None), ("webp", None), ("avif", None)]
)
def test_mismatched_qualities_are_refused(photograph, codec, quality):
    with pytest.raises(InputError) as caught:
        encode(photograph("chelsea"), codec, quality)
    assert caught.value.info().code == "quality_mismatch"


@pytest.mark.parametrize("image_codec", ["jpeg", "avif"])
def test_chroma_is_subsampled_only_at_low_quality_or_on_request(image_codec):
    """Red and green stripes of one pixel each turn grey at half the chroma resolution."""
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = stripes[:, 1::2, 1] = 255
    image = Image.fromarray(stripes)

    def chroma_contrast(quality, **options):
        decoded = np.asarray(decode(encode(image, image_codec, quality, **options)), int)
        return np.abs(decoded[..., 0] - decoded[..., 1]).mean()

    assert chroma_contrast(95) > 200
    assert chroma_contrast(95, full_chroma=False) < 100
    assert chroma_contrast(80) < 100
    assert chroma_contrast(80, full_chroma=True) > 150
