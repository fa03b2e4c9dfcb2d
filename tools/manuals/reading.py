"""Reading manuals from text, Markdown or PDF files, none of which are trusted.

PDFs are parsed in a subprocess with limits on memory and time, since small malformed PDFs are known
to drive parsers into endless loops and huge allocations.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from edgewright.tools.errors import InputError, TooLargeError, UnavailableError
from edgewright.tools.manuals.manual import Manual, numbered

#: Maximum size of a file in bytes, of its text in characters, and of a PDF in pages.
MAX_BYTES = 16_000_000
MAX_CHARACTERS = 400_000
MAX_PAGES = 300
#: Maximum time to parse a PDF.
TIMEOUT_S = 30.0

_TEXT = (".txt", ".md", ".markdown")


def read_manual(path: Path) -> Manual:
    """Read a manual.

    Args:
        path: A ``.txt``, ``.md`` or ``.pdf`` file.

    Raises:
        InputError: The file is missing, of an unsupported type, damaged, or contains no text.
        TooLargeError: The file exceeds a limit.
        UnavailableError: The file is a PDF and pypdf is not installed.
    """
    kind = path.suffix.lower()
    if kind not in (*_TEXT, ".pdf"):
        raise InputError(
            f"{path.name!r} is not a supported manual; use a .txt, .md or .pdf file",
            code="unsupported_manual",
        )
    data = _bytes(path)
    manual = _from_pdf(path.name, data) if kind == ".pdf" else _from_text(path.name, data)
    if not manual.lines:
        raise InputError(
            f"{path.name!r} contains no text; run text recognition on a scanned manual first",
            code="manual_empty",
        )
    return manual


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot read {path.name!r}: {error.strerror}; check the path", code="file_missing"
        ) from None
    if len(data) > MAX_BYTES:
        raise TooLargeError(f"{path.name!r} has more than {MAX_BYTES} bytes; use a shorter part")
    return data


def _from_text(name: str, data: bytes) -> Manual:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{name!r} is not UTF-8 text; save it as UTF-8", code="manual_unreadable"
        ) from None
    if len(text) > MAX_CHARACTERS:
        raise TooLargeError(
            f"{name!r} has more than {MAX_CHARACTERS} characters; use the part about the device"
        )
    return Manual(name=name, lines=tuple(numbered(text)))


def _from_pdf(name: str, data: bytes) -> Manual:
    """Read the pages with ``pdf_text``, in a subprocess that can be killed."""
    if find_spec("pypdf") is None:
        raise UnavailableError(
            "PDF manuals need pypdf: pip install 'edgewright[agent]', or save the manual as text",
            code="pdf_reader_missing",
        )
    command = [sys.executable, "-P", "-m", "edgewright.tools.manuals.pdf_text"]
    try:
        child = subprocess.run(  # noqa: S603 - our own module; the file is passed on standard input
            [*command, name, str(MAX_PAGES), str(MAX_CHARACTERS)],
            input=data,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TooLargeError(
            f"{name!r} took longer than {TIMEOUT_S:g} s to parse; save it as a text file",
            code="manual_too_slow",
        ) from None
    try:
        return Manual.model_validate_json(child.stdout)
    except ValidationError:
        raise InputError(
            f"{name!r} cannot be read as a PDF; it may be damaged, encrypted or too long "
            f"(maximum {MAX_PAGES} pages); save it as text",
            code="manual_unreadable",
        ) from None
