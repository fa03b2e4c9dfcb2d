"""The network that marks the parts of requests."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.agents.planner.embedded.parts import tagger
from edgewright.agents.planner.embedded.parts.features import MAX_WORDS, Words
from edgewright.agents.planner.embedded.parts.tagger import SHIPPED, shipped_tagger
from edgewright.tools.errors import UnavailableError


def marked(text: str) -> list[tuple[str, str, str, str]]:
    return [
        (text[part.start : part.end], part.role, part.kind, part.state)
        for part in shipped_tagger().parts([text])[0]
    ]


def test_tasks_conditions_and_remarks_are_told_apart() -> None:
    text = (
        "Morning! My knee hurts. If there is a fox in it, describe the photo; otherwise label it."
    )
    found = marked(text)
    assert [(role, state) for _, role, _, state in found] == [
        ("if", found[0][3]),
        ("task", "if"),
        ("task", "else"),
    ]
    assert found[0][0].startswith("If there is a fox")
    assert [kind for _, role, kind, _ in found if role == "task"] == ["describe", "label"]


def test_what_is_not_wanted_is_marked() -> None:
    found = marked("I never asked for a description. Which breed is it?")
    assert [(kind, state) for _, _, kind, state in found] == [
        ("describe", "not"),
        ("label", "always"),
    ]


def test_a_remark_has_no_part() -> None:
    assert marked("My grandson took these last summer.") == []


@given(st.text(max_size=120))
@settings(max_examples=30, deadline=None)
def test_parts_lie_in_order_inside_any_text(text: str) -> None:
    end = 0
    for part in shipped_tagger().parts([text])[0]:
        assert end <= part.start < part.end <= len(text)
        end = part.end


def test_a_long_text_has_no_parts() -> None:
    assert shipped_tagger().parts(["describe it. " * MAX_WORDS]) == [()]


def test_parts_do_not_depend_on_the_texts_beside() -> None:
    texts = ["Describe the first.", "", "If it is red, label it.", "Thanks!"]
    assert shipped_tagger().parts(texts) == [shipped_tagger().parts([each])[0] for each in texts]


def test_a_name_is_one_word() -> None:
    words = Words.of("is it in trip/IMG_2.jpg?")
    assert [words[number] for number in range(len(words))] == [
        "is",
        "it",
        "in",
        "trip/IMG_2.jpg",
        "?",
    ]


def test_no_part_goes_on_that_has_not_begun() -> None:
    rng = np.random.default_rng(0)
    labels = 1 + 2 * len(tagger.ROLES)
    for _ in range(50):
        scores = rng.normal(size=(12, labels)).astype(np.float32)
        path = tagger._best_path(scores, tagger._transitions(), [True] * 12)
        for before, label in zip([0, *path], path, strict=False):
            assert label == 0 or label % 2 or before in (label, label - 1)


def test_the_network_has_a_manifest_and_at_most_a_megabyte() -> None:
    manifest = json.loads((SHIPPED.parent / "manifest.json").read_text("utf-8"))
    assert set(manifest["sha256"]) == {SHIPPED.name}
    assert SHIPPED.stat().st_size <= 1_000_000
    assert manifest["metrics"]["f1"] > 0.7


def test_a_changed_network_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / SHIPPED.name
    changed.write_bytes(SHIPPED.read_bytes()[:-8] + bytes(8))
    (tmp_path / "manifest.json").write_bytes((SHIPPED.parent / "manifest.json").read_bytes())
    monkeypatch.setattr(tagger, "SHIPPED", changed)
    with pytest.raises(UnavailableError, match="install the package again"):
        shipped_tagger.__wrapped__()
