"""What a purpose says about its data, read the same way from a command line and a conversation."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from typer.testing import CliRunner

from edgewright.cli.main import app
from edgewright.graphs.assistant import training
from edgewright.graphs.assistant.training import LocalTrainer
from edgewright.graphs.federated import session
from edgewright.tools.datasets.sources import load_source
from edgewright.tools.errors import InputError
from edgewright.tools.federated.trials.prepare import DataRequest
from edgewright.tools.settings import ChatModelSettings

CLINICS = "ten clinics each have photos of handwritten digits; I need a classifier"
SKEWED = "four shops sell quite different things: classify fashion-mnist"


class _StoppedError(Exception):
    """Ends a run once its data are known."""


@pytest.fixture
def requested(monkeypatch):
    """What runs were begun with."""
    requests: list[DataRequest] = []

    class Run:
        async def begin(self, purpose, data, settings, **more):
            requests.append(data)
            raise _StoppedError

    @asynccontextmanager
    async def open_run(*args, **more):
        yield Run()

    monkeypatch.setattr(session, "open_run", open_run)
    monkeypatch.setattr(training, "open_run", open_run)
    return requests


@pytest.mark.parametrize("words", [CLINICS, SKEWED, "recognise digits"])
def test_the_same_words_mean_the_same_data_on_both_ways(requested, words):
    with pytest.raises(_StoppedError):
        asyncio.run(LocalTrainer(ChatModelSettings()).train(words, lambda _: None))
    CliRunner().invoke(app, ["train", words, "--json"])
    in_conversation, on_command_line = requested
    assert on_command_line == in_conversation


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"source": "fashion-mnist", "clients": 4, "partition": "dirichlet"}),
        (["--data", "digits", "--clients", "7"], {"source": "digits", "clients": 7}),
        (["--partition", "iid"], {"partition": "iid", "clients": 4}),
        (["--partition", "attribute"], {"partition": "attribute", "clients": 0}),
        (["--alpha", "2", "--samples", "50"], {"alpha": 2.0, "samples": 50}),
    ],
)
def test_an_option_counts_more_than_the_words(requested, options, expected):
    CliRunner().invoke(app, ["train", SKEWED, *options, "--json"])
    (request,) = requested
    assert {name: getattr(request, name) for name in expected} == expected


def test_data_that_nobody_named_are_not_made_up(requested):
    done = CliRunner().invoke(app, ["train", "tell ripe from unripe", "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["code"] == "data_unnamed"
    assert requested == []


@pytest.mark.parametrize(
    "words",
    ["predict next month's sales from our spreadsheets", "which of our e-mails are spam?"],
)
def test_data_that_are_no_images_are_refused_with_what_is_possible(requested, words):
    done = CliRunner().invoke(app, ["train", words, "--json"])
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["code"]) == (2, "data_unsupported")
    assert "one folder per class" in error["message"]
    assert requested == []


def test_a_table_is_refused_with_what_is_possible(tmp_path):
    table = tmp_path / "sales.csv"
    table.write_text("month,sales\n1,2\n", "utf-8")
    with pytest.raises(InputError, match="tables cannot be learned"):
        load_source(str(table))
