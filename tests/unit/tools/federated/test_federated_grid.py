"""The in-process grid passes Flower's messages."""

from collections.abc import Callable

import pytest
from flwr.app import ArrayRecord, Context, Message, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.messages import read_instruction
from edgewright.tools.federated.grids.in_process import InProcessGrid

App = Callable[[Message, Context], Message]
Change = Callable[[RecordDict], None]


def test_the_grid_implements_flowers_grid() -> None:
    def echo(message: Message, context: Context) -> Message:
        return Message(message.content, reply_to=message)

    grid = InProcessGrid(echo, 2, {})
    grid.set_run(grid.run)
    first, second = list(grid.get_node_ids())
    messages = [
        grid.create_message(RecordDict(), "train", node, group_id="1") for node in (first, second)
    ]
    ids = list(grid.push_messages(messages))
    replies = list(grid.pull_messages([*ids, "unknown"]))
    assert [reply.metadata.src_node_id for reply in replies] == [first, second]
    assert all(reply.metadata.dst_node_id == SUPERLINK_NODE_ID for reply in replies)
    assert list(grid.pull_messages(ids)) == []


def test_an_instruction_without_a_round_is_refused() -> None:
    from flwr.app import ConfigRecord

    content = RecordDict({"arrays": ArrayRecord(), "config": ConfigRecord({"server-round": "one"})})
    InProcessGrid(lambda message, context: message, 1, {})
    with pytest.raises(InputError):
        read_instruction(Message(content, 2, "train"))
