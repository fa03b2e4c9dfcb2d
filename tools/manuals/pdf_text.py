"""Subprocess that parses a PDF from standard input and writes a ``Manual`` as JSON.

Run as ``python -m edgewright.tools.manuals.pdf_text NAME MAX_PAGES MAX_CHARACTERS``. On any failure
the caller sees only that no manual was written.
"""

from __future__ import annotations

import resource
import sys
from io import BytesIO

from edgewright.tools.manuals.manual import Line, Manual, numbered

#: Maximum memory of the process; pypdf itself needs a tenth of it.
MAX_MEMORY_BYTES = 1_000_000_000


def main(name: str, max_pages: int, max_characters: int) -> None:
    """Convert the PDF on standard input to a ``Manual`` on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    from pypdf import PdfReader

    pages = PdfReader(BytesIO(sys.stdin.buffer.read())).pages
    if len(pages) > max_pages:
        sys.exit("too many pages")
    lines: list[Line] = []
    left = max_characters
    for number, page in enumerate(pages, start=1):
        text = page.extract_text()
        left -= len(text)
        if left < 0:
            sys.exit("too much text")
        lines += numbered(text, page=number)
    sys.stdout.write(Manual(name=name, lines=tuple(lines)).model_dump_json())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
