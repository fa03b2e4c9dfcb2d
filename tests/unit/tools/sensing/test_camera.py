"""The folder that simulates a camera."""

from pathlib import Path

import pytest

from edgewright.tools.errors import NotFoundError, TooLargeError
from edgewright.tools.sensing.camera import Camera


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    (tmp_path / "outside.png").write_bytes(b"secret")
    folder = tmp_path / "camera"
    folder.mkdir()
    (folder / "b.JPG").write_bytes(b"bb")
    (folder / "a.png").write_bytes(b"a")
    (folder / "notes.txt").write_text("not a photograph")
    (folder / "folder.png").mkdir()
    return Camera(folder)


def test_lists_photographs_only(camera: Camera) -> None:
    assert camera.names() == ["a.png", "b.JPG"]


def test_reads_a_photograph(camera: Camera) -> None:
    assert camera.photograph("b.JPG", max_bytes=2) == b"bb"


@pytest.mark.parametrize("name", ["../outside.png", "notes.txt", "folder.png", "", "/etc/passwd"])
def test_reads_nothing_else(camera: Camera, name: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        camera.photograph(name, max_bytes=100)
    assert raised.value.info().code == "unknown_photograph"


def test_refuses_large_files(camera: Camera) -> None:
    with pytest.raises(TooLargeError):
        camera.photograph("b.JPG", max_bytes=1)


@pytest.mark.parametrize("folder", [None, Path("does-not-exist")])
def test_no_folder_is_an_empty_camera(folder: Path | None) -> None:
    assert Camera(folder).names() == []
