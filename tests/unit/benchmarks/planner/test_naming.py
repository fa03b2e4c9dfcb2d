"""Every method is scored on our own requests and on those that others wrote."""

import json
from pathlib import Path

from edgewright.benchmarks.planner.baselines import NONE
from edgewright.benchmarks.planner.naming import kinds_table, naming_table, score_naming
from edgewright.benchmarks.planner.requests import path_of, read

OTHERS = {
    "kind": "single",
    "request": "How many?",
    "tools": ["visual-question-answering"],
    "links": [],
    "source": "them",
}


def test_every_method_is_scored_on_our_requests_and_on_those_of_others(tmp_path: Path) -> None:
    file = tmp_path / "others.jsonl"
    file.write_text(json.dumps(OTHERS), "utf-8")
    own = read(path_of("dev"))
    scored = [truth for truth in own if truth.kind in ("single", "none")]
    scores = score_naming(
        {
            "declines": lambda request: NONE,
            "counts": lambda request: "visual-question-answering",
        },
        own,
        read(file),
    )
    none = sum(truth.kind == "none" for truth in scored)
    assert scores["declines"]["accuracy"]["share"] == none / len(scored)
    assert scores["declines"]["by_kind"]["none of these"]["share"] == 1
    assert scores["declines"]["by_kind"]["by others: them"]["share"] == 0
    counts = {kind: score["count"] for kind, score in scores["counts"]["by_kind"].items()}
    assert scores["counts"]["by_kind"]["by others, all"]["share"] == 1
    assert sum(counts.values()) == len(scored) + 2
    assert len(scores["counts"]["times_ms"]) == len(scored)
    assert naming_table(scores).count("\n") == 4
    assert "| by others: them | 1 | 0.0 % (" in kinds_table(scores)
