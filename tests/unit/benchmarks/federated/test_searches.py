"""Searches start where the coder does, and spend no more than it may on one trial."""

import pytest

from edgewright.agents.fl_coder.embedded.design import first_design, plain_candidate
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.protocol import TrainingProblem, same
from edgewright.benchmarks.federated.run import PARTITIONS
from edgewright.benchmarks.federated.searches import (
    EFFORT,
    Agent,
    Grid,
    random_search,
    tree_parzen,
)
from edgewright.tools.federated.records.trial import CurvePoint, ModelScore, TrialResult


def result(number: int, accuracy: float, wall_s: float = 1.0) -> TrialResult:
    point = CurvePoint(
        round_number=1, train_loss=0.1, train_accuracy=0.9,
        validation=ModelScore(accuracy=accuracy, loss=0.1, clients=(accuracy,)),
        bytes_up=1, bytes_down=1, simulated_s=1.0, wall_s=wall_s,
    )  # fmt: skip
    return TrialResult(
        number=number, status="finished", engine="in-process", sandbox="sandlock", seed=0,
        curve=(point,), best_round=1,
    )  # fmt: skip


@pytest.mark.parametrize("make", [random_search, tree_parzen])
@pytest.mark.parametrize("request_text", list(PARTITIONS.values()))
def test_a_search_starts_where_the_coder_does_and_stays_within_its_effort(card, make, request_text):
    start = first_design(request_text, card).candidate
    runs = []
    for _ in range(2):
        search = make(start, seed=3)
        candidates = []
        for number in range(1, 6):
            candidates.append(search.ask())
            search.tell(result(number, 0.5 + number / 20))
        runs.append(candidates)
    assert same(runs[0][0], start)
    assert all(effort(each) <= EFFORT * effort(start) for each in runs[0])
    assert not same(runs[0][1], start)
    assert runs[0] == runs[1]


def test_the_agents_effort_does_not_depend_on_the_machines_speed(card):
    request_text = PARTITIONS["iid"]
    agent = Agent(TrainingProblem(purpose=request_text, card=card))
    start = first_design(request_text, card).candidate
    candidates = []
    for number, wall_s in enumerate((8.0, 1.0, 90.0, 8.0), start=1):
        candidates.append(agent.ask())
        agent.tell(result(number, 0.5 + number / 20, wall_s))
    assert same(candidates[0], start)
    efforts = [effort(each) / effort(start) for each in candidates]
    assert max(efforts) == EFFORT
    distinct = {each.model_dump_json(exclude={"rationale"}) for each in candidates}
    assert len(distinct) == len(candidates)


def test_the_grid_has_the_rounds_of_the_start(card):
    start = plain_candidate(card)
    grid = Grid(start)
    points = [grid.ask() for _ in range(len(grid))]
    assert len({(each.schedule, each.optimiser) for each in points}) == len(grid)
    assert {each.rounds for each in points} == {start.rounds}
