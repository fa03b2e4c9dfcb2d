"""Results as files: raw figures, tables, plots and the recorded trace."""

import json
from pathlib import Path

import pytest

from edgewright.benchmarks.common.results import as_json, circumstances, table, write_results
from edgewright.benchmarks.latency.run import TRACE, main

FOLDER = Path(__file__).parents[3] / "docs/results"
MAX_BYTES = 100_000


def test_a_table_is_markdown():
    assert table(["what", "ms"], [["echo", 0.2], ["node", 0.3]]) == (
        "| what | ms |\n| --- | --- |\n| echo | 0.2 |\n| node | 0.3 |\n"
    )


def test_circumstances_name_machine_and_versions():
    found = circumstances()
    assert found["cores"] >= 1
    assert found["processor"]
    assert "numpy" in found["packages"]


def test_results_are_figures_a_table_and_a_plot(tmp_path):
    folder = tmp_path / "results"
    write_results(folder, "speed", {"p50_ms": 1.5}, "| a |\n", lambda axes: axes.plot([1, 2]))
    figures = json.loads((folder / "speed.json").read_text("utf-8"))
    assert (figures["benchmark"], figures["p50_ms"]) == ("speed", 1.5)
    assert figures["circumstances"]["python"]
    assert (folder / "speed.md").read_text("utf-8") == "| a |\n"
    assert (folder / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_raw_figures_are_compact():
    figures = {"share": 1 / 3, "ms": [1.0, 22.5, 1e-9 / 3], "text": "a [b,\\n c]", "none": None}
    assert as_json({**figures, "of": ({"count": 3, "ok": True},)}) == (
        '{\n "share": 0.33333333,\n "ms": [1.0,22.5,3.3333333e-10],\n "text": "a [b,\\\\n c]",\n'
        ' "none": null,\n "of": [\n  {\n   "count": 3,\n   "ok": true\n  }\n ]\n}\n'
    )


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_published_files_are_small(path):
    assert path.stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_published_figures_are_as_the_benchmarks_write_them(path):
    text = path.read_text("utf-8")
    assert as_json(json.loads(text)) == text


@pytest.mark.parametrize("trace", sorted(FOLDER.glob(TRACE)), ids=lambda path: path.name)
def test_a_published_trace_replays_to_the_published_figures(trace, tmp_path):
    assert main(["--replay", str(trace), "--out", str(tmp_path)]) == 0
    replayed, published = (
        json.loads((folder / "latency-replay.json").read_text("utf-8"))
        for folder in (tmp_path, FOLDER)
    )
    assert replayed | {"circumstances": 0} == published | {"circumstances": 0}
