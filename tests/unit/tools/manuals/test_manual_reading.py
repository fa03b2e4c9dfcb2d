"""Manuals become numbered lines; files that are too large, too slow or invalid are refused."""

import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.errors import InputError, TooLargeError
from edgewright.tools.manuals import reading
from edgewright.tools.manuals.manual import MAX_LINE, clean, numbered
from edgewright.tools.manuals.reading import read_manual

MANUALS = Path(__file__).parents[3] / "data" / "manuals"


def test_lines_of_a_text_keep_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Title\n\n  two   words\r\n", "utf-8-sig")
    lines = read_manual(tmp_path / "a.md").lines
    assert [(line.number, line.text, line.page) for line in lines] == [
        (1, "# Title", None),
        (3, "two words", None),
    ]


def test_lines_of_a_pdf_are_counted_on_their_pages() -> None:
    lines = read_manual(MANUALS / "acoustic.pdf").lines
    assert (lines[0].page, lines[0].number) == (1, 1)
    (accuracy,) = [line for line in lines if "accuracy" in line.text]
    assert (accuracy.page, accuracy.text) == (2, "Sound level accuracy: ±1.5 dB(A)")


@given(st.text())
def test_lines_contain_only_printable_characters(text: str) -> None:
    for line in numbered(text):
        assert line.text.replace(" ", "").isprintable()
        assert len(line.text) <= MAX_LINE


def test_hidden_characters_are_removed() -> None:
    assert clean("a\u200bb\u202e c\x1b[31m\x00\t d") == "ab c[31m d"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.docx", b"PK", "unsupported_manual"),
        ("missing.md", None, "file_missing"),
        ("latin.txt", b"20 \xb0C", "manual_unreadable"),
        ("empty.md", b"\n \n", "manual_empty"),
        ("broken.pdf", b"%PDF-1.4 not really a PDF", "manual_unreadable"),
    ],
)
def test_an_invalid_manual_is_refused(
    tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_manual(tmp_path / name)
    assert caught.value.info().code == code
    assert name in caught.value.message


def test_a_file_or_a_text_that_is_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_text("word " * 30)
    monkeypatch.setattr(reading, "MAX_CHARACTERS", 100)
    with pytest.raises(TooLargeError, match="characters"):
        read_manual(tmp_path / "a.md")
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    with pytest.raises(TooLargeError, match="bytes"):
        read_manual(tmp_path / "a.md")


@pytest.mark.parametrize("limit", ["MAX_PAGES", "MAX_CHARACTERS"])
def test_a_pdf_with_too_many_pages_or_words_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(reading, limit, 1)
    with pytest.raises(InputError, match="too long"):
        read_manual(MANUALS / "acoustic.pdf")


def test_parsing_a_slow_pdf_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TIMEOUT_S", 0.01)
    with pytest.raises(TooLargeError) as caught:
        read_manual(MANUALS / "acoustic.pdf")
    assert caught.value.info().code == "manual_too_slow"


def test_a_pdf_that_is_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    compressor = zlib.compressobj(9)
    bomb = b"".join(compressor.compress(bytes(1_000_000)) for _ in range(100)) + compressor.flush()
    pdf = (MANUALS / "acoustic.pdf").read_bytes()
    start = pdf.index(b"<< /Length")
    end = pdf.index(b"endstream", start)
    head = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(bomb)
    # The cross-reference table no longer matches; readers then scan for the objects.
    (tmp_path / "bomb.pdf").write_bytes(pdf[:start] + head + bomb + b"\n" + pdf[end:])
    with pytest.raises(InputError, match=r"bomb\.pdf"):
        read_manual(tmp_path / "bomb.pdf")
