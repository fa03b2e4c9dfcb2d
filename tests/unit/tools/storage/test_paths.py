"""Paths are understood as people type, paste and drop them."""

import os
import shlex
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.storage.paths import existing_path


@pytest.mark.parametrize(
    "typed",
    [
        "{}", "'{}'", '"{}" ', "file://{}", "file://localhost{}", "FILE:{}",
    ],
)  # fmt: skip
def test_quotes_and_urls(tmp_path: Path, typed: str) -> None:
    path = tmp_path / "my cat (1).png"
    path.touch()
    assert existing_path(typed.format(path)) == path


@pytest.mark.parametrize(
    "typed",
    [
        "{}", "“{}”", "\u2018{}\u2019", "«{}»", "<{}>", "`{}`", " {}\n", "\u202a{}", "file:{}", "file://{}",
    ],
)  # fmt: skip
def test_names_with_signs_that_mean_something_elsewhere(tmp_path: Path, typed: str) -> None:
    path = tmp_path / "it's 100%41 #2.png"
    path.touch()
    assert existing_path(typed.format(path)) == path
    for quoted in (
        shlex.quote(str(path)),
        "'" + str(path).replace("'", "'\\''") + "'",
        path.as_uri(),
    ):
        assert existing_path(quoted) == path
        assert existing_path(f" {quoted} ") == path


def test_escapes_percent_signs_and_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "my cat.png"
    path.touch()
    for typed in (str(path).replace(" ", "\\ "), f"file://{str(path).replace(' ', '%20')}",
                  "~/my cat.png", "'~/my cat.png'"):  # fmt: skip
        assert existing_path(typed) == path


def test_a_name_that_exists_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("'quoted'", "back\\slash", "file:x"):
        Path(name).touch()
        assert existing_path(name) == Path(name)


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_composed_and_decomposed_names_are_the_same(tmp_path: Path, stored: str) -> None:
    path = tmp_path / unicodedata.normalize(stored, "café.png")
    path.touch()
    for typed in ("NFC", "NFD"):
        assert existing_path(unicodedata.normalize(typed, str(path))) == path


@given(st.text())
def test_any_text_is_a_path(text: str) -> None:
    os.fspath(existing_path(text))
