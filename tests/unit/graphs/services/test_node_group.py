"""Several nodes as one: a task goes to the node that has what it needs."""

import pytest

from edgewright.graphs.services.node_group import NodeGroup
from edgewright.tools.contracts.invocation import InvokeOptions, InvokeResponse
from edgewright.tools.contracts.views import CardView, SensorView
from edgewright.tools.errors import LinkError, UnavailableError


class Node:
    """A node with some cards and a sensor, or one that does not answer."""

    def __init__(self, name, cards=(), sensor="", *, silent=False):
        self.url = f"http://{name}"
        self.calls = []
        self._cards, self._sensor, self._silent = cards, sensor, silent

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.closed = True

    async def tools(self):
        self._answer()
        return [
            CardView(id=card, task_type="a", description="d", schema={}, available=card in
                     self._cards, expert=None, approximate=False, reason="")
            for card in ("hear", "watch", "fuse")
        ]  # fmt: skip

    async def sensors(self):
        self._answer()
        return [SensorView(kind=self._sensor, name=self._sensor)]

    async def invoke(self, card, options, image):
        self._answer()
        self.calls.append(card)
        return InvokeResponse(status="ok")

    def _answer(self):
        if self._silent:
            raise LinkError("no answer")


async def _invoke(group, card):
    return await group.invoke(card, InvokeOptions(), None)


async def test_each_task_goes_to_the_first_node_that_can_do_it():
    speaker, router = Node("speaker", ("hear", "fuse"), "ear"), Node("router", ("watch", "fuse"))
    async with NodeGroup([speaker, router]) as group:
        for card in ("hear", "watch", "fuse"):
            await _invoke(group, card)
        assert (speaker.calls, router.calls) == (["hear", "fuse"], ["watch"])
        assert all(view.available for view in await group.tools())
        assert [view.name for view in await group.sensors()] == ["ear", ""]
    assert speaker.closed
    assert router.closed


async def test_a_silent_node_takes_only_its_own_tasks_with_it():
    speaker, router = Node("speaker", silent=True), Node("router", ("watch", "fuse"), "eye")
    group = NodeGroup([speaker, router])
    await _invoke(group, "fuse")
    assert router.calls == ["fuse"]
    with pytest.raises(UnavailableError, match="http://speaker does not answer") as raised:
        await _invoke(group, "hear")
    assert raised.value.info().code == "node_silent"
    assert [view.name for view in await group.sensors()] == ["eye"]


async def test_the_sensors_of_a_node_that_falls_silent_are_remembered():
    speaker, router = Node("speaker", ("hear",), "ear"), Node("router", ("watch",), "eye")
    group = NodeGroup([speaker, router])
    await group.sensors()
    speaker._silent = True
    assert [view.name for view in await group.sensors()] == ["ear", "eye"]


async def test_silence_of_all_is_a_broken_link():
    with pytest.raises(LinkError):
        await _invoke(NodeGroup([Node("a", silent=True), Node("b", silent=True)]), "hear")


async def test_what_no_node_can_do_is_left_to_the_first_ones_answer():
    first, second = Node("a"), Node("b")
    await _invoke(NodeGroup([first, second]), "hear")
    assert (first.calls, second.calls) == (["hear"], [])
