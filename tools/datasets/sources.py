"""Loading data sets from a folder of class folders, an ``.npz`` file or a built-in name."""

from __future__ import annotations

import gzip
import importlib
import math
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.datasets.folders import read_folder
from edgewright.tools.datasets.samples import Samples, common_side, drop_colour, to_array
from edgewright.tools.errors import InputError, NotFoundError, TooLargeError
from edgewright.tools.storage.paths import existing_path

#: Maximum uncompressed bytes of an .npz file.
MAX_UNPACKED_BYTES = 4_000_000_000

_FASHION_FOLDERS = (
    Path("/usr/share/datasets/fashion-mnist"),
    Path("/usr/local/share/datasets/fashion-mnist"),
)
#: The named data sets, and what their images show.
NAMED_SETS = {
    "digits": "handwritten digits",
    "elpv": "solar cells, functional and defective",
    "fashion-mnist": "clothes and shoes",
}
ELPV_CLASSES = ("functional", "defective")
_FASHION_CLASSES = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


#: Files of other data, by their suffixes.
_OTHERS = (
    ("tables", {".csv", ".tsv", ".xls", ".xlsx", ".ods", ".parquet", ".feather", ".sqlite", ".db"}),
    ("texts", {".txt", ".md", ".pdf", ".doc", ".docx", ".json", ".jsonl", ".xml", ".html"}),
    ("sounds", {".wav", ".mp3", ".flac", ".ogg", ".m4a"}),
    ("videos", {".mp4", ".avi", ".mov", ".mkv", ".webm"}),
)


def load_source(source: str) -> Samples:
    """Load a data set.

    Args:
        source: ``digits``, ``fashion-mnist``, ``elpv``, or the path of an ``.npz`` file or a
            folder; see ``read_folder``.

    Raises:
        InputError: The data cannot be used: ``data_empty``, ``image_corrupt``, ``bad_npz``,
            ``not_data``.
        NotFoundError: The data set is missing or not installed (``data_missing``).
        TooLargeError: The data set exceeds a limit (``data_too_large``).
    """
    if source in NAMED_SETS:
        return _LOADERS[source]()
    path = existing_path(source)
    if path.is_dir():
        return read_folder(path)
    if path.suffix == ".npz" and path.is_file():
        return _npz(path)
    if path.is_file():
        kind = next((kind for kind, suffixes in _OTHERS if path.suffix.lower() in suffixes), "")
        raise InputError(
            f"{path.name!r} is not an .npz file"
            + (f", and {kind} cannot be learned: training classifies images" if kind else "")
            + "; pass an .npz file with 'images' and 'labels', or a folder with one folder of "
            "images per class",
            code="not_data",
        )
    raise NotFoundError(
        f"no data at {source!r}; pass a folder of class folders, an .npz file or one of "
        f"{', '.join(NAMED_SETS)}",
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


#: What NumPy and zipfile raise for damaged or hostile archives.
_NPZ_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, KeyError,
    TypeError, SyntaxError, NotImplementedError, RuntimeError, OverflowError, MemoryError,
)  # fmt: skip

_LOADERS: dict[str, Callable[[], Samples]] = {
    "digits": _digits,
    "elpv": _elpv,
    "fashion-mnist": _fashion_mnist,
}


def _npz(path: Path) -> Samples:
    """Read ``images``, ``labels`` and, if present, ``classes``, ``attribute`` and ``persons``."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(_unpacked_bytes(archive, entry) for entry in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise TooLargeError(
                f"{path.name!r} unpacks to {unpacked} bytes, more than the limit of "
                f"{MAX_UNPACKED_BYTES}; use a sample of the data",
                code="data_too_large",
            )
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except InputError:
        raise
    except _NPZ_ERRORS as error:
        raise _bad_npz(path, f"it cannot be read ({str(error)[:200]})") from None
    if not {"images", "labels"} <= set(found):
        raise _bad_npz(path, "it needs the arrays 'images' and 'labels'")
    images, labels = _pixels(path, found["images"]), _labels(path, found)
    if len(images) != len(labels):
        raise _bad_npz(path, f"it has {len(images)} images and {len(labels)} labels")
    attribute, persons = found.get("attribute"), found.get("persons")
    for name, values_of in (("attribute", attribute), ("persons", persons)):
        if values_of is not None and values_of.shape != labels.shape:
            raise _bad_npz(path, f"{name!r} needs one value per image")
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
        persons=None if persons is None else _numbered(persons),
    )


def _numbered(persons: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return a number for each person, whatever they are called."""
    return np.unique(persons.astype(np.str_), return_inverse=True)[1].astype(np.int64)


def _unpacked_bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Return the bytes of an array, which its header must not exceed."""
    formats: Any = np.lib.format  # has no types
    with archive.open(entry) as file:
        readers = {(1, 0): formats.read_array_header_1_0, (2, 0): formats.read_array_header_2_0}
        read_header = readers.get(formats.read_magic(file))
        if read_header is None:
            raise ValueError(f"unknown version of the array {entry.filename[:100]!r}")
        shape, _, dtype = read_header(file)
    claimed: int = math.prod(int(side) for side in shape) * dtype.itemsize
    if claimed > entry.file_size:
        raise ValueError(f"the array {entry.filename[:100]!r} claims more data than it has")
    return max(claimed, entry.file_size)


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
