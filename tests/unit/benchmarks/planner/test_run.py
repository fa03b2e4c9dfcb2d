"""What the planner benchmark prints and writes, from the answers of a planner."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.request import PlanRequest
from edgewright.benchmarks.planner import run
from edgewright.benchmarks.planner.baselines import NONE
from edgewright.benchmarks.planner.naming import score_naming
from edgewright.benchmarks.planner.plans import score_plans
from edgewright.benchmarks.planner.requests import path_of, read


class _Decliner:
    """A planner that declines every request, with a confidence of one half."""

    def prepare(self) -> None:
        pass

    def plan(self, request: PlanRequest) -> Plan:
        return Plan(request=request.text, tasks=(), planner="embedded", confidence=0.5)

    def plan_many(self, requests: Sequence[PlanRequest]) -> list[Plan]:
        return [self.plan(request) for request in requests]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for minutes of measuring; the requests, scores and tables are the real ones."""
    requests = read(path_of("dev"))
    cost = {"p50_ms": 14.0, "p95_ms": 20.0, "p50_by_encode": 1.2, "batch_s": 4.0}
    measured = {
        "requests": {"split": "dev", "kinds": Counter(truth.kind for truth in requests)},
        "naming": score_naming({"declines": lambda request: NONE}, requests, []),
        "plans": score_plans(_Decliner(), requests),
        "cost": {**cost, "batch_speed_up": 3.5, "memory_mb": 301.2},
    }
    monkeypatch.setattr(run, "_measured", lambda options, cache: measured)
    return measured


def test_a_planner_that_declines_everything_is_right_where_it_should_decline(
    figures: dict[str, Any],
) -> None:
    shares = figures["plans"]["shares"]
    assert shares["none-of-these recall"]["share"] == 1
    assert shares["exact plan, several steps"]["share"] == 0
    declined = shares["exact plan"]["share"]
    assert shares["none-of-these precision"]["share"] == declined
    assert figures["plans"]["calibration_error"] == pytest.approx(abs(declined - 0.5))


def test_only_the_test_split_writes_results(
    figures: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["--split", "dev", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "| peak memory above the bare interpreter | 301 MB |" in printed
    assert (
        "| 1,000 requests in one batch, compared with one by one | 4.0 s, 3.5 times as fast |"
        in printed
    )
    assert list(tmp_path.iterdir()) == []
    assert run.main(["--out", str(tmp_path)]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "planner.json",
        "planner.md",
        "planner.png",
    ]
    assert (tmp_path / "planner.md").read_text("utf-8") == printed


def test_an_unknown_split_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["--split", "train"])
    assert "invalid choice" in capsys.readouterr().err
