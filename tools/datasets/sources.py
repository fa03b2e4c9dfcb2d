"""Loading data sets from a folder of class folders, an ``.npz`` file or a built-in name."""

from __future__ import annotations

import gzip
import importlib
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.datasets.samples import Samples, common_side, drop_colour, to_array
from edgewright.tools.errors import EdgewrightError, InputError, NotFoundError, TooLargeError
from edgewright.tools.images.conversion import IMAGE_SUFFIXES, to_accepted_format
from edgewright.tools.images.decode import decode

#: Maximum number of images in a folder, and maximum uncompressed bytes of an .npz file.
MAX_IMAGES = 200_000
MAX_UNPACKED_BYTES = 4_000_000_000

_FASHION_FOLDERS = (
    Path("/usr/share/datasets/fashion-mnist"),
    Path("/usr/local/share/datasets/fashion-mnist"),
)
ELPV_CLASSES = ("functional", "defective")
_FASHION_CLASSES = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def load_source(source: str) -> Samples:
    """Load a data set.

    Args:
        source: ``digits``, ``fashion-mnist``, ``elpv``, or the path of an ``.npz`` file or a
            folder. A folder contains either one folder per class, with images at any depth, or one
            folder per client (the attribute), each of which contains only class folders.

    Raises:
        InputError: The data cannot be used: ``data_empty``, ``image_corrupt``, ``bad_npz``,
            ``not_data``.
        NotFoundError: The data set is missing or not installed (``data_missing``).
        TooLargeError: The data set exceeds a limit (``data_too_large``).
    """
    if source in _NAMED:
        return _NAMED[source]()
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".npz" and path.is_file():
        return _npz(path)
    if path.is_file():
        raise InputError(
            f"{path.name!r} is not an .npz file; pass one, or a folder of class folders",
            code="not_data",
        )
    raise NotFoundError(
        f"no data at {source!r}; pass a folder of class folders, an .npz file or one of "
        f"{', '.join(sorted(_NAMED))}",
        code="data_missing",
    )


def _digits() -> Samples:
    datasets = importlib.import_module("sklearn.datasets")
    bunch = datasets.load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    return Samples(
        name="digits",
        images=images,
        labels=bunch.target.astype(np.int64),
        classes=tuple(str(digit) for digit in range(10)),
        original_side=8,
    )


def _fashion_mnist() -> Samples:
    folder = next((path for path in _FASHION_FOLDERS if path.is_dir()), None)
    if folder is None:
        raise NotFoundError(
            "Fashion-MNIST is not installed; run 'apt-get install dataset-fashion-mnist'",
            code="data_missing",
        )
    images, labels, test = [], [], []
    for part, is_test in (("train", False), ("t10k", True)):
        pixels = _idx(folder / f"{part}-images-idx3-ubyte.gz", header=16)
        classes = _idx(folder / f"{part}-labels-idx1-ubyte.gz", header=8)
        images.append(pixels.reshape(len(classes), 28, 28, 1))
        labels.append(classes)
        test.append(np.full(len(classes), is_test))
    return Samples(
        name="fashion-mnist",
        images=np.concatenate(images),
        labels=np.concatenate(labels).astype(np.int64),
        classes=_FASHION_CLASSES,
        original_side=28,
        test=np.concatenate(test),
    )


def _idx(path: Path, *, header: int) -> NDArray[np.uint8]:
    """Read a gzipped IDX file without its header."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint8, offset=header)


def load_elpv() -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.str_]]:
    """Load the ELPV data set: electroluminescence images of solar cells.

    Returns:
        Images, uint8 ``[N, 300, 300]``; labels, 1 for a defective cell (annotated probability of at
        least 0.5); and the kind of each cell.

    Raises:
        NotFoundError: The data set is not installed (``data_missing``).
    """
    try:
        utils = importlib.import_module("elpv_dataset.utils")
    except ImportError:
        raise NotFoundError(
            "the elpv data set is not installed; run 'pip install elpv-dataset' (non-commercial)",
            code="data_missing",
        ) from None
    cells, probability, kind = utils.load_dataset()
    defective = (np.asarray(probability) >= 0.5).astype(np.int64)
    return cells, defective, np.asarray(kind, dtype=np.str_)


def _elpv() -> Samples:
    pixels, labels, kind = load_elpv()
    side, original = common_side([pixels.shape[1]])
    images = [
        to_array(Image.fromarray(cell), height=side, width=side, channels=1) for cell in pixels
    ]
    return Samples(
        name="elpv",
        images=np.stack(images),
        labels=labels,
        classes=ELPV_CLASSES,
        original_side=original,
        attribute=kind,
    )


_NAMED: dict[str, Callable[[], Samples]] = {
    "digits": _digits,
    "fashion-mnist": _fashion_mnist,
    "elpv": _elpv,
}


def _folder(root: Path) -> Samples:
    """Read a folder of class folders, or of client folders of class folders."""
    groups = _folders(root)
    # Client folders contain only folders; class folders contain images, possibly in subfolders.
    by_attribute = not any(map(_has_images, groups)) and any(map(_folders, groups))
    leaves = (
        [(group, child) for group in groups for child in _folders(group)]
        if by_attribute
        else [(root, group) for group in groups]
    )
    files = [(group, leaf, path) for group, leaf in leaves for path in _images(leaf)]
    if not files:
        raise InputError(
            f"the folder {root.name!r} contains no class folders with images "
            f"({', '.join(sorted(IMAGE_SUFFIXES))})",
            code="data_empty",
        )
    if len(files) > MAX_IMAGES:
        raise TooLargeError(
            f"{len(files)} images are more than the limit of {MAX_IMAGES}; use a sample of them",
            code="data_too_large",
        )
    empty = [leaf.name for _, leaf in leaves if not any(leaf == f[1] for f in files)]
    if empty and not by_attribute:
        raise InputError(
            f"the class folder {empty[0]!r} contains no image; add images or remove it",
            code="data_empty",
        )
    classes = tuple(sorted({leaf.name for _, leaf, _ in files}))
    sizes = [max(_read(path).size) for _, _, path in files]
    side, original = common_side(sizes)
    images = np.stack(
        [to_array(_read(path), height=side, width=side, channels=3) for _, _, path in files]
    )
    return Samples(
        name=root.resolve().name,
        images=drop_colour(images),
        labels=np.array([classes.index(leaf.name) for _, leaf, _ in files], dtype=np.int64),
        classes=classes,
        original_side=original,
        attribute=np.array([group.name for group, _, _ in files]) if by_attribute else None,
    )


def _folders(path: Path) -> list[Path]:
    return sorted(
        child for child in path.iterdir() if child.is_dir() and not child.name.startswith(".")
    )


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def _has_images(folder: Path) -> bool:
    return any(map(_is_image, folder.iterdir()))


def _images(folder: Path) -> list[Path]:
    """Return the images in a folder and its subfolders."""
    return sorted(filter(_is_image, folder.rglob("*")))


def _read(path: Path) -> Image.Image:
    try:
        return decode(to_accepted_format(path.read_bytes()))
    except EdgewrightError as error:
        raise InputError(
            f"{path.parent.name}/{path.name}: {error.message}", code="image_corrupt"
        ) from None


def _npz(path: Path) -> Samples:
    """Read ``images``, ``labels`` and, if present, ``classes`` and ``attribute``."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise TooLargeError(
                f"{path.name!r} unpacks to {unpacked} bytes, more than the limit of "
                f"{MAX_UNPACKED_BYTES}; use a sample of the data",
                code="data_too_large",
            )
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError) as error:
        raise _bad_npz(path, f"it cannot be read ({error})") from None
    if not {"images", "labels"} <= set(found):
        raise _bad_npz(path, "it needs the arrays 'images' and 'labels'")
    images, labels = _pixels(path, found["images"]), _labels(path, found)
    if len(images) != len(labels):
        raise _bad_npz(path, f"it has {len(images)} images and {len(labels)} labels")
    attribute = found.get("attribute")
    if attribute is not None and attribute.shape != labels.shape:
        raise _bad_npz(path, "'attribute' needs one value per image")
    values, indices = np.unique(labels, return_inverse=True)
    names = found.get("classes")
    if names is not None and (labels.min() < 0 or labels.max() >= len(names)):
        raise _bad_npz(path, "a label is outside the range of 'classes'")
    side = max(images.shape[1:3])
    return Samples(
        name=path.stem,
        images=drop_colour(images),
        labels=indices.astype(np.int64),
        classes=tuple(str(value if names is None else names[value]) for value in values),
        original_side=side,
        attribute=None if attribute is None else attribute.astype(np.str_),
    )


def _pixels(path: Path, images: NDArray[np.generic]) -> NDArray[np.uint8]:
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise _bad_npz(path, "'images' must be [N, H, W], [N, H, W, 1] or [N, H, W, 3]")
    if not len(images):
        raise InputError(f"{path.name!r} contains no image", code="data_empty")
    if not all(2 <= side <= 512 for side in images.shape[1:3]):
        raise _bad_npz(path, "images must be 2 to 512 pixels high and wide")
    if np.issubdtype(images.dtype, np.floating):
        low, high = float(images.min()), float(images.max())
        if not (math.isfinite(low) and math.isfinite(high)) or low < 0 or high > 1:
            raise _bad_npz(path, "floating-point images must lie between 0 and 1")
        pixels: NDArray[np.uint8] = np.round(images.astype(np.float32) * 255).astype(np.uint8)
        return pixels
    if images.dtype != np.uint8:
        raise _bad_npz(path, "'images' must be uint8, or floating-point between 0 and 1")
    return images.astype(np.uint8)


def _labels(path: Path, found: dict[str, NDArray[np.generic]]) -> NDArray[np.int64]:
    labels = found["labels"]
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise _bad_npz(path, "'labels' must be one integer per image")
    return labels.astype(np.int64)


def _bad_npz(path: Path, reason: str) -> InputError:
    return InputError(f"{path.name!r} cannot be used: {reason}", code="bad_npz")
