from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from edgewright.agents.fl_coder.embedded.design import plain_candidate
from edgewright.agents.fl_coder.protocol import DesignChoice, Proposal
from edgewright.cli.main import app
from edgewright.cli.views import approval
from edgewright.cli.views.training import TrainingView, run_view, sparkline, trials_table
from edgewright.graphs.federated.approval import ask
from edgewright.graphs.federated.events import (
    CandidateChecked,
    Decided,
    Prepared,
    Proposed,
    Registered,
    TrialEnded,
    TrialStarted,
)
from edgewright.tools.datasets.summary import DataSummary
from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.intent import RunIntent, write_intent
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.federated.records.progress import RoundScored, TrialProgress
from edgewright.tools.federated.records.report import RunReport, TrialReport, write_report
from edgewright.tools.federated.records.trial import CurvePoint, LinkSpeed, ModelScore, TrialResult
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.settings import home

CARD = DataCard(
    name="digits", height=8, width=8, channels=1, original_side=8, classes=("0", "1"), train=100,
    validation=20, test=20, partition="iid", clients=(ClientCard(samples=50, histogram=(50,)),) * 2,
    balance=1.0, label_skew=0.0, size_skew=1.0,
)  # fmt: skip
SCORE = ModelScore(accuracy=0.9, loss=0.2, clients=(0.8, 1.0))
FAULT = Fault(code="raised", slot="model", message="it broke")


def proposal() -> Proposal:
    choice = DesignChoice(words="slow links", choice="8-bit updates", reason="fewer bytes")
    return Proposal(
        candidate=plain_candidate(CARD), choices=(choice,), coder="embedded", note="take note"
    )


def result(fault: Fault | None = None) -> TrialResult:
    point = CurvePoint(
        round_number=1, train_loss=0.1, train_accuracy=0.9, validation=SCORE, bytes_up=1_000_000,
        bytes_down=1, simulated_s=3.0, wall_s=2.0,
    )  # fmt: skip
    return TrialResult(
        number=1, status="failed" if fault else "finished", fault=fault, engine="in-process",
        sandbox="sandlock", seed=0, curve=() if fault else (point,), best_round=0 if fault else 1,
    )  # fmt: skip


def report() -> RunReport:
    trained = TrialReport(
        coder="embedded", candidate=plain_candidate(CARD), reasons=(), note="", faults=(),
        result=result(),
    )  # fmt: skip
    refused = trained.model_copy(update={"faults": (FAULT,), "result": None})
    return RunReport(
        run="r1", purpose="digits", stop="trials", engine="in-process", seed=0, link=LinkSpeed(),
        data=CARD, trials=(refused, trained), best=1, test=SCORE, tool="digit-classifier",
    )  # fmt: skip


@pytest.fixture
def screen() -> Console:
    return Console(file=io.StringIO(), width=140, force_terminal=False, highlight=False)


def printed(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_a_run_is_shown_as_it_goes(screen):
    with TrainingView(screen) as view:
        for event in (
            Prepared(run="r1", card=CARD),
            Proposed(number=1, proposal=proposal()),
            CandidateChecked(number=1, faults=(FAULT,), facts=None),
            TrialStarted(number=1, rounds=5),
            TrialProgress(number=1, event="client", round=1, client=0),
            RoundScored(number=1, point=result().curve[0]),
            TrialEnded(result=result()),
            TrialEnded(result=result(FAULT)),
            Decided(stop="trials", best=1),
            Registered(report=report()),
        ):
            view(event)
        with view.paused():
            pass
    text = printed(screen)
    for words in (
        "run r1: digits, 100 training samples at 2 clients", "slow links", "8-bit updates",
        "take note", "refused [raised] model: it broke", "trial 1: 0.9000 in round 1",
        "3 s on the link clock", "trial 1 failed [raised]", "1 ★", "1.00",
    ):  # fmt: skip
        assert words in text


def test_what_was_read_of_the_data_is_shown_before_training_and_with_the_report(screen):
    reading = DataSummary(layout="classes", read=7, classes={"a": 7}, foreign=2)
    with TrainingView(screen) as view:
        view(Prepared(run="r1", card=CARD, reading=reading))
        before = printed(screen)
        view(Proposed(number=1, proposal=proposal()))
    screen.print(run_view(report().model_copy(update={"reading": reading})))
    after = printed(screen)[len(before) :]
    for text in (before, after):
        assert "read 7 images from class folders: a 7" in text
        assert "left out 2 files hidden or of other programs" in text


def test_a_curve_fits_on_one_line():
    assert sparkline([0, 0.5, 1]) == "▁▅█"
    assert len(sparkline([0.5] * 500)) <= 50
    assert sparkline([]) == ""


def test_trials_of_several_runs_are_compared(screen):
    screen.print(trials_table([report(), report().model_copy(update={"run": "r2"})]))
    text = printed(screen)
    assert text.count("★") == 2
    assert "raised" in text
    assert "r2" in text


@pytest.mark.parametrize("reports", [1, 2])
def test_tables_of_runs_fit_into_eighty_columns(screen, reports):
    one = report()
    done = tuple(trial for trial in one.trials if trial.best is not None)
    narrow = Console(file=screen.file, width=80)
    one = one.model_copy(update={"trials": done, "run": "0123456789ab"})
    narrow.print(trials_table(reports * [one]))
    text = printed(screen)
    assert "…" not in text
    assert all(name in text for name in ("validation", "worst", "client", "link s"))
    assert "faults" not in text


class View:
    def paused(self) -> Any:
        import contextlib

        return contextlib.nullcontext()


@pytest.fixture
def asker(screen, monkeypatch):
    monkeypatch.setattr(approval.sys, "stdin", SimpleNamespace(isatty=lambda: True))
    return approval.Asker(screen, View())  # type: ignore[arg-type]


def answering(monkeypatch, *answers: str) -> None:
    remaining = list(answers)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: remaining.pop(0))


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (("a",), {"type": "accept"}),
        (("what?", "Ignore"), {"type": "ignore"}),
        (("r", "fewer bytes"), {"type": "response", "args": "fewer bytes"}),
    ],
)
def test_the_user_is_asked(asker, monkeypatch, screen, typed, answer):
    answering(monkeypatch, *typed)
    assert asker(ask(proposal(), None)) == answer
    assert "slow links" in printed(screen)


def test_the_user_edits_until_the_candidate_is_valid(asker, monkeypatch, screen):
    question = ask(proposal(), None)
    texts = [None, '{"rounds": 0}', json.dumps(question["action_request"]["args"] | {"rounds": 3})]
    monkeypatch.setattr(typer, "edit", lambda *_, **__: texts.pop(0))
    answering(monkeypatch, "e", "e", "e")
    answer = asker(question)
    assert answer["args"]["args"]["rounds"] == 3
    assert "rounds" in printed(screen)


def test_nobody_is_asked_without_a_terminal(screen, monkeypatch):
    monkeypatch.setattr(approval.sys, "stdin", SimpleNamespace(isatty=lambda: False))
    with pytest.raises(InputError):
        approval.Asker(screen, View())(ask(proposal(), None))  # type: ignore[arg-type]


@pytest.fixture
def runner(tmp_path, monkeypatch) -> CliRunner:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    return CliRunner()


def test_help_shows_defaults_that_depend_on_other_options(runner):
    shown = " ".join(runner.invoke(app, ["train", "--help"]).stdout.replace("│", " ").split())
    assert "[default: as many as PURPOSE says, else 10]" in shown
    assert "[default: the data that PURPOSE names]" in shown
    assert "auto in-process" in shown


def test_runs_are_listed_shown_and_compared(runner):
    folder = RunFolder(home() / "runs" / "r1")
    folder.root.mkdir(parents=True)
    write_report(folder, report())
    write_intent(RunFolder(home() / "runs" / "r0"), RunIntent(purpose="x", data="d", clients=2))
    rows = json.loads(runner.invoke(app, ["runs", "list", "--json"]).stdout)
    assert {row["run"]: row["state"] for row in rows} == {"r1": "trials", "r0": "interrupted"}
    assert "digit-classifier" in runner.invoke(app, ["runs", "list"], env={"COLUMNS": "200"}).stdout
    page = runner.invoke(app, ["runs", "show", "r1"]).stdout
    for fact in ("digit-classifier", "100 training samples", "worst client 0.8000", "1 ★"):
        assert fact in page
    shown = json.loads(runner.invoke(app, ["runs", "show", "r1", "--json"]).stdout)
    assert shown["tool"] == "digit-classifier"
    assert "★" in runner.invoke(app, ["runs", "compare", "r1", "r1"]).stdout
    (compared,) = json.loads(runner.invoke(app, ["runs", "compare", "r1", "--json"]).stdout)
    assert compared["best_trial"] == 1
    assert compared["trials"][0]["status"] == "refused"
    assert runner.invoke(app, ["runs", "show", "none"]).exit_code == 2


def test_a_list_of_runs_fits_eighty_columns_and_cuts_no_name(runner):
    long = "handwritten-digit-on-a-postal-form-of-the-nineties-classifier"
    folder = RunFolder(home() / "runs" / "0123456789ab")
    folder.root.mkdir(parents=True)
    write_report(folder, report().model_copy(update={"run": "0123456789ab", "tool": long}))
    purpose = "ten clinics have " + "photos of digits, " * 8
    begun = RunIntent(purpose=purpose, data="digits", clients=9)
    write_intent(RunFolder(home() / "runs" / "ba9876543210"), begun)
    shown = runner.invoke(app, ["runs", "list"], env={"COLUMNS": "80"}).stdout
    assert all(len(line) <= 80 for line in shown.splitlines())
    for name in (long, "0123456789ab", "on digits", "edgewright train --resume ba9876543210"):
        assert any(name in line for line in shown.splitlines())
    refused = runner.invoke(app, ["runs", "show", "ba9876543210"])
    assert "edgewright train --resume ba9876543210" in refused.stderr


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["digits", "--seed", "99999999999"], "seed"),
        (["digits", "--alpha", "nan"], "alpha"),
        (["digits", "--time", "nan"], "time"),
        (["digits", "--time", "inf"], "time"),
        (["digits", "--data", " "], "--data"),
        (["--resume", "r", "--seed", "3"], "--seed"),
        (["--resume", "r", "--data", "digits"], "--data"),
        (["--resume", ""], "no run"),
        (["--resume", "x" * 500], "no run"),
        (["--resume", "../.."], "no run"),
    ],
)
def test_invalid_options_are_explained(runner, args, named):
    done = runner.invoke(app, ["train", *args])
    assert done.exit_code == 2, done.output
    assert named in done.stderr
    assert "internal" not in done.stderr
    assert "report it" not in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["digits", "--resume", "r"],
        ["digits", "--target", "1.5"],
        ["digits", "--engine", "simulation", "--approve", "auto"],
        ["--resume", "none"],
    ],
)
def test_invalid_arguments_are_refused(runner, args):
    done = runner.invoke(app, ["train", *args])
    assert done.exit_code == 2, done.output
