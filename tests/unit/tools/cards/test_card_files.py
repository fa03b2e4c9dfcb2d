"""Cards read from files, and cards added by a person."""

import json
from pathlib import Path

import pytest
import yaml

from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.cards.added import add_card, added_cards, cards_folder
from edgewright.tools.cards.demonstrations import read_demonstrations
from edgewright.tools.cards.registry import read_card
from edgewright.tools.cards.sources import open_catalogue
from edgewright.tools.errors import InputError, StorageError
from edgewright.tools.library import known_cards

SOIL = ToolCard(
    id="soil-moisture",
    task_type="sensor-reading",
    title="soil moisture",
    description="Reads the moisture of the soil in a pot.",
    inputs=(),
    outputs=("signal",),
)


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "state"))


def test_an_added_card_can_be_requested_from_then_on() -> None:
    assert SOIL.id not in known_cards()
    path = add_card(SOIL)
    assert read_card(path) == SOIL
    assert added_cards() == [SOIL]
    assert known_cards().get(SOIL.id) == SOIL


def test_a_card_is_added_once() -> None:
    add_card(SOIL)
    with pytest.raises(InputError) as caught:
        add_card(SOIL)
    assert caught.value.info().code == "card_exists"


def test_an_added_card_never_replaces_another() -> None:
    mine = SOIL.model_copy(update={"id": "image-to-text"})
    add_card(mine)
    assert known_cards().get("image-to-text") != mine


def test_a_damaged_card_is_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    add_card(SOIL)
    (cards_folder() / "bad.yaml").write_text("id: [")
    assert added_cards() == [SOIL]
    assert "bad.yaml" in caplog.text


def test_a_folder_that_is_not_writable_raises(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageError, match="EDGEWRIGHT_HOME"):
        add_card(SOIL)


def test_a_catalogue_is_a_card_a_folder_or_a_published_file(tmp_path: Path) -> None:
    path = tmp_path / "soil.yaml"
    path.write_text(yaml.safe_dump(SOIL.model_dump(mode="json")))
    assert list(open_catalogue(path)) == list(open_catalogue(tmp_path)) == [SOIL]
    node = {"id": "Soil Moisture", "desc": "Reads soil.", "input-type": [], "output-type": []}
    (tmp_path / "tools.json").write_text(json.dumps({"nodes": [node]}))
    assert [card.id for card in open_catalogue(tmp_path / "tools.json")] == ["Soil Moisture"]


def test_a_missing_catalogue_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tools\.json"):
        open_catalogue(tmp_path / "nothing")


def test_a_card_that_is_not_text_raises(tmp_path: Path) -> None:
    (tmp_path / "soil.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"soil\.yaml"):
        read_card(tmp_path / "soil.yaml")


def test_demonstrations_may_call_their_tools_nodes_or_tools(tmp_path: Path) -> None:
    path = tmp_path / "demos.jsonl"
    rows = [{"request": "Is the pot dry?", name: [SOIL.id]} for name in ("nodes", "tools")]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    first, second = read_demonstrations(path, CardRegistry([SOIL]))
    assert first == second


def test_a_folder_of_cards_brings_requests_for_several_of_them(tmp_path: Path) -> None:
    light = SOIL.model_copy(update={"id": "light-level"})
    for card in (SOIL, light):
        (tmp_path / f"{card.id}.yaml").write_text(yaml.safe_dump(card.model_dump(mode="json")))
    demonstrations = tmp_path / "demonstrations.jsonl"
    demonstrations.write_text(
        '{"request": "Is it dry and dark?", "tools": ["soil-moisture", "light-level"]}'
    )
    cards = open_catalogue(tmp_path)
    (several,) = cards.demonstrations
    assert several.tools == (SOIL.id, light.id)
    more = cards.with_cards([SOIL.model_copy(update={"id": "rain"})]).with_demonstrations([several])
    assert more.demonstrations == (several, several)
    demonstrations.write_text('{"request": "Is it windy?", "tools": ["wind"]}')
    with pytest.raises(InputError, match=r"demonstrations\.jsonl, line 1: unknown tool 'wind'"):
        read_demonstrations(demonstrations, cards)
    assert not open_catalogue(tmp_path).demonstrations


def test_demonstrations_that_are_not_text_raise(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl"):
        read_demonstrations(tmp_path / "gone.jsonl", CardRegistry([SOIL]))
