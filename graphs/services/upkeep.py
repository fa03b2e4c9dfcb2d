"""Removes what is no longer needed: old threads and runs, images that no thread names, caches."""

from __future__ import annotations

import math
import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgewright.graphs.services.local import image_store, threads_file
from edgewright.graphs.services.thread_file import ThreadFile
from edgewright.tools.images.store import ImageStore
from edgewright.tools.settings import StorageLimits, cache_folder, home
from edgewright.tools.storage.limits import Stored, surplus
from edgewright.tools.storage.removal import remove
from edgewright.tools.storage.scratch import is_orphan, remove_orphan, scratch_folders

Kind = Literal["threads", "images", "caches", "profiles", "scratch folders", "training runs"]

#: What is removed from the cache folder; the setting could name a folder with other files as well.
_CACHED = ("planner/*.safetensors", "coder/*.safetensors", "exports/*")
#: How often upkeep runs by itself, and how often while a size limit is passed.
_EVERY_S = 86_400.0
_SOON_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What was removed of one kind, and what was kept.

    Attributes:
        kind: What it is.
        removed: Number of things removed.
        removed_bytes: Their size.
        kept: Number of things kept.
        kept_bytes: Their size.
    """

    kind: Kind
    removed: int
    removed_bytes: int
    kept: int
    kept_bytes: int


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """Keeps threads, images and caches within their limits.

    Attributes:
        limits: How much is kept, and for how long.
        images: The image store.
        threads: The file of the threads.
        grace_s: An image is not removed within this time of being put in: its turn may not have
            begun.
    """

    limits: StorageLimits
    images: ImageStore
    threads: Path
    grace_s: float = 3600.0

    def due(self) -> bool:
        """Return whether a limit is passed, or the last upkeep was long ago."""
        try:
            age_s = time.time() - self._stamp.stat().st_mtime
        except OSError:
            age_s = math.inf
        full = self.images.size() > self.limits.images_bytes
        return age_s > (_SOON_S if full else _EVERY_S)

    def tidy(self) -> None:
        """Remove what can be removed without being asked: anything but training runs.

        Raises:
            EdgewrightError: The file of the threads is locked or damaged.
        """
        self._stamp.parent.mkdir(parents=True, exist_ok=True)
        self._stamp.touch()
        self.collect(runs=False)

    def collect(self, *, runs: bool = True, dry_run: bool = False) -> list[Removal]:
        """Remove what is too old, and the oldest of what passes a size limit.

        Installed models and added cards are never removed, nor an image that a thread names.

        Args:
            runs: Include training runs.
            dry_run: Only report what would be removed.

        Raises:
            EdgewrightError: The file of the threads is locked or damaged.
        """
        now = time.time()
        unused, history = now - self.limits.unused_s, now - self.limits.history_s
        max_bytes = self.limits.cache_bytes
        threads = self._threads(history)
        removals = [threads.done(dry_run)]
        # A thread that is continued in this moment stays, and its images with it.
        going = {thread.name for thread in threads.surplus} if dry_run else set()
        removals.append(self._images(unused, going).done(dry_run))
        caches = _files("caches", cache_folder(), _CACHED, unused, max_bytes=max_bytes)
        removals.append(caches.done(dry_run))
        removals.append(_files("profiles", home(), ("profiles/*.json",), history).done(dry_run))
        removals.append(_scratch().done(dry_run))
        if runs:
            removals.append(_files("training runs", home(), ("runs/*",), history).done(dry_run))
        return removals

    def _threads(self, expired_at: float) -> _Sweep:
        file = ThreadFile(self.threads)
        threads = file.threads()
        ended = surplus(threads, max_bytes=math.inf, expired_at=expired_at)
        return _Sweep("threads", threads, ended, file.remove)

    def _images(self, expired_at: float, going: set[str]) -> _Sweep:
        images = self.images.stored()
        named = ThreadFile(self.threads).images(without=going)
        new = time.time() - self.grace_s
        forgotten = surplus(
            images,
            max_bytes=self.limits.images_bytes,
            expired_at=expired_at,
            needed=lambda image: image.name in named or image.used_at > new,
        )
        return _Sweep("images", images, forgotten, self.images.remove)

    @property
    def _stamp(self) -> Path:
        """The file whose time is that of the last upkeep."""
        return self.threads.with_name("upkeep")


def local_upkeep() -> Upkeep:
    """Return the upkeep of this machine's state folder, with the limits of the environment.

    Raises:
        InputError: A limit is not a positive number.
    """
    return Upkeep(
        limits=StorageLimits.from_environment(), images=image_store(), threads=threads_file()
    )


@dataclass(frozen=True)
class _Sweep:
    """What there is of one kind, what of it goes, and how."""

    kind: Kind
    stored: Sequence[Stored]
    surplus: Sequence[Stored]
    remove: Callable[[Sequence[Stored]], None]

    def done(self, dry_run: bool) -> Removal:
        """Remove what goes, unless this is a dry run, and report it."""
        if not dry_run:
            self.remove(self.surplus)
        removed_bytes = sum(each.bytes for each in self.surplus)
        return Removal(
            kind=self.kind,
            removed=len(self.surplus),
            removed_bytes=removed_bytes,
            kept=len(self.stored) - len(self.surplus),
            kept_bytes=sum(each.bytes for each in self.stored) - removed_bytes,
        )


def _scratch() -> _Sweep:
    folders = [_measured(folder, str(folder)) for folder in scratch_folders()]
    orphans = [each for each in folders if is_orphan(Path(each.name))]

    def forget(orphans: Sequence[Stored]) -> None:
        for each in orphans:
            remove_orphan(Path(each.name))

    return _Sweep("scratch folders", folders, orphans, forget)


def _files(
    kind: Kind,
    root: Path,
    patterns: Sequence[str],
    expired_at: float,
    *,
    max_bytes: float = math.inf,
) -> _Sweep:
    """Return what patterns find below a folder; a folder among it is one thing."""
    stored = [
        _measured(path, str(path.relative_to(root)))
        for pattern in patterns
        for path in root.glob(pattern)
    ]

    def forget(old: Sequence[Stored]) -> None:
        for each in old:
            remove(root / each.name)

    return _Sweep(kind, stored, surplus(stored, max_bytes=max_bytes, expired_at=expired_at), forget)


def _measured(path: Path, name: str) -> Stored:
    """Return the size of a file or folder, and the time of its newest file.

    Folders may be nested to any depth, and what cannot be read counts as nothing: it may be another
    program's, or be going away in this moment.
    """
    used_at, size = 0.0, 0
    paths = [str(path)]
    while paths:
        with suppress(OSError):
            each = paths.pop()
            facts = os.lstat(each)
            used_at, size = max(used_at, facts.st_mtime), size + facts.st_size
            if stat.S_ISDIR(facts.st_mode):
                paths += [entry.path for entry in os.scandir(each)]
    return Stored(used_at, name, size)
