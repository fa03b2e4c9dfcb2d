"""Cards validate, and the registry reports which are available and why others are not."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edgewright.tools.cards import CardRegistry, ToolCard
from edgewright.tools.contracts.cards import ExpertStatus
from edgewright.tools.errors import InputError, NotFoundError

EXPECTED = {
    "image-classification",
    "image-to-text",
    "visual-question-answering",
    "object-detection",
    "text-recognition",
    "facial-expression",
    "pose-detection",
    "pose-to-image",
    "mood-from-network-traffic",
    "mood-from-acoustic-signals",
    "federated-training",
}


def _card(**changes: object) -> dict[str, object]:
    card: dict[str, object] = {
        "id": "soil-moisture",
        "task_type": "tabular-regression",
        "title": "soil moisture",
        "description": "Reads the moisture of the soil in a pot.",
        "inputs": ["signal"],
        "outputs": ["label"],
    }
    return card | changes


def test_builtin_cards_are_the_expected_ones() -> None:
    assert {card.id for card in CardRegistry.builtin()} >= EXPECTED


def test_builtin_cards_have_demonstrations_of_their_own() -> None:
    seen: dict[str, str] = {}
    for card in CardRegistry.builtin():
        assert len(card.demonstrations) >= 5, card.id
        for demonstration in card.demonstrations:
            other = seen.setdefault(demonstration.request.lower(), card.id)
            assert other == card.id, f"{demonstration.request!r} is on two cards"


def test_a_card_without_an_expert_gives_the_reason() -> None:
    card = CardRegistry.builtin().get("image-classification")
    lacking = card.model_copy(update={"id": "cloud-classification", "experts": ()})
    cards = CardRegistry.builtin().with_cards([lacking])
    statuses = {status.card.id: status for status in cards.statuses({})}
    assert not statuses["cloud-classification"].available
    assert "no expert" in statuses["cloud-classification"].reason


def test_the_first_available_expert_is_used_and_better_ones_explained() -> None:
    registry = CardRegistry.builtin()
    experts = {
        "blip-captioner": ExpertStatus(
            expert="blip-captioner", model="blip-captioning", available=False, reason="no weights"
        ),
        "label-captioner": ExpertStatus(
            expert="label-captioner", model="efficientnet-lite0", available=True, approximate=True
        ),
    }
    status = next(s for s in registry.statuses(experts) if s.card.id == "image-to-text")
    assert status.available
    assert status.expert is not None
    assert status.expert.approximate
    assert status.reason == (
        "blip-captioner: no weights; evidence-captioner: not installed on this node"
    )


def test_no_expert_installed_is_a_reason_too() -> None:
    status = next(
        s for s in CardRegistry.builtin().statuses({}) if s.card.id == "image-classification"
    )
    assert not status.available
    assert "not installed" in status.reason


def test_unknown_card_names_the_fix() -> None:
    with pytest.raises(NotFoundError) as caught:
        CardRegistry.builtin().get("telepathy")
    assert caught.value.info().code == "unknown_card"


def test_cards_of_a_vendor_are_added_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "soil.yaml").write_text(yaml.safe_dump(_card()))
    registry = CardRegistry.builtin().with_cards(CardRegistry.from_folder(tmp_path))
    assert registry.get("soil-moisture").title == "soil moisture"
    assert len(registry) == len(CardRegistry.builtin()) + 1


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*\.yaml cards"):
        CardRegistry.from_folder(tmp_path)


def test_two_cards_with_one_id_are_an_error() -> None:
    card = ToolCard.model_validate(_card())
    with pytest.raises(InputError, match="two cards"):
        CardRegistry([card, card])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "Soil Moisture"}, "id"),
        ({"inputs": ["smell"]}, "inputs"),
        ({"run": "rm"}, "run"),
        ({"description": "short"}, "description"),
        ({"demonstrations": [{"request": "Read it.", "args": {"pot": "left"}}]}, "card"),
    ],
)
def test_a_bad_card_names_file_and_field(
    tmp_path: Path, change: dict[str, object], field: str
) -> None:
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(_card(**change)))
    with pytest.raises(InputError, match=rf"bad\.yaml: {field}"):
        CardRegistry.from_folder(tmp_path)


def test_broken_yaml_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("id: [")
    with pytest.raises(InputError, match=r"bad\.yaml: not valid YAML"):
        CardRegistry.from_folder(tmp_path)


def test_schema_lists_required_arguments() -> None:
    schema = CardRegistry.builtin().get("visual-question-answering").json_schema()
    assert schema["required"] == ["image", "question"]
    assert schema["properties"]["question"]["maxLength"] == 300
    assert schema["additionalProperties"] is False


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_yaml_value_gives_a_card_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    folder = tmp_path_factory.mktemp("cards")
    (folder / "any.yaml").write_text(yaml.safe_dump(value))
    with pytest.raises(InputError):
        CardRegistry.from_folder(folder)
