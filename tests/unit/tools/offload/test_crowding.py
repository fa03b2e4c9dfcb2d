"""Nodes that come to a peer together share it out, and one that is alone takes all tasks there."""

import math

import numpy as np
import pytest

from edgewright.tools.offload.crowding import Crowding
from edgewright.tools.offload.load import WINDOW_S


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def crowding(clock):
    return Crowding(clock=clock, rng=np.random.default_rng(0))


def visit(crowding, clock, seconds, wait_ms=0.0, *, peer="edge"):
    for _ in range(int(seconds)):
        crowding.note(peer, {"edge": wait_ms}, 100.0)
        clock.now += 1


def test_all_tasks_go_to_a_peer_at_first(crowding, clock):
    visit(crowding, clock, 30)
    assert crowding.share("edge") == 1
    assert crowding.share(None) == 1
    assert all(crowding.admits(1.0) for _ in range(100))


@pytest.mark.parametrize("wait_ms", [80.0, math.inf])
def test_load_that_rises_at_once_halves_the_share(crowding, clock, wait_ms):
    visit(crowding, clock, 8)
    visit(crowding, clock, 8, wait_ms, peer=None)
    assert crowding.share("edge") == 0.5
    visit(crowding, clock, 8)
    visit(crowding, clock, 8, wait_ms, peer=None)
    assert 0.25 < crowding.share("edge") < 0.5


def test_the_share_recovers_while_the_node_can_stay(crowding, clock):
    visit(crowding, clock, 8)
    visit(crowding, clock, 8, 80.0, peer=None)
    visit(crowding, clock, 70)
    assert crowding.share("edge") == 1


def test_load_after_a_long_visit_is_no_crowd(crowding, clock):
    visit(crowding, clock, 3 * WINDOW_S)
    visit(crowding, clock, 8, 80.0, peer=None)
    assert crowding.share("edge") == 1


def test_leaving_for_another_reason_changes_nothing(crowding, clock):
    visit(crowding, clock, 8, 5.0)
    visit(crowding, clock, 8, 6.0, peer=None)
    assert crowding.share("edge") == 1


def test_a_share_is_drawn(crowding):
    admitted = sum(crowding.admits(0.25) for _ in range(4000))
    assert admitted == pytest.approx(1000, rel=0.1)
