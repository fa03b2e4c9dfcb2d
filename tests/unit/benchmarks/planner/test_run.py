"""What the planner's benchmark prints, from the methods' answers."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import PlanRequest
from edgewright.benchmarks.planner import run as planner
from edgewright.benchmarks.planner import taskbench as planner_taskbench
from edgewright.benchmarks.planner.baselines import NONE, ZeroShot
from edgewright.benchmarks.planner.naming import kinds_table, naming_table, score_naming
from edgewright.benchmarks.planner.plans import score_plans
from edgewright.benchmarks.planner.requests import path_of, read
from edgewright.benchmarks.planner.run import main
from edgewright.benchmarks.planner.taskbench import taskbench_table
from edgewright.tools.cards import CardRegistry
from edgewright.tools.cards.demonstrations import PlanDemonstration

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
    asked = [truth for truth in own if truth.kind in ("single", "none")]
    scores = score_naming(
        {
            "declines": lambda request: NONE,
            "counts": lambda request: "visual-question-answering",
        },
        own,
        read(file),
    )
    none = sum(truth.kind == "none" for truth in asked)
    assert scores["declines"]["accuracy"]["share"] == none / len(asked)
    assert scores["declines"]["by_kind"]["none of these"]["share"] == 1
    assert scores["declines"]["by_kind"]["by others: them"]["share"] == 0
    counts = {kind: found["count"] for kind, found in scores["counts"]["by_kind"].items()}
    assert scores["counts"]["by_kind"]["by others, all"]["share"] == 1
    assert sum(counts.values()) == len(asked) + 2
    assert len(scores["counts"]["times_ms"]) == len(asked)
    assert naming_table(scores).count("\n") == 4
    assert "| by others: them | 1 | 0.0 % (" in kinds_table(scores)


def test_a_request_that_occurs_twice_is_never_its_own_demonstration() -> None:
    samples = [
        PlanDemonstration(request=f"request {number % 20}", tools=("a",)) for number in range(40)
    ]
    folds = planner_taskbench._folds(samples, seed=0)
    assert folds[:20] == folds[20:]
    assert sorted(folds) == sorted(list(range(5)) * 8)


def test_the_taskbench_table_says_what_its_figures_are() -> None:
    found = {
        "samples": 195,
        "tools": 23,
        "no_demonstrations": (72.04, 40.0),
        "cross_validated": {0: (82.0, 58.0), 1: (82.0, 59.0), 2: (82.0, 60.0)},
        "slowest_fit_s": 12.34,
    }
    shown = taskbench_table(found)
    assert "a sample and their labels are transcribed" in shown
    assert "| no demonstrations | 72.0 | 40.0 |" in shown
    assert "| 82.0 ± 0.0 | 59.0 ± 2.5 |" in shown


class _Decliner:
    """A planner that plans nothing and is not sure of it."""

    def plan(self, request: PlanRequest) -> Plan:
        return Plan(request=request.text, tasks=(), planner="embedded", confidence=0.5)

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        return [self.plan(request) for request in requests]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for minutes of measuring; the requests, scores and tables are the real ones."""
    asked = read(path_of("dev"))
    cost = {"p50_ms": 14.0, "p95_ms": 20.0, "p50_by_encode": 1.2, "batch_s": 4.0}
    found = {
        "requests": {"split": "dev", "kinds": Counter(truth.kind for truth in asked)},
        "naming": score_naming({"declines": lambda request: NONE}, asked, []),
        "plans": score_plans(_Decliner(), asked),
        "cost": {**cost, "batch_speed_up": 3.5, "memory_mb": 301.2},
    }
    monkeypatch.setattr(planner, "_measured", lambda options, kept: found)
    return found


def test_a_planner_that_declines_everything_finds_only_what_is_to_be_declined(
    figures: dict[str, Any],
) -> None:
    shares = figures["plans"]["shares"]
    assert shares["none-of-these recall"]["share"] == 1
    assert shares["exact plan, several steps"]["share"] == 0
    declined = shares["exact plan"]["share"]
    assert shares["none-of-these precision"]["share"] == declined
    assert figures["plans"]["calibration_error"] == pytest.approx(abs(declined - 0.5))


def test_only_the_test_split_leaves_results(
    figures: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--split", "dev", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "| peak memory above the bare interpreter | 301 MB |" in printed
    assert "| 1,000 requests in a batch, against one by one | 4.0 s, 3.5 times as fast |" in printed
    assert list(tmp_path.iterdir()) == []
    assert main(["--out", str(tmp_path)]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "planner.json",
        "planner.md",
        "planner.png",
    ]
    assert (tmp_path / "planner.md").read_text("utf-8") == printed


def test_an_unknown_split_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--split", "train"])
    assert "invalid choice" in capsys.readouterr().err


def test_the_baseline_takes_the_threshold_that_is_right_most_often() -> None:
    cards = CardRegistry.builtin()
    texts = [card.description for card in cards] + ["Rhubarb, rhubarb.", "1 + 1"]
    wanted = [card.id for card in cards] + [NONE, NONE]
    best = ZeroShot(cards, 0).best_threshold(texts, wanted)
    rival = ZeroShot(cards, best)
    assert [rival.name(text) for text in texts] == wanted
