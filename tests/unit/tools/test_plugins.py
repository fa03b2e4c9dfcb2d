"""Plug-ins: broken ones are named and left out, and only permitted ones are loaded."""

import logging

import pytest

from edgewright.cli.commands.checks import added_by_others
from edgewright.tools.contracts.cards import ToolCard
from edgewright.tools.library import known_cards
from edgewright.tools.plugins import CARDS, contributions, plugins

CODE = """
from edgewright.tools.contracts.cards import ToolCard

def card(name):
    return ToolCard(id=name, task_type="text-generation", title=name, inputs=(), outputs=("text",),
                    description="Something that was added by somebody else.")

def good():
    return [card("good-card"), card("image-classification")]

def broken():
    raise RuntimeError("no such library")

def nothing():
    return None

def strange():
    return ["a card"]
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a distribution with entry points for cards."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name, *functions):
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(CODE)
        folder = tmp_path / f"{module}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        entries = "\n".join(f"{each} = {module}:{each}" for each in functions)
        (folder / "entry_points.txt").write_text(f"[edgewright.cards]\n{entries}\n")

    return make


def test_cards_are_added_and_replace_none(install):
    install("good-plugin", "good")
    cards = known_cards()
    assert cards.get("good-card").title == "good-card"
    assert cards.get("image-classification").title == "image classification"


def test_a_broken_one_is_named_and_left_out(install, caplog):
    install("good-plugin", "good")
    install("bad-plugin", "broken", "nothing", "missing", "strange")
    with caplog.at_level(logging.WARNING):
        cards = [each for each in contributions(CARDS) if isinstance(each, ToolCard)]
    assert [card.id for card in cards] == ["good-card", "image-classification"]
    assert "cards: broken (RuntimeError: no such library)" in caplog.text
    bad, good = plugins()
    assert (bad.distribution, bad.version, len(bad.faults)) == ("bad-plugin", "1.2", 4)
    assert good.faults == ()
    checks = {check.name: check for check in added_by_others()}
    assert checks["plug-in bad-plugin"].state == "problem"
    assert "no such library" in checks["plug-in bad-plugin"].detail
    assert checks["plug-in good-plugin"].detail.startswith("1.2, permitted")


@pytest.mark.parametrize("permitted", ["none", "other-plugin", ""])
def test_only_permitted_ones_are_loaded(install, monkeypatch, permitted):
    install("good-plugin", "good")
    install("bad-plugin", "broken")
    monkeypatch.setenv("EDGEWRIGHT_PLUGINS", permitted)
    assert list(contributions(CARDS)) == []
    assert [plugin.faults for plugin in plugins()] == [(), ()]
    assert {check.state for check in added_by_others()} == {"note"}
    monkeypatch.setenv("EDGEWRIGHT_PLUGINS", "good-plugin, other")
    assert len(list(contributions(CARDS))) == 2
