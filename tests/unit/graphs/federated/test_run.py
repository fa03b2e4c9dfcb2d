from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from edgewright.agents.fl_coder.embedded.coder import EmbeddedCoder
from edgewright.graphs.federated import context as context_module
from edgewright.graphs.federated import training_backend
from edgewright.graphs.federated.context import TrainingContext, run_folder
from edgewright.graphs.federated.events import Event
from edgewright.graphs.federated.graph import build_graph
from edgewright.graphs.federated.session import open_run
from edgewright.graphs.federated.state import TrainSettings
from edgewright.tools.errors import InputError, NotFoundError
from edgewright.tools.federated.records.intent import read_intent
from edgewright.tools.federated.records.progress import RoundScored, TrialProgress
from edgewright.tools.federated.records.report import read_report
from edgewright.tools.federated.trials.prepare import DataRequest
from edgewright.tools.sandbox.faults import Fault

PURPOSE = "two clinics have photos of digits"
BROKEN = Fault(code="raised", message="NameError in line 3", slot="model", line=3)


def never(question: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError("no approval should have been requested")


async def begin(context, approve=never, **settings: Any):
    events: list[Any] = []
    async with open_run(context) as run:
        report = await run.begin(
            PURPOSE, DataRequest(), TrainSettings(**settings), approve=approve,
            on_event=events.append,
        )  # fmt: skip
    return report, events


async def test_a_run_goes_from_purpose_to_tool(bench, context_of):
    report, events = await begin(context_of(bench), trials=1)
    assert [event.event for event in events] == [
        "prepared", "proposed", "checked", "trial_started", "client", "scored",
        "trial_ended", "decided", "registered",
    ]  # fmt: skip
    assert (report.stop, report.best, report.tool) == ("trials", 1, "digit-classifier")
    assert report.test is not None
    assert report.test.accuracy == 0.8
    assert report.trials[0].costs == {
        "bytes_up": 20, "bytes_down": 20, "simulated_s": 2.0, "wall_s": 1.0
    }  # fmt: skip


@pytest.mark.parametrize("said", [True, False])
async def test_only_a_person_lets_a_worse_model_take_a_place(bench, context_of, said):
    await begin(context_of(bench), trials=1, replace=said)
    assert bench.replaced == [said]


async def test_events_keep_their_type_from_the_runner_to_the_session(bench, context_of):
    _, events = await begin(context_of(bench), trials=1)
    progress = [event for event in events if isinstance(event, TrialProgress | RoundScored)]
    assert [type(event) for event in progress] == [TrialProgress, RoundScored]
    assert progress == bench.progress


async def test_events_can_leave_the_process_as_json_and_keep_their_types(bench, context_of):
    _, events = await begin(context_of(bench), trials=1)
    adapter: TypeAdapter[Event] = TypeAdapter(Event)
    assert [adapter.validate_json(adapter.dump_json(event)) for event in events] == events


async def test_services_are_opened_once_a_run(bench, monkeypatch):
    opened = []

    def make(chat):
        opened.append(chat)
        return EmbeddedCoder()

    monkeypatch.setattr(context_module, "make_coder", make)
    monkeypatch.setattr(training_backend, "LocalTrainingBackend", lambda: bench)
    report, _ = await begin(TrainingContext(coder="embedded"), trials=1)
    assert report.tool == "digit-classifier"
    assert len(opened) == 1


async def test_the_best_trial_is_tested_and_it_alone(bench, context_of):
    bench.outcomes = [0.6, 0.9, 0.7, 0.8]
    report, _ = await begin(context_of(bench), trials=4, patience=3)
    assert report.best == 2
    assert bench.tested == [2]
    assert [request.number for request in bench.trained] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("outcomes", "settings", "stop", "trained"),
    [
        ([0.5, 0.7, 0.96], {"target": 0.95, "trials": 9}, "target", 3),
        ([0.8, 0.8005, 0.801], {"patience": 2, "trials": 9}, "patience", 3),
        ([0.5, 0.6, 0.7], {"trials": 3}, "trials", 3),
        ([0.5], {"time_s": 2.0, "trials": 9}, "time", 1),
    ],
)
async def test_a_run_ends_when_it_should(bench, context_of, outcomes, settings, stop, trained):
    bench.outcomes = outcomes
    report, _ = await begin(context_of(bench), **settings)
    assert report.stop == stop
    assert len(bench.trained) == trained


async def test_an_unchanged_proposal_ends_the_run(bench, context_of, stubborn):
    report, _ = await begin(context_of(bench, stubborn), trials=9)
    assert report.stop == "unchanged"
    assert len(bench.trained) == 1


async def test_a_private_trial_is_not_repeated(bench, context_of):
    async with open_run(context_of(bench)) as run:
        report = await run.begin(
            "digits with a privacy budget of epsilon 5", DataRequest(), TrainSettings(trials=5),
            approve=never,
        )  # fmt: skip
    assert report.stop == "privacy"
    assert bench.trained[0].candidate.strategy.name == "private"


@pytest.mark.parametrize(
    ("given", "stop", "time_s"),
    [({"trials": 5}, "target", 10), ({"trials": 2, "time_s": 600, "target": 0.99}, "trials", 600)],
)
async def test_a_stated_time_and_target_count_unless_given(bench, context_of, given, stop, time_s):
    bench.outcomes = [0.5, 0.92, 0.95]
    async with open_run(context_of(bench)) as run:
        report = await run.begin(
            "Read digits. Stop at 90 %. Training has ten seconds at most.", DataRequest(),
            TrainSettings(**given), approve=never,
        )  # fmt: skip
    assert report.stop == stop
    assert bench.trained[0].limits.time_s == time_s


async def test_a_candidate_that_breaks_a_promise_is_never_trained(bench, context_of):
    class Forgetful:
        """Proposes what the words forbid."""

        def propose(self, problem, attempts):
            proposal = EmbeddedCoder().propose(problem, ())
            longer = proposal.candidate.model_copy(update={"rounds": 9})
            return proposal.model_copy(update={"candidate": longer})

    async with open_run(context_of(bench, Forgetful())) as run:
        report = await run.begin(
            "Read digits, in at most 5 rounds.", DataRequest(), TrainSettings(), approve=never
        )
    assert bench.trained == []
    assert report.trials[0].faults[0].code == "promise"


async def test_remarks_withdraw_promises_and_state_others(bench, context_of):
    answers = [{"type": "response", "args": "Forget the privacy. Training may take two minutes."}]
    events: list[Any] = []
    async with open_run(context_of(bench)) as run:
        await run.begin(
            "Read digits with differential privacy of epsilon 5.", DataRequest(),
            TrainSettings(approval="ask", trials=1),
            approve=lambda _: answers.pop() if answers else {"type": "accept"},
            on_event=events.append,
        )  # fmt: skip
    assert [each.faults for each in events if each.event == "checked"] == [(), ()]
    assert not bench.trained[0].candidate.private
    assert bench.trained[0].limits.time_s == 120


async def test_a_refused_candidate_is_repaired(bench, context_of):
    bench.refusals = [(BROKEN,)]
    report, events = await begin(context_of(bench), trials=1)
    assert [trial.faults for trial in report.trials] == [(BROKEN,), ()]
    assert "NameError" in report.trials[1].candidate.rationale
    assert bench.trained[0].number == 1
    assert [e.number for e in events if e.event == "checked"] == [1, 1]


async def test_a_failed_training_is_repaired_under_a_new_number(bench, context_of):
    bench.outcomes = [Fault(code="not_finite", message="the loss became NaN"), 0.9]
    report, _ = await begin(context_of(bench), trials=1)
    assert [request.number for request in bench.trained] == [1, 2]
    assert report.best == 2
    assert report.trials[0].complaints[0].code == "not_finite"


async def test_repairs_come_to_an_end(bench, context_of):
    class Restless:
        def propose(self, problem, attempts):
            proposal = (
                __import__("edgewright.agents.fl_coder.embedded.coder", fromlist=["EmbeddedCoder"])
                .EmbeddedCoder()
                .propose(problem, [])
            )
            changed = proposal.candidate.model_copy(update={"rounds": 1 + len(attempts)})
            return proposal.model_copy(update={"candidate": changed})

    bench.refusals = [(BROKEN,)] * 20
    report, _ = await begin(context_of(bench, Restless()), trials=3)
    assert report.stop == "no_candidate"
    assert len(report.trials) == 4
    assert report.best == 0
    assert report.test is None
    assert report.tool == ""


async def test_a_person_accepts(bench, context_of):
    questions: list[dict[str, Any]] = []

    def approve(question: dict[str, Any]) -> dict[str, Any]:
        questions.append(question)
        return {"type": "accept"}

    report, _ = await begin(context_of(bench), approve, approval="ask", trials=1)
    assert report.best == 1
    (question,) = questions
    assert set(question) == {"action_request", "config", "description"}
    assert question["action_request"]["args"]["rounds"] == bench.trained[0].candidate.rounds
    assert all(
        question["config"][f"allow_{kind}"] for kind in ("accept", "edit", "respond", "ignore")
    )
    assert "build_model" in question["description"]
    assert "1000" in question["description"]


async def test_a_person_edits(bench, context_of):
    def approve(question: dict[str, Any]) -> dict[str, Any]:
        args = question["action_request"]["args"]
        if args["rounds"] == 3:
            return {"type": "accept"}
        return {"type": "edit", "args": {"action": "train", "args": args | {"rounds": 3}}}

    report, _ = await begin(context_of(bench), approve, approval="ask", trials=1)
    assert bench.trained[0].candidate.rounds == 3
    assert report.trials[0].coder == "person"


async def test_a_person_responds_and_the_design_follows(bench, context_of):
    answers = [{"type": "response", "args": "The uploads are billed by the megabyte."}]

    def approve(question: dict[str, Any]) -> dict[str, Any]:
        return answers.pop() if answers else {"type": "accept"}

    await begin(context_of(bench), approve, approval="ask", trials=1)
    assert bench.trained[0].candidate.compression.name == "int8"


async def test_a_person_declines(bench, context_of):
    report, _ = await begin(
        context_of(bench), lambda _: {"type": "ignore"}, approval="ask", trials=1
    )
    assert report.stop == "declined"
    assert bench.trained == []


@pytest.mark.parametrize(
    "answer", [{}, {"type": "maybe"}, {"type": "edit", "args": {}}, {"type": "edit"}, 7]
)
async def test_an_answer_that_is_none_is_refused(bench, context_of, answer):
    with pytest.raises(InputError) as caught:
        await begin(context_of(bench), lambda _: answer, approval="ask")
    assert caught.value.info().code == "answer_invalid"


async def test_an_engine_without_sandbox_needs_a_person(bench, context_of):
    with pytest.raises(InputError) as caught:
        await begin(context_of(bench), engine="simulation", approval="auto")
    assert caught.value.info().code == "approval_needed"
    assert bench.prepared == []


async def test_a_run_that_is_given_no_data_reads_its_purpose(bench, context_of):
    run = {"purpose": PURPOSE, "settings": {"trials": 1}}
    await build_graph().compile().ainvoke(run, context=context_of(bench))
    assert bench.prepared == [DataRequest(source="digits", clients=2)]


async def test_no_purpose_no_run(bench, context_of):
    async with open_run(context_of(bench)) as run:
        with pytest.raises(InputError):
            await run.begin("  ", DataRequest(), TrainSettings(), approve=never)


async def test_an_interrupted_run_resumes(bench, context_of):
    bench.interrupt = RuntimeError("killed")
    context = context_of(bench)
    async with open_run(context) as run:
        name = run.name
        with pytest.raises(RuntimeError):
            await run.begin(PURPOSE, DataRequest(), TrainSettings(trials=1), approve=never)
    assert bench.trained == []
    async with open_run(context, resume=name) as run:
        report = await run.resume(approve=never)
    assert report.best == 1
    assert len(bench.prepared) == 1
    async with open_run(context, resume=name) as run:
        assert await run.resume(approve=never) == report
    assert len(bench.trained) == 1


async def test_a_run_resumes_with_other_limits(bench, context_of):
    bench.outcomes = [0.5, 0.7, 0.9]
    bench.interrupt = RuntimeError("killed")
    context = context_of(bench)
    async with open_run(context) as run:
        with pytest.raises(RuntimeError):
            await run.begin(PURPOSE, DataRequest(), TrainSettings(trials=1), approve=never)
    intent = read_intent(run_folder(run.name))
    assert intent is not None
    assert (intent.purpose, intent.data) == (PURPOSE, "digits")
    with pytest.raises(NotFoundError, match=f"--resume {run.name}"):
        read_report(run_folder(run.name))
    changed = replace(context, changes={"trials": 3, "target": 0.85})
    async with open_run(changed, resume=run.name) as resumed:
        report = await resumed.resume(approve=never)
    assert len(bench.trained) == 3
    assert report.stop == "target"
    assert bench.trained[0].target == 0.85
    async with open_run(changed, resume=run.name) as ended:
        with pytest.raises(InputError, match="has ended"):
            await ended.resume(approve=never)


async def test_data_without_a_source_are_read_from_the_purpose(bench, context_of):
    graph = build_graph().compile()
    run = {"purpose": "tell maize leaves apart", "settings": {}, "data": {"clients": 3}}
    with pytest.raises(InputError):
        await graph.ainvoke(run, context=context_of(bench))
    assert bench.prepared == []
    await graph.ainvoke(
        {**run, "purpose": PURPOSE, "settings": {"trials": 1}}, context=context_of(bench)
    )
    assert (bench.prepared[0].source, bench.prepared[0].clients) == ("digits", 3)


async def test_an_unknown_run_cannot_be_resumed(bench, context_of):
    with pytest.raises(NotFoundError):
        async with open_run(context_of(bench), resume="nothing"):
            pass
