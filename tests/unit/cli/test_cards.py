"""``edgewright cards``: checking, drafting from manuals and approving, with a small catalogue."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from edgewright.agents.manuals.draft import CardDraft
from edgewright.agents.manuals.drafting import draft, make_extractor
from edgewright.cli.commands import cards as command
from edgewright.tools import library
from edgewright.tools.cards import CardRegistry, Demonstration
from edgewright.tools.cards.added import added_cards, cards_folder
from edgewright.tools.manuals.reading import read_manual

MANUALS = Path(__file__).parents[2] / "data" / "manuals"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> CardRegistry:
    """Three of the built-in cards, with few demonstrations, as the whole catalogue."""
    names = ("image-to-text", "federated-training", "mood-from-network-traffic")
    cards = [CardRegistry.builtin().get(name) for name in names]
    few = CardRegistry(
        card.model_copy(update={"demonstrations": card.demonstrations[:8]}) for card in cards
    )
    monkeypatch.setattr(library, "known_cards", lambda: few)
    return few


@pytest.fixture(scope="module")
def thermometer() -> CardDraft:
    return draft(read_manual(MANUALS / "thermometer.md"), make_extractor())


@pytest.fixture
def written(thermometer, tmp_path):
    path = tmp_path / "th-20.draft.yaml"
    path.write_text(yaml.safe_dump(thermometer.model_dump(mode="json")))
    return path


@pytest.fixture
def at_terminal(monkeypatch, edgewright):
    """Run a command as if in a terminal, and type the answer."""
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))

    def run(*args, answer):
        monkeypatch.setattr(command, "sys", terminal)
        return edgewright(*args, stdin=answer)

    return run


def save(path, card, **changes):
    path.write_text(yaml.safe_dump(card.model_dump(mode="json") | changes))
    return path


def test_a_card_that_copies_another_does_not_pass(edgewright, few, tmp_path):
    copied = save(tmp_path / "copy.yaml", few.get("image-to-text"), id="caption")
    result = edgewright("cards", "check", copied, "--json")
    assert result.exit_code == 1
    confusion = json.loads(result.stdout)
    assert confusion["card"] == "caption"
    assert not confusion["passed"]
    assert {each["taken_for"] for each in confusion["lost"]} == {"image-to-text"}
    shown = edgewright("cards", "check", copied)
    assert shown.exit_code == 1
    assert "is confused with other cards" in shown.stdout
    assert "nearly identical" in shown.stdout.replace("\n", " ")


def test_a_distinct_card_passes_against_a_catalogue_by_path(edgewright, few, tmp_path):
    folder = tmp_path / "catalogue"
    folder.mkdir()
    for card in list(few)[:2]:
        save(folder / f"{card.id}.yaml", card)
    mood = save(tmp_path / "mood.yaml", few.get("mood-from-network-traffic"))
    result = edgewright("cards", "check", mood, "--cards", folder)
    assert result.exit_code == 0
    assert "is distinct from the other cards" in result.stdout


@pytest.mark.parametrize(
    ("text", "part"),
    [("id: [", "not valid YAML"), ("id: Two Words", "id"), (None, "check the path")],
)
def test_an_invalid_card_is_reported_with_its_place(edgewright, error_of, tmp_path, text, part):
    path = tmp_path / "card.yaml"
    if text is not None:
        path.write_text(text)
    result = edgewright("cards", "check", path, "--json")
    assert result.exit_code == 2
    assert part in error_of(result)["message"]


def test_a_draft_is_written_and_enables_nothing(edgewright, thermometer, tmp_path):
    path = tmp_path / "out.yaml"
    result = edgewright("cards", "from-manual", MANUALS / "thermometer.md", "--out", path)
    assert result.exit_code == 0
    assert "cards approve" in result.stderr
    assert path.read_text().startswith("# A draft")
    assert CardDraft.model_validate(yaml.safe_load(path.read_text())) == thermometer
    assert not cards_folder().exists()


def test_a_draft_as_json_is_written_nowhere(edgewright, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = edgewright("cards", "from-manual", MANUALS / "hostile.md", "--json", "--embedded")
    assert CardDraft.model_validate_json(result.stdout).card.id == "px-7"
    assert list(tmp_path.glob("*.yaml")) == []


def test_a_draft_is_shown_and_written_under_its_cards_name(edgewright, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = edgewright("cards", "from-manual", MANUALS / "hostile.md")
    assert result.exit_code == 0
    assert "300 to 1100 hPa" in result.stdout
    assert "line 3" in result.stdout
    assert "Describe this picture" not in result.stdout
    assert (tmp_path / "px-7.draft.yaml").exists()


def test_a_file_is_not_overwritten(edgewright, error_of, written):
    args = ("cards", "from-manual", MANUALS / "hostile.md", "--json", "--out")
    for path, code in ((written, "out_exists"), (written / "x", "out_unwritable")):
        result = edgewright(*args, path)
        assert result.exit_code == 2
        assert code in result.stdout


def test_an_approved_card_can_be_requested(at_terminal, few, written):
    result = at_terminal("cards", "approve", written, answer="y\n")
    assert result.exit_code == 0
    assert "the manual says" in result.stdout
    assert "is distinct from the other cards" in result.stdout
    assert [card.id for card in added_cards()] == ["th-20"]


def test_a_refused_card_is_not_added(at_terminal, few, written):
    result = at_terminal("cards", "approve", written, answer="\n")
    assert result.exit_code == 1
    assert added_cards() == []


def test_nothing_is_approved_without_a_terminal(edgewright, few, written):
    result = edgewright("cards", "approve", written, stdin="y\n")
    assert result.exit_code == 2
    assert "approval_needed" in result.stderr
    assert added_cards() == []


def test_a_draft_with_the_id_of_another_card_is_refused(edgewright, few, written):
    text = written.read_text().replace("id: th-20", "id: image-to-text")
    written.write_text(text)
    result = edgewright("cards", "approve", written)
    assert result.exit_code == 2
    assert "card_exists" in result.stderr


@pytest.mark.parametrize(
    ("text", "code"),
    [(None, "file_missing"), ("a: [", "draft_invalid"), ("[" * 1500, "draft_invalid"),
     ("card: {}", "draft_invalid"), ("text", "draft_invalid")],
)  # fmt: skip
def test_an_invalid_draft_is_reported(edgewright, tmp_path, text, code):
    path = tmp_path / "x.draft.yaml"
    if text is not None:
        path.write_text(text)
    result = edgewright("cards", "approve", path)
    assert result.exit_code == 2
    assert code in result.stderr


def test_a_card_is_planned_over_by_path_with_its_demonstrations(edgewright, tmp_path):
    node = {
        "id": "Zorble",
        "desc": "Zorbles a text.",
        "input-type": ["text"],
        "output-type": ["text"],
    }
    (tmp_path / "tools.json").write_text(json.dumps({"nodes": [node]}))
    shown = [{"request": f"Zorble the {what}.", "nodes": ["Zorble"]} for what in ("page", "letter")]
    (tmp_path / "demos.jsonl").write_text("\n".join(map(json.dumps, shown)))
    (tmp_path / "in.jsonl").write_text('{"id": 1, "request": "Please zorble the note."}')
    cards = ("--cards", tmp_path / "tools.json", "--demos", tmp_path / "demos.jsonl")
    plan = ("plan", *cards, "--requests", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl")
    assert edgewright(*plan).exit_code == 0
    (row,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert [task["tool"] for task in row["tasks"]] == ["Zorble"]
    # The first request does not count the time that the planner takes to load.
    assert row["latency_ms"] < 2000
    one = json.loads(edgewright("plan", *cards, "--json", "Zorble the poem.").stdout)
    assert [task["tool"] for task in one["tasks"]] == ["Zorble"]


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("tools.json", "{", "expected JSON with a list 'nodes'"),
        ("card.yaml", "id: x", "card.yaml"),
        ("nothing.yaml", None, "give a YAML card"),
    ],
)
def test_unreadable_cards_are_reported(edgewright, error_of, tmp_path, name, content, part):
    if content is not None:
        (tmp_path / name).write_text(content)
    result = edgewright("plan", "--cards", tmp_path / name, "--json", "Zorble it.")
    assert result.exit_code == 2
    assert part in error_of(result)["message"]


def test_cards_by_path_are_listed(edgewright, few, tmp_path):
    card = few.get("image-to-text").model_copy(
        update={"id": "caption", "demonstrations": (Demonstration(request="Caption it."),)}
    )
    path = save(tmp_path / "card.yaml", card)
    (listed,) = json.loads(edgewright("plan", "--list", "--cards", path, "--json").stdout)
    assert listed["id"] == "caption"
