"""The training benchmarks: fair searches, problems that say what they are about, honest counts."""

from __future__ import annotations

from collections import Counter

import pytest

from edgewright.agents.fl_coder.constraints.classifier import KINDS
from edgewright.agents.fl_coder.constraints.spans import read_constraints
from edgewright.agents.fl_coder.embedded.design import first_design, plain_candidate
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.protocol import TrainingProblem, same
from edgewright.benchmarks.common.results import write_results
from edgewright.benchmarks.federated import overhead as federated_overhead
from edgewright.benchmarks.federated import problems as federated_problems
from edgewright.benchmarks.federated import run as federated
from edgewright.benchmarks.federated import tables as federated_tables
from edgewright.benchmarks.federated import worded as federated_worded
from edgewright.benchmarks.federated.searches import (
    EFFORT,
    Agent,
    Grid,
    random_search,
    tree_parzen,
)
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.trial import CurvePoint, ModelScore, TrialResult

PROBLEMS = federated_worded.load_problems()


@pytest.fixture
def card() -> DataCard:
    client = ClientCard(samples=120, histogram=(12,) * 10)
    return DataCard(
        name="digits", height=8, width=8, channels=1, original_side=8,
        classes=tuple("0123456789"), train=1200, validation=300, test=300, partition="iid",
        clients=(client,) * 10, balance=1.0, label_skew=0.5, size_skew=1.0,
    )  # fmt: skip


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
@pytest.mark.parametrize("words", list(federated.PARTITIONS.values()))
def test_a_search_begins_where_the_coder_does_and_keeps_its_means(card, make, words):
    start = first_design(words, card).candidate
    drawn = []
    for _ in range(2):
        search = make(start, seed=3)
        candidates = []
        for number in range(1, 6):
            candidates.append(search.ask())
            search.tell(result(number, 0.5 + number / 20))
        drawn.append(candidates)
    assert same(drawn[0][0], start)
    assert all(effort(each) <= EFFORT * effort(start) for each in drawn[0])
    assert not same(drawn[0][1], start)
    assert drawn[0] == drawn[1]


def test_the_agent_keeps_the_same_means_however_fast_the_machine_was_meanwhile(card):
    words = federated.PARTITIONS["iid"]
    agent = Agent(TrainingProblem(purpose=words, card=card))
    start = first_design(words, card).candidate
    asked = []
    for number, wall_s in enumerate((8.0, 1.0, 90.0, 8.0), start=1):
        asked.append(agent.ask())
        agent.tell(result(number, 0.5 + number / 20, wall_s))
    assert same(asked[0], start)
    efforts = [effort(each) / effort(start) for each in asked]
    assert max(efforts) == EFFORT
    assert len({each.model_dump_json(exclude={"rationale"}) for each in asked}) == len(asked)


def test_the_grid_has_the_rounds_of_the_start(card):
    start = plain_candidate(card)
    grid = Grid(start)
    points = [grid.ask() for _ in range(len(grid))]
    assert len({(each.schedule, each.optimiser) for each in points}) == len(grid)
    assert {each.rounds for each in points} == {start.rounds}


def test_time_to_an_accuracy_counts_what_was_tried_before():
    def record(method, *trials):
        return {
            "method": method,
            "chosen": len(trials) - 1,
            "trials": [
                {"best": max(values), "simulated_s": times, "validation": values}
                for times, values in trials
            ],
        }

    baseline = record(federated_tables.BASELINE, ([9, 18], [0.5, 0.6]), ([100, 200], [0.8, 0.9]))
    agent = record(federated_tables.AGENT, ([1, 2], [0.7, 0.85]), ([1, 2, 3], [0.8, 0.91, 0.92]))
    assert federated_tables.reaching(agent, baseline) == 4
    assert federated_tables.reaching(baseline, baseline) == 200
    weak = record(federated_tables.RANDOM, ([1, 2], [0.7, 0.85]))
    assert federated_tables.reaching(weak, baseline) is None


def test_there_are_sixteen_problems_two_or_more_of_each_kind():
    assert len(PROBLEMS) == len({problem.name for problem in PROBLEMS}) == 16
    count = Counter(problem.kind for problem in PROBLEMS)
    assert set(count) == set(KINDS)
    assert min(count.values()) >= 2


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_a_problem_is_understood_and_answered(problem, card):
    assert problem.kind in {each.kind for each in read_constraints(problem.words)}
    control = plain_candidate(card)
    assert not federated_worded.answers(control, problem.kind, control)
    design = first_design(problem.words, card).candidate
    assert federated_worded.answers(design, problem.kind, control)


@pytest.mark.parametrize(
    ("figure", "ours", "control", "as_well"),
    [
        ("accuracy", 0.89, 0.90, True),  # one standard error of 300 samples is 0.017
        ("accuracy", 0.87, 0.90, False),
        ("bytes", 900.0, 1000.0, True),
        ("seconds", 1001.0, 1000.0, False),
        ("seconds", None, 1000.0, False),
        ("epsilon", 8.0, None, True),
        ("epsilon", None, None, False),
    ],
)
def test_as_well_as_the_control(figure, ours, control, as_well):
    assert federated_worded._as_well(figure, ours, control, samples=300) is as_well


def test_the_engine_is_timed_with_clients_that_answer_at_once():
    from edgewright.tools.federated.grids.in_process import InProcessGrid

    grid = InProcessGrid(federated_overhead.client_app, federated_overhead.CLIENTS, {})
    times = federated_overhead._rounds(grid, 1000)
    assert 0 < times["exchange"] < times["round"]
    shown = federated_overhead.overhead_table(
        {"1 k": {"in-process": times, "ray": {part: 100 * times[part] for part in times}}}
    )
    assert shown.count("| 100 |") == 2


def trial(*values: float, seconds: float = 1.0) -> dict[str, object]:
    return {
        "status": "finished", "best": max(values), "parameters": 10,
        "simulated_s": [seconds * n for n in range(1, len(values) + 1)],
        "validation": list(values), "bytes_up": 1, "wall_s": 1.0,
    }  # fmt: skip


def test_the_table_has_each_method_and_counts_the_seeds_that_were_won(tmp_path, card):
    records = [
        {
            "method": method, "partition": partition, "seed": seed, "chosen": 0,
            "test": test + seed / 100, "worst_client": test,
            "trials": [trial(test - 0.1, test, seconds=seconds)],
        }
        for seed in (0, 1)
        for partition in federated.PARTITIONS
        for method, test, seconds in (
            (federated_tables.BASELINE, 0.88, 100.0), (federated_tables.AGENT, 0.9, 1.0),
            (federated_tables.RANDOM, 0.9, 1.0), (federated_tables.TPE, 0.91, 1.0),
        )
    ]  # fmt: skip
    options = federated.Options("digits", 500, 2, tuple(federated.PARTITIONS), tmp_path)
    shown = federated_tables.markdown_of(
        federated._setting(options, card), options.partitions, records
    )
    assert "| iid | agent | 90.50 ± 6.3" in shown
    assert "| dirichlet | ResNet-18 + SGD, grid | 88.50 ± 6.3" in shown
    assert shown.count("random search 0 of 2 (2 equal)") == 2
    assert shown.count("grid 2 of 2 (0 equal)") == 2
    write_results(tmp_path, "shown", {}, shown, lambda axes: federated_tables.draw(axes, records))
    assert (tmp_path / "shown.png").stat().st_size > 1000
    names = {options.run("iid", 0, record["method"]).root.name for record in records}
    assert names == {"resnet-18-sgd-grid", "agent", "random-search", "tpe"}


def test_finished_problems_are_not_run_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))  # put back after the benchmark set it
    cache, out = tmp_path / "cache", tmp_path / "out"
    cache.mkdir()
    for problem in PROBLEMS:
        outcome = federated_worded.ProblemOutcome(
            name=problem.name, kind=problem.kind, figure=problem.figure, answered=True,
            ours=None if problem.name == "teachers" else 0.5,
            control=None if problem.figure == "epsilon" else 0.5,
            as_well=problem.name != "teachers",
            accuracy=0.9, control_accuracy=0.9, choices="",
        )  # fmt: skip
        (cache / f"{problem.name}.json").write_text(outcome.model_dump_json(), "utf-8")
    assert federated_problems.main(["--cache", str(cache), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("15 of 16 designs")
    assert "| therapists | privacy | epsilon | 0.5 | no guarantee |" in shown
    assert "| teachers | personal | worst-client | never |" in shown
    assert (out / "federated-problems.md").read_text("utf-8") == shown
