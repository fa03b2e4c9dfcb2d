"""Services that find out about new cards."""

import asyncio
from threading import Event

import pytest

from edgewright.tools.errors import UnavailableError
from edgewright.tools.federated.serving.installed import models_folder


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "state"))


@pytest.mark.usefixtures("state")
def test_a_planner_gets_ready_for_new_cards_before_anyone_asks(services, planner):
    read = []
    services.catalogue = lambda: (read.append("cards"), (services.cards, planner))[1]
    asyncio.run(services.refresh())
    assert not read
    _install("a")
    asyncio.run(services.refresh())
    assert read == ["cards"]
    assert planner.prepared.wait(10)
    assert not planner.requests


@pytest.mark.usefixtures("state")
def test_a_planner_that_cannot_get_ready_is_no_fault_of_the_one_who_looks(services, planner):
    tried = Event()

    def fail():
        tried.set()
        raise UnavailableError("no weights", code="weights_missing")

    planner.prepare = fail
    services.catalogue = lambda: (services.cards, planner)
    _install("b")
    asyncio.run(services.refresh())
    assert tried.wait(10)


def _install(name):
    (models_folder() / name).mkdir(parents=True)
