"""The process that parses a PDF: its bytes on standard input, a ``Manual`` as JSON on output.

Run as ``python -m edgewright.tools.manuals.pdf_text NAME MAX_PAGES MAX_CHARACTERS``. Whatever goes
wrong in it, the caller sees only that no manual came out.
"""

from __future__ import annotations

import resource
import sys
from io import BytesIO

from edgewright.tools.manuals.manual import Line, Manual, numbered

#: Most memory that the process may take; pypdf itself needs a tenth of it.
MAX_MEMORY_BYTES = 1_000_000_000


def main(name: str, max_pages: int, max_characters: int) -> None:
    """Read the PDF on standard input."""
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
