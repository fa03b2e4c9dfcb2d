"""Listing the files of class folders: which are images, which are left out, which are named."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgewright.tools.errors import TooLargeError
from edgewright.tools.images.conversion import IMAGE_SUFFIXES, OTHER_IMAGE_SUFFIXES
from edgewright.tools.storage.reading import typed

#: Maximum number of images in a folder, and of bytes in each.
MAX_IMAGES = 200_000
MAX_IMAGE_BYTES = 100_000_000
#: Nobody sorts images into folders nested deeper.
_MAX_DEPTH = 16

#: Folders and files that other programs leave beside images.
_FOREIGN = frozenset(
    {"__macosx", "@eadir", "@recycle", "#recycle", "#snapshot", "$recycle.bin", "lost+found",
     "system volume information", "__pycache__", "thumbs.db", "desktop.ini", "ehthumbs.db",
     "@tmp", "@recently-snapshot"}
)  # fmt: skip
#: Beginnings of the names of hidden files and of an office program's locks.
_HIDDEN = (".", "~$")


@dataclass(frozen=True)
class Leaf:
    """A class folder.

    Attributes:
        path: The folder.
        client: The client that it belongs to; empty if there are none.
        split: The split that it belongs to; empty if the folder has none of its own.
        name: Name of the class, if it is not that of the folder.
    """

    path: Path
    client: str = ""
    split: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """Name of the class."""
        return unicodedata.normalize("NFC", typed(self.name or self.path.name))


@dataclass
class Listing:
    """What was found in a folder of class folders.

    Attributes:
        files: The images, each with its class folder.
        foreign: Number of hidden files and files of other programs.
        others: Number of files that are no images.
        unsupported: Images in formats that cannot be read.
        unreadable: What cannot be used, with reasons.
    """

    files: list[tuple[Leaf, Path]] = field(default_factory=list)
    foreign: int = 0
    others: int = 0
    unsupported: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def listed(root: Path, leaves: list[Leaf]) -> Listing:
    """List the files of all class folders, and name the images that are in none."""
    listing = Listing()
    for leaf in leaves:
        for path in _files(leaf.path, listing, root):
            _sort_file(leaf, path, listing, root)
    for path in _files(root, listing, root, without={leaf.path for leaf in leaves}):
        if path.is_symlink() and not path.exists():
            listing.unreadable.append(f"{shown(path, root)}: the link leads nowhere")
        elif path.suffix.lower() in IMAGE_SUFFIXES | OTHER_IMAGE_SUFFIXES:
            listing.unreadable.append(f"{shown(path, root)}: it is in no class folder")
        else:
            listing.others += 1
    listing.files.sort(key=lambda found: (found[0].path, found[1]))
    return listing


def _files(
    top: Path, listing: Listing, root: Path, *, without: Collection[Path] = ()
) -> Iterator[Path]:
    """Yield the files below a folder; links are followed, and each folder is entered once.

    Other programs' files are counted in the listing, and folders that cannot be entered are named.
    """
    pending, seen = [(top, 0)], {_identity(top)}
    while pending:
        folder, depth = pending.pop()
        for entry in sorted(_entries(folder, listing, root)):
            if _is_foreign(entry.name):
                listing.foreign += 1
            elif entry not in without and not entry.is_dir():
                yield entry
            elif entry not in without:
                reason = ""
                if depth == _MAX_DEPTH:
                    reason = "it is nested too deeply"
                elif top.resolve().is_relative_to(entry.resolve()):
                    reason = "the link leads to a folder around it"
                elif (identity := _identity(entry)) not in seen:
                    seen.add(identity)
                    pending.append((entry, depth + 1))
                if reason:
                    listing.unreadable.append(f"{shown(entry, root)}: {reason}")


def _sort_file(leaf: Leaf, path: Path, listing: Listing, root: Path) -> None:
    suffix = path.suffix.lower()
    if suffix in OTHER_IMAGE_SUFFIXES:
        listing.unsupported.append(shown(path, root))
    elif suffix not in IMAGE_SUFFIXES:
        listing.others += 1
    elif not path.exists():
        listing.unreadable.append(f"{shown(path, root)}: the link leads nowhere")
    else:
        listing.files.append((leaf, path))
        if len(listing.files) > MAX_IMAGES:
            raise TooLargeError(
                f"there are more images than the limit of {MAX_IMAGES}; use a sample of them",
                code="data_too_large",
            )


def _entries(folder: Path, listing: Listing, root: Path) -> list[Path]:
    try:
        # Each must have a path that can be used.
        return [entry for entry in folder.iterdir() if entry.lstat()]
    except OSError as error:
        listing.unreadable.append(f"{shown(folder, root)}: {error.strerror}")
        return []


def folders_in(path: Path) -> list[Path]:
    """List the folders in a folder, but for other programs'."""
    return sorted(
        child for child in path.iterdir() if child.is_dir() and not _is_foreign(child.name)
    )


def has_images(folder: Path) -> bool:
    """Return whether there are images directly in a folder."""
    return any(
        child.suffix.lower() in IMAGE_SUFFIXES and child.is_file() and not _is_foreign(child.name)
        for child in folder.iterdir()
    )


def _is_foreign(name: str) -> bool:
    return name.startswith(_HIDDEN) or name.lower() in _FOREIGN


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def shown(path: Path, root: Path) -> str:
    """Return a path below a folder as it is shown to people."""
    return typed(str(path.relative_to(root)))
