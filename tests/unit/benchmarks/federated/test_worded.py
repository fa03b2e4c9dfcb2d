"""Every worded problem states a constraint, which the coder understands and satisfies."""

from collections import Counter

import pytest

from edgewright.agents.fl_coder.constraints.classifier import KINDS
from edgewright.agents.fl_coder.constraints.held import broken
from edgewright.agents.fl_coder.constraints.promises import read_promises
from edgewright.agents.fl_coder.constraints.spans import read_constraints
from edgewright.agents.fl_coder.embedded.design import first_design, plain_candidate
from edgewright.benchmarks.federated.worded import _as_good, answers, load_problems

PROBLEMS = load_problems()


def test_there_are_many_problems_two_or_more_of_each_constraint():
    assert len(PROBLEMS) == len({problem.name for problem in PROBLEMS}) == 24
    count = Counter(problem.kind for problem in PROBLEMS)
    assert set(count) > set(KINDS)
    assert min(count[kind] for kind in KINDS) >= 2


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_a_problem_is_understood_and_answered(problem, card):
    if problem.kind in KINDS:
        assert problem.kind in {each.kind for each in read_constraints(problem.words)}
    control = plain_candidate(card)
    assert not answers(control, problem.kind, control)
    design = first_design(problem.words, card).candidate
    assert answers(design, problem.kind, control)
    promises = read_promises(problem.words, len(card.clients))
    assert broken(design, promises, len(card.clients), None) == ()
    if problem.kind not in KINDS and problem.kind not in ("memory", "bytes", "total-bytes"):
        assert broken(control, promises, len(card.clients), None)  # sizes are known later


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
def test_as_good_as_the_control(figure, ours, control, as_well):
    assert _as_good(figure, ours, control, samples=300) is as_well
