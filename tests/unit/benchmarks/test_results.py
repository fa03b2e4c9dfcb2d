"""What every benchmark leaves behind."""

import json

from edgewright.benchmarks.common.results import circumstances, table, write_results


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
