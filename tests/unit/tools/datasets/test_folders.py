"""Folders of images are read as people and other programs leave them."""

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgewright.tools.datasets.duplicates import duplicate_groups
from edgewright.tools.datasets.folders import read_folder
from edgewright.tools.datasets.partition import TEST, TRAIN, VALIDATION, split
from edgewright.tools.datasets.samples import Samples
from edgewright.tools.datasets.summary import DataSummary, Left
from edgewright.tools.errors import InputError
from edgewright.tools.storage.removal import remove

RNG = np.random.default_rng(0)


def picture(colour: int = 120) -> Image.Image:
    """Return a random image of areas, as photographs have them."""
    areas = RNG.normal(colour, 40, (6, 6, 3)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(areas).resize((48, 48), Image.Resampling.BICUBIC)


def fill(folder: Path, count: int = 6, suffix: str = "png", colour: int = 120) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        kind = {"jfif": "JPEG", "jpe": "JPEG"}.get(suffix)
        picture(colour).save(folder / f"{number}.{suffix}", kind)


def summary_of(samples: Samples) -> DataSummary:
    assert samples.summary is not None
    return samples.summary


def test_files_of_other_programs_are_left_out_and_counted(tmp_path: Path) -> None:
    for name in ("red", "green"):
        fill(tmp_path / name)
    red = tmp_path / "red"
    for other in (".ipynb_checkpoints", "@eaDir/0.jpg", "__MACOSX"):
        (red / other).mkdir(parents=True)
        shutil.copy(red / "0.png", red / other / "0.png")
    fill(tmp_path / "__MACOSX" / "red")
    fill(tmp_path / ".hidden" / "red")
    fill(tmp_path / "@tmp")
    for name in ("._0.png", ".DS_Store", "Thumbs.db", "~$0.png"):
        (red / name).write_bytes(b"x")
    (red / "notes.txt").write_text("x")
    samples = read_folder(tmp_path)
    assert samples.classes == ("green", "red")
    summary = summary_of(samples)
    assert (summary.read, summary.layout) == (12, "classes")
    assert (summary.foreign, summary.others) == (10, 1)


@pytest.mark.parametrize("inner", [("2023", "2024"), ("2024-01-05",), ("images",), ("batch_1",)])
def test_folders_that_sort_a_class_are_no_classes(tmp_path: Path, inner: tuple[str, ...]) -> None:
    for name in ("apple", "pear"):
        for each in inner:
            fill(tmp_path / name / each)
    samples = read_folder(tmp_path)
    assert samples.classes == ("apple", "pear")
    assert samples.attribute is None


def test_client_folders_and_wrapped_folders_are_recognised(tmp_path: Path) -> None:
    for client in ("north", "south"):
        for name in ("0", "1"):
            fill(tmp_path / "clients" / client / name, 2)
    samples = read_folder(tmp_path / "clients")
    assert samples.classes == ("0", "1")
    assert samples.attribute is not None
    for name in ("a", "b"):
        fill(tmp_path / "zip" / "flowers" / name, 2)
    wrapped = read_folder(tmp_path / "zip")
    assert wrapped.classes == ("a", "b") and wrapped.attribute is None


def test_own_splits_remain_and_training_loses_their_copies(tmp_path: Path) -> None:
    for part, count in (("train", 10), ("val", 3), ("test", 4)):
        for name in ("red", "green"):
            fill(tmp_path / part / name, count)
    shutil.copy(tmp_path / "test" / "red" / "0.png", tmp_path / "train" / "red" / "copy.png")
    samples = read_folder(tmp_path)
    splits = split(samples, np.random.default_rng(1))
    assert samples.classes == ("green", "red")
    assert [int((splits == each).sum()) for each in (TRAIN, VALIDATION, TEST)] == [20, 6, 8]
    assert summary_of(samples).removed == 1
    assert summary_of(samples).layout == "splits"


def test_a_train_and_test_folder_leave_validation_to_be_drawn(tmp_path: Path) -> None:
    for part, count in (("Training", 20), ("Testing", 4)):
        for name in ("red", "green"):
            fill(tmp_path / part / name, count)
    splits = split(read_folder(tmp_path), np.random.default_rng(1))
    assert [int((splits == each).sum()) for each in (TRAIN, VALIDATION, TEST)] == [36, 4, 8]


@pytest.mark.parametrize(
    "names",
    [
        ("train", "validation", "holdout"), ("training_set", "dev", "test_set"),
        ("TRAIN", "VALID", "TEST"), ("train2017", "val2017", "test2017"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("inside", ["{split}/{label}", "{split}/images/{label}", "{label}/{split}"])
def test_splits_of_other_names_and_places_are_no_clients_or_classes(
    tmp_path: Path, names: tuple[str, ...], inside: str
) -> None:
    for part, count in zip(names, (8, 3, 4), strict=True):
        for label in ("red", "green"):
            fill(tmp_path / inside.format(split=part, label=label), count)
    samples = read_folder(tmp_path)
    assert samples.classes == ("green", "red") and samples.attribute is None
    assert summary_of(samples).layout == "splits"
    splits = split(samples, np.random.default_rng(1))
    assert [int((splits == each).sum()) for each in (TRAIN, VALIDATION, TEST)] == [16, 6, 8]


def test_a_class_is_no_split_because_of_its_name(tmp_path: Path) -> None:
    for name in ("train", "bus"):
        fill(tmp_path / name)
    assert read_folder(tmp_path).classes == ("bus", "train")


def test_a_link_to_a_folder_around_it_is_named_and_not_followed(tmp_path: Path) -> None:
    for name in ("red", "green"):
        fill(tmp_path / name)
    (tmp_path / "red" / "up").symlink_to(tmp_path)
    (tmp_path / "red" / "self").symlink_to(tmp_path / "red")
    summary = summary_of(read_folder(tmp_path))
    assert (summary.read, summary.classes) == (12, {"green": 6, "red": 6})
    assert [name.partition(":")[0] for name in summary.unreadable.names] == ["red/self", "red/up"]


def test_what_is_in_no_class_folder_is_named(tmp_path: Path) -> None:
    for name in ("red", "green"):
        fill(tmp_path / "train" / name, 10)
    fill(tmp_path / "test", 3)
    fill(tmp_path / "train" / "2.d", 0)
    fill(tmp_path / "val" / "red", 2)
    (tmp_path / "blue").symlink_to("nowhere")
    (tmp_path / "labels.csv").write_text("x")
    (tmp_path / "train" / ".DS_Store").write_text("x")
    shutil.copy(tmp_path / "test" / "0.png", tmp_path / "train" / "loose.png")
    summary = summary_of(read_folder(tmp_path))
    assert (summary.read, summary.others, summary.foreign) == (22, 1, 1)
    assert tuple(sorted(summary.unreadable.names)) == (
        "blue: the link leads nowhere",
        *(f"test/{number}.png: it is in no class folder" for number in range(3)),
        "train/loose.png: it is in no class folder",
    )


@pytest.mark.parametrize("name", ["n", "n" * 200])
def test_folders_without_end_are_named_and_not_entered(tmp_path: Path, name: str) -> None:
    for label in ("red", "green"):
        fill(tmp_path / label)
    folder = os.open(tmp_path / "red", os.O_RDONLY)
    for _ in range(1000):
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    try:
        summary = summary_of(read_folder(tmp_path))
    finally:
        remove(tmp_path / "red")
    assert (summary.read, summary.unreadable.count) == (12, 1)
    assert summary.unreadable.names[0].endswith("it is nested too deeply")


def near_copy(image: Image.Image, change: int) -> Image.Image:
    if change == 0:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
        return Image.open(buffer)
    if change == 1:
        return image.resize((96, 96))
    return image.point(lambda value: min(255, value + 1))


def test_copies_never_straddle_splits_and_conflicts_are_named(tmp_path: Path) -> None:
    fill(tmp_path / "red", 20)
    fill(tmp_path / "green", 20)
    for number in range(15):
        image = Image.open(tmp_path / "red" / f"{number}.png")
        near_copy(image, number % 3).convert("RGB").save(tmp_path / "red" / f"copy{number}.png")
    shutil.copy(tmp_path / "red" / "19.png", tmp_path / "green" / "same.png")
    samples = read_folder(tmp_path)
    summary = summary_of(samples)
    assert summary.duplicates == 16
    assert summary.conflicts.names == ("green/same.png = red/19.png",)
    assert samples.groups is not None
    for seed in range(5):
        splits = split(samples, np.random.default_rng(seed))
        for group in np.unique(samples.groups):
            assert len(set(splits[samples.groups == group])) == 1
        for label in (0, 1):
            own = splits[samples.labels == label]
            assert {TRAIN, VALIDATION, TEST} <= set(own.tolist())


def test_different_images_are_no_copies() -> None:
    noise = RNG.normal(120, 12, (300, 32, 32, 3)).clip(0, 255).astype(np.uint8)
    photographs = np.stack([np.asarray(picture()) for _ in range(300)])
    for images in (noise, photographs):
        assert len(set(duplicate_groups(images).tolist())) == len(images)


def test_a_class_of_copies_alone_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "red")
    fill(tmp_path / "green", 1)
    for number in range(9):
        shutil.copy(tmp_path / "green" / "0.png", tmp_path / "green" / f"copy{number}.png")
    with pytest.raises(InputError, match="'green' has 1 different"):
        split(read_folder(tmp_path), np.random.default_rng(0))


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    for name in ("red", "green"):
        fill(tmp_path / name, suffix="jfif")
    red = tmp_path / "red"
    (red / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (red / "gone.jpg").symlink_to("nowhere.jpg")
    (red / "photo.psd").write_bytes(b"8BPS")
    (red / "telephone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    fill(tmp_path / "elsewhere" / "more", 2)
    (red / "linked").symlink_to(tmp_path / "elsewhere" / "more")
    (red / "loop").symlink_to(red)
    (red / "pipe.png").symlink_to("/dev/zero")
    shutil.move(tmp_path / "elsewhere", tmp_path.parent / "elsewhere-kept")
    (red / "linked").unlink()
    (red / "linked").symlink_to(tmp_path.parent / "elsewhere-kept" / "more")
    samples = read_folder(tmp_path)
    summary = summary_of(samples)
    assert summary.classes == {"green": 6, "red": 8}
    named = " ".join((*summary.unreadable.names, *summary.unsupported.names))
    for name in ("cut.png", "gone.jpg", "photo.psd", "telephone.heic", "pipe.png"):
        assert f"red/{name}" in named
    text = "\n".join(summary.lines())
    assert "read 14 images" in text and "gone.jpg" in text
    shutil.rmtree(tmp_path.parent / "elsewhere-kept")


def test_a_file_of_numbers_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    import zipfile

    from edgewright.tools.datasets.sources import load_source

    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999, 999, 999), }"
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(10)
    for names in (("images.npy", "labels.npy"), ("images.npy",), ("notes.txt", "images.npy")):
        path = tmp_path / "huge.npz"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, array)
        with pytest.raises(InputError):
            load_source(str(path))


def test_a_summary_counts_as_a_person_would() -> None:
    summary = DataSummary(
        layout="classes",
        read=1,
        classes={"red": 1},
        foreign=1,
        duplicates=1,
        conflicts=Left(count=2, names=("a = b", "c = d")),
    )
    assert list(summary.lines()) == [
        "read 1 image from class folders: red 1",
        "left out 1 file hidden or of other programs",
        "1 image is a copy of another; copies stay in one split",
        "2 images in several classes: a = b; c = d",
    ]
    left_out = summary.model_copy(update={"others": 3, "removed": 1})
    assert list(left_out.lines())[1] == (
        "left out 1 file hidden or of other programs and 3 files without an image"
    )
    assert list(left_out.lines())[3] == "left out 1 training image that validation or test has too"
