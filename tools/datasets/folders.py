"""Reading folders of images as people and other programs leave them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewright.tools.datasets.duplicates import duplicate_groups
from edgewright.tools.datasets.listing import (
    MAX_IMAGE_BYTES,
    Leaf,
    Listing,
    folders_in,
    has_images,
    listed,
    shown,
)
from edgewright.tools.datasets.samples import Samples, common_side, drop_colour, to_array
from edgewright.tools.datasets.summary import DataSummary, Left
from edgewright.tools.errors import EdgewrightError, InputError
from edgewright.tools.images.conversion import (
    IMAGE_SUFFIXES,
    to_accepted_format,
)
from edgewright.tools.images.decode import decode
from edgewright.tools.images.probe import probe
from edgewright.tools.storage.reading import read_file, typed

_SPLITS = {
    "train": re.compile(r"train(?:ing)?"),
    "validation": re.compile(r"val(?:id(?:ation)?)?|dev(?:elopment)?|eval(?:uation)?"),
    "test": re.compile(r"test(?:ing)?|hold-?out|held-?out"),
}
#: What may follow in the name of a split: "train_set", "val2017".
_AFTER_SPLIT = re.compile(r"[-_ ]?(?:set|data|dataset|images|split|[0-9]{1,4})$")
#: Names of folders that sort the images of a class, and name no class themselves.
_SORTING = re.compile(
    r"(?:19|20)[0-9]{2}(?:[-_. ]?[0-9]{2}){0,2}"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
    r"|(?:batch|part|set|session|day|week|month|year|camera|roll|folder)[-_ ]?[0-9]+"
    r"|(?:img|image|photo|picture|jpg|jpeg|png)s?[-_ ]?[0-9]*",
    re.IGNORECASE,
)
_Layout = Literal["classes", "clients", "splits"]


def read_folder(root: Path) -> Samples:
    """Read a folder of class folders, with images at any depth.

    Around the class folders there may be one folder per client (the attribute), or ``train``,
    ``val`` and ``test``, which remain as they are; those may also be inside each class. Hidden
    files and those of other programs are left out; damaged images are left out and named in the
    summary.

    Args:
        root: The folder.

    Raises:
        InputError: It contains no class folders with images, an empty class folder (both
            ``data_empty``), or only damaged images (``image_corrupt``).
        TooLargeError: There are more than ``MAX_IMAGES`` images (``data_too_large``).
    """
    name = root.resolve().name
    root = _unwrapped(root)
    layout, leaves = _leaves(root)
    listing = listed(root, leaves)
    if not listing.files:
        raise InputError(
            f"the folder {name!r} contains no class folders with images "
            f"({', '.join(sorted(IMAGE_SUFFIXES))})"
            + (f"; {listing.unreadable[0]}" if listing.unreadable else ""),
            code="data_empty",
        )
    if layout == "classes":
        filled = {leaf for leaf, _ in listing.files}
        for leaf in leaves:
            if leaf not in filled:
                raise InputError(
                    f"the class folder {leaf.label!r} contains no image; add images or remove it",
                    code="data_empty",
                )
    return _samples(name, root, layout, listing)


def _samples(name: str, root: Path, layout: _Layout, listing: Listing) -> Samples:
    images, leaves, paths, original = _pixels(root, listing)
    labels = [leaf.label for leaf in leaves]
    groups = duplicate_groups(images)
    splits = np.array([leaf.split for leaf in leaves])
    conflicts = _conflicts(groups, labels, paths, root)
    keep = np.ones(len(paths), dtype=bool)
    if layout == "splits":
        held = np.isin(groups, groups[splits != "train"])
        keep = (splits != "train") | ~held
    chosen = np.flatnonzero(keep)
    labels, images, groups, splits = (
        [labels[index] for index in chosen], images[chosen], groups[chosen], splits[chosen]
    )  # fmt: skip
    classes = tuple(sorted(set(labels)))
    clients = np.array([leaves[index].client for index in chosen])
    return Samples(
        name=name,
        images=drop_colour(images),
        labels=np.array([classes.index(label) for label in labels], dtype=np.int64),
        classes=classes,
        original_side=original,
        test=_own(splits, "test"),
        validation=_own(splits, "validation"),
        attribute=clients if layout == "clients" else None,
        groups=groups,
        summary=DataSummary(
            layout=layout,
            read=len(labels),
            classes=dict(sorted(Counter(labels).items())),
            foreign=listing.foreign,
            others=listing.others,
            unsupported=Left.of(listing.unsupported),
            unreadable=Left.of(listing.unreadable),
            duplicates=len(groups) - len(set(groups.tolist())),
            conflicts=Left.of(conflicts),
            removed=int((~keep).sum()),
        ),
    )


def _pixels(root: Path, listing: Listing) -> tuple[NDArray[np.uint8], list[Leaf], list[Path], int]:
    """Decode the images at a common size; damaged ones are added to the listing."""
    sides, readable = [], []
    for leaf, path in listing.files:
        try:
            facts = probe(to_accepted_format(read_file(path, MAX_IMAGE_BYTES)))
        except EdgewrightError as error:
            listing.unreadable.append(f"{shown(path, root)}: {error.message}")
        except ModuleNotFoundError as error:
            listing.unsupported.append(f"{shown(path, root)} (needs {error.name})")
        else:
            sides.append(max(facts.width, facts.height))
            readable.append((leaf, path))
    if not readable:
        raise InputError([*listing.unreadable, *listing.unsupported][0], code="image_corrupt")
    side, original = common_side(sides)
    arrays, leaves, paths = [], [], []
    for leaf, path in readable:
        try:
            image: Image.Image = decode(to_accepted_format(read_file(path, MAX_IMAGE_BYTES)))
        except EdgewrightError as error:
            listing.unreadable.append(f"{shown(path, root)}: {error.message}")
            continue
        arrays.append(to_array(image, height=side, width=side, channels=3))
        leaves.append(leaf)
        paths.append(path)
    if not arrays:
        raise InputError(listing.unreadable[0], code="image_corrupt")
    return np.stack(arrays), leaves, paths, original


def _conflicts(
    groups: NDArray[np.int64], labels: list[str], paths: list[Path], root: Path
) -> list[str]:
    """Name the groups of copies that are in several classes."""
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(index)
    found = []
    for indices in members.values():
        if len({labels[index] for index in indices}) > 1:
            by_class = {labels[index]: paths[index] for index in indices}
            found.append(" = ".join(sorted(shown(path, root) for path in by_class.values())))
    return sorted(found)


def _own(splits: NDArray[np.str_], name: str) -> NDArray[np.bool_] | None:
    chosen: NDArray[np.bool_] = splits == name
    return chosen if chosen.any() else None


def _unwrapped(root: Path) -> Path:
    """Enter folders that contain a single folder of folders, as unpacked archives have."""
    for _ in range(3):
        inner = folders_in(root)
        if len(inner) != 1 or has_images(root) or has_images(inner[0]):
            break
        if not folders_in(inner[0]):
            break
        root = inner[0]
    return root


def _leaves(root: Path) -> tuple[_Layout, list[Leaf]]:
    """Recognise the layout, and list the class folders."""
    tops = folders_in(root)
    if splits := _splits(tops):
        return "splits", [
            Leaf(child, split=splits[top]) for top in tops for child in folders_in(_sorted(top))
        ]
    inner = {top: folders_in(top) for top in tops}
    if any(map(has_images, tops)) or not any(inner.values()):
        return "classes", [Leaf(top) for top in tops]
    if all(_splits(children) for children in inner.values()):
        return "splits", [
            Leaf(child, split=split, name=top.name)
            for top, children in inner.items()
            for child, split in _splits(children).items()
        ]
    names = {child.name for children in inner.values() for child in children}
    if all(map(_SORTING.fullmatch, names)) or (len(names) == 1 and len(tops) > 1):
        return "classes", [Leaf(top) for top in tops]
    return "clients", [
        Leaf(child, client=typed(top.name)) for top, children in inner.items() for child in children
    ]


def _splits(folders: list[Path]) -> dict[Path, str]:
    """Return which split each folder is; empty unless all are splits, training and another."""
    found = {folder: _split(folder.name) for folder in folders}
    complete = len(found) > 1 and "train" in found.values() and all(found.values())
    return found if complete else {}


def _split(name: str) -> str:
    word = _AFTER_SPLIT.sub("", name.lower())
    return next((split for split, names in _SPLITS.items() if names.fullmatch(word)), "")


def _sorted(folder: Path) -> Path:
    """Enter folders such as ``images`` that are alone around the class folders."""
    inner = folders_in(folder)
    alone = len(inner) == 1 and _SORTING.fullmatch(inner[0].name) and not has_images(folder)
    if alone and folders_in(inner[0]):
        return _sorted(inner[0])
    return folder
