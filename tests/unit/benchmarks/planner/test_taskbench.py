"""Cross-validation on a file in TaskBench's form, and its table."""

from edgewright.benchmarks.planner.taskbench import split, taskbench_table
from edgewright.tools.cards.demonstrations import PlanDemonstration


def test_a_request_that_occurs_twice_is_never_its_own_demonstration() -> None:
    samples = [
        PlanDemonstration(request=f"request {number % 20}", tools=("a",)) for number in range(40)
    ]
    folds = split(samples, 5, seed=0)
    for rows, others in folds:
        assert not {samples[row].request for row in rows} & {samples[row].request for row in others}
        assert sorted(rows + others) == list(range(40))
    assert sorted(row for rows, _ in folds for row in rows) == list(range(40))


def test_the_table_explains_its_figures() -> None:
    figures = {
        "samples": 195,
        "tools": 23,
        "no_demonstrations": [
            {"mean": 72.04, "low": 68.0, "high": 76.0},
            {"mean": 40.0, "low": 33.0, "high": 47.0},
        ],
        "cross_validated": [
            {"mean": 82.0, "low": 78.0, "high": 86.0},
            {"mean": 59.0, "low": 51.5, "high": 66.5},
        ],
        "slowest_fit_s": 12.34,
    }
    markdown = taskbench_table(figures)
    assert "a sample with transcribed labels" in markdown
    assert (
        "| no demonstrations | 72.0 (68.0\N{EN DASH}76.0) | 40.0 (33.0\N{EN DASH}47.0) |"
        in markdown
    )
    assert "| 82.0 (78.0\N{EN DASH}86.0) | 59.0 (51.5\N{EN DASH}66.5) |" in markdown
