"""Planners fitted to catalogues of others, and their cached files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgewright.agents.planner.fitting.examples import Examples, collect
from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.tools.cards import CardRegistry
from edgewright.tools.cards.demonstrations import read_demonstrations
from edgewright.tools.cards.taskbench import read_catalogue
from edgewright.tools.errors import InputError


@pytest.fixture
def few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit to a tenth of the examples, so that a fit without cached vectors takes seconds."""

    def some(cards: CardRegistry) -> Examples:
        examples = collect(cards)
        return replace(examples, requests=examples.requests[::10])

    monkeypatch.setattr("edgewright.agents.planner.fitting.ready.collect", some)


@pytest.mark.usefixtures("few_examples")
def test_fitted_heads_are_cached_and_a_damaged_file_is_fitted_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tools.json").write_text(json.dumps(TOOLS))
    cards = read_catalogue(tmp_path / "tools.json")
    first = make_embedded_planner(cards, folder=tmp_path).model
    (ready,) = tmp_path.glob("ready-*.safetensors")
    (fitted,) = tmp_path.glob("planner-*.safetensors")
    for remove in (False, True):  # as it was left, then as it was fitted
        if remove:
            ready.unlink()
        again = make_embedded_planner(cards, folder=tmp_path).model
        assert again.labels == first.labels
        for name in ("vectors", "truth"):
            assert np.array_equal(getattr(first, name), getattr(again, name))
        assert np.array_equal(first.heads.weights, again.heads.weights)
        assert np.array_equal(first.judge.trust, again.judge.trust)
    changed = {"nodes": [{**TOOLS["nodes"][0], "desc": "Speaks aloud."}, *TOOLS["nodes"][1:]]}
    (tmp_path / "tools.json").write_text(json.dumps(changed))
    with monkeypatch.context() as patched:
        loaded: list[str] = []
        patched.setattr(
            "edgewright.agents.planner.fitting.ready.load_model",
            lambda *_: loaded.append("again") or first,
        )
        for each in (cards, read_catalogue(tmp_path / "tools.json")):
            assert make_embedded_planner(each, folder=tmp_path).model
    assert loaded == ["again"]  # for the changed card
    for file in (ready, fitted):
        file.write_bytes(b"\x08\0\0\0\0\0\0\0 broken")
    assert (
        make_embedded_planner(cards, folder=tmp_path).plan(PlanRequest(text="Translate it.")).tasks
    )
    assert "damaged" in caplog.text


@pytest.mark.usefixtures("few_examples")
def test_a_cache_folder_that_is_not_writable_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    (tmp_path / "tools.json").write_text(json.dumps(TOOLS))
    cards = read_catalogue(tmp_path / "tools.json")
    planner = make_embedded_planner(cards, folder=blocked / "planner")
    assert planner.plan(PlanRequest(text="Translate it.")).tasks


def published(name: str, description: str, takes: str, gives: str) -> dict[str, object]:
    return {"id": name, "desc": description, "input-type": [takes], "output-type": [gives]}


TOOLS = {
    "nodes": [
        published("Translation", "Translates text.", "text", "text"),
        published("Text-to-Speech", "Speaks a text.", "text", "audio"),
        published("Summarization", "Shortens a text.", "text", "text"),
    ]
}


def test_a_catalogue_in_taskbench_form_is_planned_without_demonstrations(
    tmp_path: Path, planner_cache: Path
) -> None:
    (tmp_path / "tools.json").write_text(json.dumps(TOOLS))
    cards = read_catalogue(tmp_path / "tools.json")
    planner = make_embedded_planner(cards, folder=planner_cache)
    plan = planner.plan(
        PlanRequest(text="Summarise 'report.txt', translate the summary and read it aloud.")
    )
    assert [task.tool for task in plan.tasks] == ["Summarization", "Translation", "Text-to-Speech"]
    assert [task.depends_on for task in plan.tasks] == [(), ("t1",), ("t2",)]
    assert plan.tasks[0].args == {"text": "report.txt"}


def test_demonstrations_of_whole_requests_teach_new_words(
    tmp_path: Path, planner_cache: Path
) -> None:
    (tmp_path / "tools.json").write_text(json.dumps(TOOLS))
    cards = read_catalogue(tmp_path / "tools.json")
    lines = [
        {"request": f"Zorble the {what}, then grumf it.", "nodes": ["Translation", "Summarization"],
         "links": [["Translation", "Summarization"]]}
        for what in ("letter", "page", "note", "story")
    ]  # fmt: skip
    (tmp_path / "demos.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    shown = read_demonstrations(tmp_path / "demos.jsonl", cards)
    planner = make_embedded_planner(cards.with_demonstrations(shown), folder=planner_cache)
    plan = planner.plan(PlanRequest(text="Zorble the poem, then grumf it."))
    assert {task.tool for task in plan.tasks} == {"Translation", "Summarization"}


@pytest.mark.parametrize("content", ["{", "[]", '{"nodes": [{"id": "A"}]}', '{"nodes": 3}'])
def test_a_malformed_catalogue_is_an_input_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tools.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"tools\.json"):
        read_catalogue(path)


def test_a_demonstration_with_an_unknown_tool_names_line_and_tool(tmp_path: Path) -> None:
    (tmp_path / "demos.jsonl").write_text('\n{"request": "x", "nodes": ["Nope"]}\n')
    with pytest.raises(InputError, match=r"line 2: unknown tool 'Nope'"):
        read_demonstrations(tmp_path / "demos.jsonl", CardRegistry.builtin())
