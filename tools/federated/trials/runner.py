"""Running a trial to its result, from the start or resuming after an interruption."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from edgewright.tools.errors import InputError, TransientError
from edgewright.tools.federated.grids.engine import Training, start_training
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.layout import RunFolder, TrialFolder
from edgewright.tools.federated.records.progress import (
    RoundScored,
    TrialEvent,
    TrialProgress,
)
from edgewright.tools.federated.records.trial import (
    SANDBOXED_ENGINES,
    CheckedFacts,
    CurvePoint,
    ModelFacts,
    TrialRequest,
    TrialResult,
)
from edgewright.tools.federated.records.validated import read_progress
from edgewright.tools.federated.serving.sandboxed_model import SandboxedModel
from edgewright.tools.federated.template.writer import settings_for, write_app
from edgewright.tools.federated.trials.check import check
from edgewright.tools.federated.trials.curve import Curve
from edgewright.tools.federated.trials.prepare import load_card
from edgewright.tools.federated.trials.scoring import digest_of
from edgewright.tools.sandbox.backends import enforcement, find_sandbox
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.storage.atomic import write_file

_POLL_S = 0.05
#: Training ends after so many consecutive rounds without a wrong validation image.
_PERFECT_ROUNDS = 3
#: Additional time limit for scoring, beyond that of the training.
_SCORING_S = 120.0


def _ignore(event: TrialEvent) -> None:
    del event


def run_trial(
    run: RunFolder, request: TrialRequest, *, on_event: Callable[[TrialEvent], None] = _ignore
) -> TrialResult:
    """Run or resume a trial; for a trial that has ended, return its stored result.

    The candidate is checked first, without a dry run if the request or an earlier start of the
    trial has its facts. Each finished round is scored by the host as soon as its checkpoint is
    there. This blocks until the trial ends, and can be killed at any moment: called again with the
    same request, it resumes after the last finished round.

    Args:
        run: A prepared run.
        request: What to train.
        on_event: Receives progress and the curve's points as they arrive.

    Raises:
        NotFoundError: The run has no prepared data.
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
        TransientError: The same trial is already running (``trial_running``).
    """
    folder = run.trial(request.number)
    if folder.result.exists():
        return TrialResult.model_validate_json(folder.result.read_text("utf-8"))
    card = load_card(run)
    find_sandbox()
    folder.out.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        earlier = request.checked or _stored_facts(folder)
        checked = check(request.candidate, card, limits=request.limits, earlier=earlier)
        _write(folder.request, request.model_copy(update={"checked": checked.facts}))
        if checked.facts is None:
            result = _result(request, fault=checked.faults[0])
        else:
            result = _Trial(run, request, card, checked.facts.model, on_event).run()
        _write(folder.result, result)
    return result


@contextmanager
def _alone(folder: TrialFolder) -> Iterator[None]:
    with (folder.root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TransientError(
                f"trial {folder.root.name} is already running; wait for it", code="trial_running"
            ) from None
        yield


def _stored_facts(folder: TrialFolder) -> CheckedFacts | None:
    """Return the facts that an earlier start of the trial stored with its request."""
    if not folder.request.exists():
        return None
    return TrialRequest.model_validate_json(folder.request.read_text("utf-8")).checked


class _Trial:
    """One training run, with concurrent scoring."""

    def __init__(
        self,
        run: RunFolder,
        request: TrialRequest,
        card: DataCard,
        facts: ModelFacts,
        on_event: Callable[[TrialEvent], None],
    ) -> None:
        self._run, self._request, self._card, self._facts = run, request, card, facts
        self._on_event = on_event
        self._folder = run.trial(request.number)
        self._curve = Curve(run, request, clients=len(card.clients), facts=facts)
        self._read_bytes = 0

    def run(self) -> TrialResult:
        """Train and score until the training ends, the target is reached or a step fails."""
        settings = settings_for(
            self._request.candidate,
            self._card,
            data=self._run.data,
            out=self._folder.out,
            seed=self._request.seed,
            keep_checkpoints=0,
        )
        write_app(self._request.candidate, settings, self._folder.app)
        limits = self._request.limits
        patient = limits.model_copy(update={"time_s": limits.time_s + _SCORING_S})
        scorer = SandboxedModel(self._folder.app, len(self._card.classes), limits=patient)
        fault: Fault | None = None
        with (
            scorer,
            start_training(
                self._request, self._folder, self._run.data, clients=len(self._card.clients)
            ) as training,
        ):
            try:
                self._follow(training, scorer)
            except InputError as error:
                fault = Fault(code="bad_result", message=error.message[:2000])
            training.stop()
            fault = fault or training.fault()
        best = self._curve.best_round
        return _result(
            self._request,
            fault=fault or self._no_quorum(),
            facts=self._facts,
            points=self._curve.points,
            best_round=best,
            digest=digest_of(self._folder.weights(best)) if best else "",
        )

    def _follow(self, training: Training, scorer: SandboxedModel) -> None:
        """Score each round as its checkpoint appears, and check once more after the end."""
        ended = False
        while not ended:
            ended = training.ended
            self._tell_progress()
            while not self._reached() and (number := self._curve.next_finished()) is not None:
                point = self._curve.add(number, scorer)
                self._on_event(RoundScored(number=self._request.number, point=point))
            if self._reached():
                return
            if not ended:
                time.sleep(_POLL_S)

    def _reached(self) -> bool:
        target = self._request.target
        accuracies = [point.validation.accuracy for point in self._curve.points]
        if len(accuracies) >= _PERFECT_ROUNDS and min(accuracies[-_PERFECT_ROUNDS:]) >= 1:
            return True
        return target is not None and bool(accuracies) and accuracies[-1] >= target

    def _no_quorum(self) -> Fault | None:
        """Return a fault if no round reached a quorum, so that the model is still untrained."""
        points = self._curve.points
        if not points:
            return Fault(code="killed", message="the training ended without a finished round")
        if any(point.quorum for point in points):
            return None
        reasons = {dropped.reason for point in points for dropped in point.dropped}
        not_finite = any("not finite" in reason for reason in reasons)
        return Fault(
            code="not_finite" if not_finite else "no_quorum",
            message="no round had enough usable replies: " + "; ".join(sorted(reasons)[:5])[:1000],
        )

    def _tell_progress(self) -> None:
        """Report the lines that were added to the progress file since the last call."""
        lines, self._read_bytes = read_progress(self._folder.progress, self._read_bytes)
        for line in lines:
            self._on_event(TrialProgress(number=self._request.number, **dict(line)))


def _result(
    request: TrialRequest,
    *,
    fault: Fault | None,
    facts: ModelFacts | None = None,
    points: Sequence[CurvePoint] = (),
    best_round: int = 0,
    digest: str = "",
) -> TrialResult:
    sandboxed = request.engine in SANDBOXED_ENGINES
    sandbox = find_sandbox().name if sandboxed else ""
    complete = len(points) == request.candidate.rounds
    return TrialResult(
        number=request.number,
        status="failed" if fault else "finished" if complete else "stopped",
        fault=fault,
        engine=request.engine,
        sandbox=sandbox or "none",
        enforcement=enforcement(sandbox) if sandbox else "",
        seed=request.seed,
        facts=facts,
        curve=tuple(points),
        best_round=best_round,
        weights_sha256=digest,
    )


def _write(path: Path, value: BaseModel) -> None:
    write_file(path, value.model_dump_json(indent=2).encode())
