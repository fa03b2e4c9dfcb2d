"""JSON and YAML of others are parsed within limits; every failure is the same error."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.storage.documents import DocumentError, parse_json, parse_yaml

MERGES = "x0: &x0 {a: 1}\n" + "".join(
    f"x{n}: &x{n}\n  <<: [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "deeper"),
        ("- " * 5000 + "a", "deeper"),
        (MERGES, "aliases counted"),
        ("a: &a [1]\nb: [" + ", ".join(["*a"] * 60_000) + "]", "aliases counted"),
        ("a: &a [*a]", "alias"),
        ("a: " + "9" * 5000, "digits"),
        ("a: 0x" + "9" * 5000, "digits"),
        ("a: 0x" + "F" * 4000, "digits"),
        ("a: !!int '" + "9" * 4000 + "'", "digits"),
        ("a: !!int 0x" + "f" * 4000, "digits"),
        ("a: !!timestamp nonsense", "fit"),
        ("a: !!int ''", "fit"),
        ("a: !!bool maybe", "fit"),
        ("? {a: b}\n: c", "not valid YAML"),
        ("a: \x07", "not valid YAML"),
        ("x" * 3_000_000, "characters"),
    ],
)
def test_hostile_yaml_is_refused_in_time(text: str, reason: str) -> None:
    started = time.monotonic()
    with pytest.raises(DocumentError, match=reason):
        parse_yaml(text)
    assert time.monotonic() - started < 10


def test_usual_yaml_is_read() -> None:
    text = "base: &b {a: 1, when: 2026-02-30}\nmine: {<<: *b, c: 3}"
    shared = {"a": 1, "when": "2026-02-30"}
    assert parse_yaml(text) == {"base": shared, "mine": shared | {"c": 3}}


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 5000, "9" * 400, "1e999", "NaN", "-Infinity", "{", ""]
)
def test_hostile_json_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_json(text)


def test_half_a_surrogate_pair_becomes_text_that_can_be_encoded() -> None:
    assert parse_json('["\\ud83d?", "\\ud83d\\ude00"]') == ["\ufffd?", "😀"]


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (parse_json, parse_yaml):
        try:
            parse(text)
        except DocumentError:
            continue
