"""Nothing that others wrote controls the terminal, and no encoding ends a command."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from edgewright.cli.views.safe import safe
from edgewright.cli.views.screen import Screen

HOSTILE = "\x1b]0;PWNED\x07\x1b[2J\x1b]52;c;UFdO\x07\x9b31m\u202egnp.\u2066\x08\r\x00\x7f"


def is_safe(text):
    return all(c.isprintable() or c in "\n\t" for c in text)


@given(st.text() | st.text(alphabet=st.characters(max_codepoint=0x9F)))
def test_any_text_becomes_visible(text):
    shown = safe(text)
    assert all(c.isprintable() or c in "\n\t\u200c\u200d" or category(c) == "Zs" for c in shown)
    assert len(shown) == len(text)
    assert safe(shown) == shown
    shown.encode()


def test_usual_text_is_unchanged():
    for text in ("café\n\t1 °C", "日本語", "עברית", "👩\u200d🔬"):
        assert safe(text) == text


def test_a_console_shows_only_safe_text_and_keeps_its_colours():
    target = io.StringIO()
    screen = Screen(file=target, force_terminal=True, color_system="standard", width=200)
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(Text(HOSTILE, "red"))
    screen.print(table, HOSTILE)
    with screen.status(Text(HOSTILE)):
        screen.print(Text(HOSTILE), markup=False)
    shown = target.getvalue()
    assert "\x1b[31m" in shown
    for part in ("\x1b]0;", "\x1b]52", "\x9b", "\u202e", "\x07", "\x08", "\x00", "\x7f"):
        assert part not in shown


CARD = """
id: soil-probe
task_type: sensor-reading
title: "Soil \\e[2J"
description: "Reads how moist the soil is.\\e]0;PWNED\\a"
inputs: []
outputs: [signal]
{more}demonstrations:
- {{request: "How moist is\\e[2J\\e]52;c;UFdO\\a the soil?"}}
"""


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    (tmp_path / "cards").mkdir()
    return tmp_path


def test_bad_cards_stop_no_command_and_are_named(edgewright, state):
    cards = state / "cards"
    (cards / "good.yaml").write_text(CARD.format(more=""))
    (cards / "again.yaml").write_text(CARD.format(more=""))
    (cards / "deep.yaml").write_text("[" * 100_000)
    (cards / "digits.yaml").write_text("title: " + "9" * 5000)
    (cards / "date.yaml").write_text("id: 2026-13-45")
    (cards / "field\x1b[2J.yaml").write_text(CARD.format(more='"\\e]0;PWNED\\a": 1\n'))
    os.mkfifo(cards / "pipe.yaml")
    result = edgewright("plan", "--list")
    assert result.exit_code == 0
    assert "soil-probe" in result.stdout
    named = result.stderr
    bad = ("deep.yaml", "digits.yaml", "date.yaml", "field␛[2J.yaml", "pipe.yaml", "good.yaml")
    assert all(name in named for name in bad)
    assert is_safe(result.stdout) and is_safe(named)
    checks = json.loads(edgewright("doctor", "--json").stdout)["checks"]
    details = " ".join(check["detail"] for check in checks if check["name"] == "added cards")
    assert all(name.replace("␛", "\x1b") in details for name in bad)


def run(*args, env=None, stdout=subprocess.PIPE):
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        [sys.executable, "-c", "from edgewright.cli.main import app; app()", *args],
        stdout=stdout, stderr=subprocess.PIPE, env=environment, timeout=60, check=False,
    )  # fmt: skip


def test_no_encoding_of_the_output_ends_a_command(state):
    (state / "cards" / "good.yaml").write_text(CARD.format(more=""))
    for encoding in ("ascii", "latin-1", "utf-16"):
        done = run("plan", "--list", env={"PYTHONIOENCODING": encoding})
        assert done.returncode == 0, done.stderr
        done = run("plan", "--list", "--json", env={"PYTHONIOENCODING": encoding})
        assert "soil-probe" in [card["id"] for card in json.loads(done.stdout.decode(encoding))]


def test_a_full_disk_behind_the_output_is_reported(state):
    with Path("/dev/full").open("w") as full:
        done = run("plan", "--list", "--json", stdout=full)
    assert done.returncode == 1
    assert b"[storage_full]" in done.stderr
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr


def test_latin_1_arguments_and_input_are_understood(state):
    done = run("plan", "--embedded", b"is this a caf\xe9?", "--json")
    assert json.loads(done.stdout)["request"] == "is this a café?"
