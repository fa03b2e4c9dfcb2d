"""Cross-validation on a file in TaskBench's form, and its table."""

from edgewright.benchmarks.planner.taskbench import _folds, taskbench_table
from edgewright.tools.cards.demonstrations import PlanDemonstration


def test_a_request_that_occurs_twice_is_never_its_own_demonstration() -> None:
    samples = [
        PlanDemonstration(request=f"request {number % 20}", tools=("a",)) for number in range(40)
    ]
    folds = _folds(samples, seed=0)
    assert folds[:20] == folds[20:]
    assert sorted(folds) == sorted(list(range(5)) * 8)


def test_the_table_explains_its_figures() -> None:
    figures = {
        "samples": 195,
        "tools": 23,
        "no_demonstrations": (72.04, 40.0),
        "cross_validated": {0: (82.0, 58.0), 1: (82.0, 59.0), 2: (82.0, 60.0)},
        "slowest_fit_s": 12.34,
    }
    markdown = taskbench_table(figures)
    assert "a sample with transcribed labels" in markdown
    assert "| no demonstrations | 72.0 | 40.0 |" in markdown
    assert "| 82.0 ± 0.0 | 59.0 ± 2.5 |" in markdown
