"""Files and text of others are read within limits, without blocking, in any usual encoding."""

import fcntl
import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.errors import InputError, TooLargeError
from edgewright.tools.storage.reading import decode, read_file, typed


@pytest.mark.parametrize(
    ("name", "code"),
    [("missing", "file_missing"), ("pipe", "file_unreadable"), (".", "file_unreadable"),
     ("leased", "file_unreadable"), ("nul\0", "file_unreadable"), ("big", "file_too_large")],
)  # fmt: skip
def test_what_cannot_be_read_is_named_at_once(tmp_path: Path, name: str, code: str) -> None:
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # the holder of a lease gets it
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").write_bytes(b"123456")
    (tmp_path / "leased").write_bytes(b"12345")
    lease = os.open(tmp_path / "leased", os.O_RDWR)
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        read_file(tmp_path / name, 5)
    assert time.monotonic() - started < 5
    assert caught.value.info().code == code
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    os.close(lease)
    signal.signal(signal.SIGIO, before)


def test_an_endless_device_is_not_read() -> None:
    with pytest.raises(InputError):
        read_file(Path("/dev/zero"), 10)


def test_a_file_longer_than_its_status_says_is_limited() -> None:
    assert Path("/proc/self/maps").stat().st_size == 0
    with pytest.raises(TooLargeError):
        read_file(Path("/proc/self/maps"), 10)


def test_links_are_followed_or_not(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link", 5) == b"1"
    with pytest.raises(InputError):
        read_file(tmp_path / "link", 5, follow=False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_decoded(encoding: str) -> None:
    assert decode("café £5".encode(encoding)) == "café £5"


@given(st.binary())
def test_any_bytes_are_text_that_can_be_encoded(data: bytes) -> None:
    decode(data).encode("utf-8")


def test_arguments_in_another_encoding_are_understood() -> None:
    assert typed(b"caf\xe9".decode("utf-8", "surrogateescape")) == "café"
    assert typed("café") == "café"
