"""Reading files and text that others wrote: bounded, never blocking, in any usual encoding."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from edgewright.tools.errors import InputError, TooLargeError

#: Byte-order marks, longest first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_file(path: Path, max_bytes: int, *, follow: bool = True) -> bytes:
    """Read a regular file.

    It is opened without blocking, so that neither a pipe nor a lease holds the caller up, and its
    type and size are those of the open file, not of the name.

    Args:
        path: The file.
        max_bytes: Maximum size.
        follow: Whether a link is followed; not for folders that untrusted programs write to.

    Raises:
        InputError: The file is missing (``file_missing``), or it cannot be read or is no regular
            file (``file_unreadable``).
        TooLargeError: It has more bytes (``file_too_large``).
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        handle = os.open(path, flags | (0 if follow else os.O_NOFOLLOW))
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if stat.S_ISDIR(status.st_mode):
                raise _unreadable(path, "it is a folder")
            if not stat.S_ISREG(status.st_mode):
                raise _unreadable(path, "it is not a regular file")
            if status.st_size <= max_bytes:
                data = file.read(max_bytes + 1)
                if len(data) <= max_bytes:
                    return data
    except FileNotFoundError:
        raise InputError(
            f"cannot read {str(path)!r}: no such file; check the path", code="file_missing"
        ) from None
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL byte
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _unreadable(path, reason or "unknown reason") from None
    raise TooLargeError(
        f"{str(path)!r} has more than the limit of {max_bytes} bytes; choose a smaller file",
        code="file_too_large",
    )


def decode(data: bytes) -> str:
    """Decode text: by its byte-order mark, as UTF-8, or else as Windows' Western European.

    The last accepts any bytes, as editors do; what it cannot show becomes U+FFFD.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def typed(text: str) -> str:
    """Return text from the command line or standard input as its writer meant it.

    Python keeps bytes there that are not UTF-8 as lone surrogates, which no encoder accepts.
    """
    return decode(os.fsencode(text)) if any("\udc80" <= c <= "\udcff" for c in text) else text


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(
        f"cannot read {str(path)!r}: {reason}; check the path", code="file_unreadable"
    )
