"""A worded problem end to end: the design satisfies the constraint, and the metric shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewright.benchmarks.federated.worded import load_problems, solve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("name", ["lighthouses"])
async def test_a_problem_is_solved_at_least_as_well_as_by_plain_fedavg(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    (problem,) = [each for each in load_problems() if each.name == name]
    small = problem.data.model_copy(update={"samples": 300})
    outcome = await solve(problem.model_copy(update={"data": small}))
    assert outcome.answered
    assert outcome.as_well
    assert outcome.ours is not None and outcome.control is not None
    assert outcome.ours < outcome.control / 4
    assert outcome.accuracy > 0.7
