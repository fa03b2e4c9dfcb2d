"""Data sets are loaded from folders, ``.npz`` files and by name; invalid ones are refused."""

import io
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from edgewright.tools.datasets import listing, sources
from edgewright.tools.datasets.samples import common_side, to_array
from edgewright.tools.datasets.sources import load_source
from edgewright.tools.errors import InputError, NotFoundError, TooLargeError


def save_image(folder: Path, name: str, colour: tuple[int, int, int], size: int = 20) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size // 2 + 5), colour).save(folder / name)


def test_digits_are_embedded() -> None:
    samples = load_source("digits")
    assert samples.images.shape == (1797, 8, 8, 1)
    assert samples.images.max() == 255
    assert samples.classes == tuple("0123456789")


def test_a_folder_of_class_folders(tmp_path: Path) -> None:
    for index in range(3):
        save_image(tmp_path / "cats", f"{index}.png", (200, 10, 10))
        save_image(tmp_path / "dogs", f"{index}.jpg", (10, 200, 10), size=60)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "cats" / "notes.txt").write_text("not an image")
    samples = load_source(str(tmp_path))
    assert samples.classes == ("cats", "dogs")
    assert samples.images.shape[0] == 6 and samples.images.shape[3] == 3
    assert samples.images.shape[1] == samples.images.shape[2] == samples.original_side == 40
    assert samples.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    save_image(tmp_path / "a", "1.png", (9, 9, 9))
    save_image(tmp_path / "b", "1.png", (99, 99, 99))
    assert load_source(str(tmp_path)).images.shape[3] == 1


def test_client_folders_become_an_attribute(tmp_path: Path) -> None:
    for client in ("north", "south"):
        for kind in ("ok", "broken"):
            save_image(tmp_path / client / kind, "1.png", (1, 2, 3))
    samples = load_source(str(tmp_path))
    assert samples.attribute is not None
    assert sorted(set(samples.attribute.tolist())) == ["north", "south"]
    assert samples.classes == ("broken", "ok")


def test_a_class_may_have_subfolders(tmp_path: Path) -> None:
    save_image(tmp_path / "letters" / "round", "1.png", (1, 2, 3))
    save_image(tmp_path / "letters" / "square", "1.png", (1, 2, 3))
    save_image(tmp_path / "people", "1.png", (1, 2, 3))
    samples = load_source(str(tmp_path))
    assert samples.attribute is None
    assert samples.classes == ("letters", "people")
    assert samples.labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize("suffix", ["bmp", "gif", "tif", "tiff", "BMP", "avif"])
def test_images_of_other_kinds(tmp_path: Path, suffix: str) -> None:
    save_image(tmp_path / "a", f"1.{suffix}", (255, 0, 0))
    save_image(tmp_path / "b", "1.png", (255, 0, 0))
    images = load_source(str(tmp_path)).images
    assert np.abs(images[0].astype(int) - images[1]).max() < 8


def test_only_corrupt_images_are_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    with pytest.raises(InputError, match=r"a/bad\.png") as caught:
        load_source(str(tmp_path))
    assert caught.value.info().code == "image_corrupt"


def test_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_source(str(tmp_path))
    assert caught.value.info().code == "data_empty"
    save_image(tmp_path / "a", "1.png", (1, 2, 3))
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="'b' contains no image"):
        load_source(str(tmp_path))


def test_too_many_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_IMAGES", 1)
    save_image(tmp_path / "a", "1.png", (1, 2, 3))
    save_image(tmp_path / "b", "1.png", (1, 2, 3))
    with pytest.raises(TooLargeError):
        load_source(str(tmp_path))


def test_missing_data_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        load_source(str(tmp_path / "nothing"))
    assert caught.value.info().code == "data_missing"
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(InputError) as refused:
        load_source(str(tmp_path / "file.txt"))
    assert refused.value.info().code == "not_data"


def save_npz(path: Path, **arrays: object) -> str:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


def test_an_npz_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = save_npz(
        tmp_path / "set.npz",
        images=rng.random((6, 9, 7)),
        labels=np.array([3, 5, 3, 5, 3, 5]),
        attribute=np.array(["x", "y"] * 3),
    )
    samples = load_source(path)
    assert samples.images.shape == (6, 9, 7, 1)
    assert samples.classes == ("3", "5")
    assert samples.labels.tolist() == [0, 1] * 3
    assert samples.attribute is not None


GOOD = {"images": np.zeros((4, 8, 8), np.uint8), "labels": np.array([0, 1, 0, 1])}
BAD: list[tuple[dict[str, object], str]] = [
    ({"labels": GOOD["labels"]}, "needs the arrays"),
    (GOOD | {"labels": np.array([0, 1])}, "4 images and 2 labels"),
    (GOOD | {"labels": np.array([0.5] * 4)}, "one integer per image"),
    (GOOD | {"images": np.zeros((4, 8, 8, 2), np.uint8)}, "must be"),
    (GOOD | {"images": np.zeros((4, 8, 8), np.int64)}, "must be uint8"),
    (GOOD | {"images": np.full((4, 8, 8), np.nan)}, "between 0 and 1"),
    (GOOD | {"images": np.zeros((4, 1, 8), np.uint8)}, "pixels"),
    (GOOD | {"images": np.zeros((0, 8, 8), np.uint8)}, "contains no image"),
    (GOOD | {"attribute": np.array(["x"])}, "one value per image"),
    (GOOD | {"classes": np.array(["only"])}, "outside the range of 'classes'"),
    (GOOD | {"images": np.array([{}] * 4)}, "cannot be read"),
]


@pytest.mark.parametrize(("arrays", "reason"), BAD)
def test_bad_npz_files_are_refused(tmp_path: Path, arrays: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        load_source(save_npz(tmp_path / "set.npz", **arrays))


def test_npz_files_that_are_not_zip_or_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set.npz").write_bytes(b"not a zip")
    with pytest.raises(InputError):
        load_source(str(tmp_path / "set.npz"))
    monkeypatch.setattr(sources, "MAX_UNPACKED_BYTES", 10)
    with pytest.raises(TooLargeError):
        load_source(save_npz(tmp_path / "big.npz", **GOOD))


def test_missing_data_sets_name_the_command_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "_FASHION_FOLDERS", ())
    with pytest.raises(NotFoundError, match="apt-get install"):
        load_source("fashion-mnist")
    monkeypatch.setitem(sys.modules, "elpv_dataset.utils", None)
    with pytest.raises(NotFoundError, match="pip install"):
        load_source("elpv")


def test_fashion_mnist_is_read_from_idx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    for part, count in (("train", 3), ("t10k", 2)):
        pixels = bytes(16) + bytes(range(count)) * (28 * 28)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(pixels))
        labels = bytes(8) + bytes(range(count))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    monkeypatch.setattr(sources, "_FASHION_FOLDERS", (tmp_path,))
    samples = load_source("fashion-mnist")
    assert samples.images.shape == (5, 28, 28, 1)
    assert samples.test is not None and samples.test.tolist() == [False] * 3 + [True] * 2


def test_elpv_is_read_through_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("elpv_dataset.utils")
    cells = np.zeros((4, 300, 300), np.uint8)
    package.load_dataset = lambda: (cells, [0.0, 1.0, 0.33, 0.66], ["mono", "poly"] * 2)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "elpv_dataset", ModuleType("elpv_dataset"))
    monkeypatch.setitem(sys.modules, "elpv_dataset.utils", package)
    samples = load_source("elpv")
    assert samples.labels.tolist() == [0, 1, 0, 1]
    assert samples.images.shape == (4, 96, 96, 1)


def test_the_side_is_the_median_within_bounds() -> None:
    assert common_side([5, 5, 5]) == (8, 5)
    assert common_side([28, 28, 2000]) == (28, 28)
    assert common_side([500]) == (96, 500)


def test_serving_converts_an_image_to_the_same_size() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (100, 60), (255, 255, 255)).save(buffer, "PNG")
    array = to_array(Image.open(buffer), height=8, width=8, channels=1)
    assert array.shape == (8, 8, 1) and array.min() == 255
