"""The programs of a deployment: light, prompt, and patient with clients that come back."""

import subprocess
import sys
from collections.abc import Iterable

import pytest
from flwr.app import Message, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.supercore.task_identity import TaskIdentity

from edgewright.tools.federated.deployment.operator.exchange import await_return, exchange

PACKAGE = "edgewright.tools.federated.deployment"
NODE = f"""
import importlib
program = importlib.import_module("flwr.supernode.cli.flower_supernode")
from flwr.supercore import heartbeat
from flwr.supernode import fleet_http_connection as connection
def shown(): print(heartbeat.HEARTBEAT_DEFAULT_INTERVAL, connection.HEARTBEAT_DEFAULT_INTERVAL)
program.flower_supernode = shown
from {PACKAGE}.client import node
node.main()
"""


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    ).stdout


@pytest.mark.parametrize("name", ["client.app", "client.node", "operator.server_app"])
def test_programs_that_only_pass_weights_on_start_without_pytorch(name: str) -> None:
    # They start for each message, and PyTorch takes longer than all of the rest.
    found = run(f"import sys, {PACKAGE}.{name}; print('torch' in sys.modules)")
    assert found.split() == ["False"]


def test_a_dead_node_is_gone_within_half_a_minute() -> None:
    intervals = [int(each) for each in run(NODE).split()]
    assert len(intervals) == 2
    assert 2 * max(intervals) <= 30  # Flower counts a node as gone after twice the interval


class Grid:
    """Flower's grid as far as it is needed: replies, and nodes, that come with each look."""

    def __init__(self, nodes: list[list[int]], replies: list[list[int]]) -> None:
        self.nodes, self.replies = nodes, replies
        self.sent: dict[str, Message] = {}

    def get_node_ids(self) -> list[int]:
        return self.nodes.pop(0) if len(self.nodes) > 1 else self.nodes[0]

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        self.sent = {f"message-{number}": each for number, each in enumerate(messages)}
        for name, message in self.sent.items():
            message.metadata.__dict__["_message_id"] = name
        return list(self.sent)

    def pull_messages(self, names: Iterable[str]) -> list[Message]:
        assert set(names) <= self.sent.keys()
        ready = self.replies.pop(0) if self.replies else []
        return [Message(RecordDict(), reply_to=self.sent[f"message-{each}"]) for each in ready]


def messages(count: int) -> list[Message]:
    TaskIdentity.task_id = TaskIdentity.run_id = 1
    TaskIdentity.node_id = SUPERLINK_NODE_ID
    return [Message(RecordDict(), node, "query") for node in range(1, count + 1)]


def test_replies_are_taken_as_they_come() -> None:
    grid = Grid([[]], [[1], [], [0, 2]])
    replies = exchange(grid, messages(3), timeout=60)
    assert [each.metadata.src_node_id for each in replies] == [2, 1, 3]
    assert grid.replies == []


def test_a_reply_that_does_not_come_is_not_waited_for_longer_than_said() -> None:
    replies = exchange(Grid([[]], [[0]]), messages(2), timeout=0.1)
    assert [each.metadata.src_node_id for each in replies] == [1]


def test_a_resumed_run_waits_for_the_clients_of_its_last_round() -> None:
    clients = {11: 0, 12: 1, 13: 2}
    grid = Grid([[11], [11], [11, 12]], [])
    assert await_return(grid, clients, {0, 1}, timeout_s=60) == [11, 12]
    assert await_return(Grid([[11]], []), clients, set(), timeout_s=60) == [11]
    assert await_return(Grid([[11]], []), clients, {0, 1}, timeout_s=0.1) == [11]
