"""Runs a trial from start, or from where it was broken off, to its result."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from edgewright.tools.errors import InputError, TransientError
from edgewright.tools.federated.card import DataCard
from edgewright.tools.federated.check import check
from edgewright.tools.federated.engines.engine import Training, start_training
from edgewright.tools.federated.files import (
    finished_rounds,
    newest_states,
    round_folder,
    state_file,
    state_rounds,
    write_whole,
)
from edgewright.tools.federated.layout import RunFolder, TrialFolder
from edgewright.tools.federated.link_clock import round_seconds
from edgewright.tools.federated.prepare import load_card
from edgewright.tools.federated.returned import read_record
from edgewright.tools.federated.sandbox.backends import find_sandbox
from edgewright.tools.federated.scoring import (
    ConfinedModel,
    Split,
    collect_weights,
    digest_of,
    load_split,
    score,
)
from edgewright.tools.federated.template import settings_for, write_app
from edgewright.tools.federated.trial import (
    SANDBOXED_ENGINES,
    CurvePoint,
    Fault,
    ModelFacts,
    RoundRecord,
    TrialRequest,
    TrialResult,
)

_POLL_S = 0.05
#: How much longer than the training its scoring may take.
_SCORING_S = 120.0
_MAX_PROGRESS_LINE = 4096


class Progress(BaseModel):
    """A line of the progress file: what the app says of itself, for live views alone.

    Attributes:
        event: ``client``, ``dropped`` or ``round``.
        round: Round number.
        client: Partition id; -1 if not known.
        loss: The client's training loss.
        accuracy: The client's training accuracy.
        reason: Why a reply was dropped.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    event: Literal["client", "dropped", "round"]
    round: int
    client: int = -1
    loss: float | None = None
    accuracy: float | None = None
    reason: str = ""


Event = Progress | CurvePoint


def _ignore(event: Event) -> None:
    del event


def run_trial(
    run: RunFolder, request: TrialRequest, *, on_event: Callable[[Event], None] = _ignore
) -> TrialResult:
    """Run a trial, or go on with it; a trial that has ended returns its stored result.

    The candidate is checked first. Each finished round is scored by the host as soon as its
    checkpoint is there. This blocks until the trial ends, and can be killed at any moment: called
    again with the same request, it goes on after the last finished round.

    Args:
        run: A prepared run.
        request: What to train.
        on_event: Gets progress lines and the curve's points as they come.

    Raises:
        NotFoundError: The run has no prepared data.
        UnavailableError: No sandbox works on this machine (``no_sandbox``).
        TransientError: The same trial runs already (``trial_running``).
    """
    folder = run.trial(request.number)
    if folder.result.exists():
        return TrialResult.model_validate_json(folder.result.read_text("utf-8"))
    card = load_card(run)
    find_sandbox()
    folder.out.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        _write(folder.request, request)
        facts = _facts(folder, request, card)
        if isinstance(facts, Fault):
            result = _result(request, None, [], fault=facts)
        else:
            result = _Trial(run, request, card, facts, on_event).run()
        _write(folder.result, result)
    return result


def read_curve(folder: TrialFolder) -> list[CurvePoint]:
    """Read the curve so far of a trial that runs, was broken off or has ended."""
    if not folder.curve.exists():
        return []
    return _CURVE.validate_json(folder.curve.read_text("utf-8"))


_CURVE = TypeAdapter(list[CurvePoint])


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


def _facts(folder: TrialFolder, request: TrialRequest, card: DataCard) -> ModelFacts | Fault:
    """Check the candidate, once a trial."""
    stored = folder.root / "facts.json"
    if stored.exists():
        return ModelFacts.model_validate_json(stored.read_text("utf-8"))
    checked = check(request.candidate, card, limits=request.limits)
    if checked.facts is None:
        return checked.faults[0]
    _write(stored, checked.facts)
    return checked.facts


class _Trial:
    """One training run with its scoring, side by side."""

    def __init__(
        self,
        run: RunFolder,
        request: TrialRequest,
        card: DataCard,
        facts: ModelFacts,
        on_event: Callable[[Event], None],
    ) -> None:
        self._run, self._request, self._card, self._facts = run, request, card, facts
        self._on_event = on_event
        self._folder = run.trial(request.number)
        self._split: Split = load_split(run, "validation")
        self._curve = read_curve(self._folder)
        self._read_bytes = 0

    def run(self) -> TrialResult:
        """Train and score until the training ends, the target is reached or something fails."""
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
        scorer = ConfinedModel(self._folder.app, len(self._card.classes), limits=patient)
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
        best = _best_round(self._curve)
        digest = digest_of(self._folder.weights(best)) if best else ""
        return _result(
            self._request, self._facts, self._curve, fault=fault or self._no_quorum(), digest=digest
        )

    def _follow(self, training: Training, scorer: ConfinedModel) -> None:
        """Score each round as its checkpoint appears; look once more after the end."""
        ended = False
        while not ended:
            ended = training.ended
            self._tell_progress()
            for number in finished_rounds(self._folder.checkpoints):
                if number == len(self._curve) + 1:
                    self._finish_round(number, scorer)
                if self._reached():
                    return
            if not ended:
                time.sleep(_POLL_S)

    def _finish_round(self, number: int, scorer: ConfinedModel) -> None:
        """Check a round's files, score its weights, add to the curve, tidy up; in this order.

        A kill between any two of these leaves a state that the next start completes.
        """
        checkpoint = round_folder(self._folder.checkpoints, number)
        record = read_record(checkpoint / "record.json")
        heads = newest_states(self._folder.clients, number)
        personal = heads if self._request.candidate.personal_head else {}
        target = self._folder.weights(number)
        collect_weights(checkpoint, personal, target, self._request.limits.parameters)
        logits = scorer.logits(self._split.images, target, clients=self._split.clients)
        point = self._point(number, record, logits)
        self._curve.append(point)
        write_whole(self._folder.curve, _CURVE.dump_json(self._curve))
        self._prune(number)
        self._on_event(point)

    def _point(self, number: int, record: RoundRecord, logits: NDArray[np.float32]) -> CurvePoint:
        before = self._curve[-1] if self._curve else None
        candidate = self._request.candidate
        simulated = round_seconds(
            record.clients,
            self._request.link,
            flop_per_sample=self._facts.flop_per_sample,
            local_epochs=candidate.local_epochs,
        )
        return CurvePoint(
            round_number=number,
            train_loss=_mean([(c.loss, c.samples) for c in record.clients]),
            train_accuracy=_mean([(c.accuracy, c.samples) for c in record.clients]),
            validation=score(logits, self._split, len(self._card.clients)),
            bytes_up=sum(c.bytes_up for c in record.clients),
            bytes_down=sum(c.bytes_down for c in record.clients),
            simulated_s=(before.simulated_s if before else 0.0) + simulated,
            wall_s=(before.wall_s if before else 0.0) + record.wall_s,
            quorum=record.quorum,
            dropped=record.dropped,
            epsilon=record.epsilon,
        )

    def _prune(self, number: int) -> None:
        """Remove what no resume and no result needs any more."""
        best = _best_round(self._curve)
        for other in range(1, number + 1):
            if other != best:
                shutil.rmtree(self._folder.weights(other), ignore_errors=True)
        for other in finished_rounds(self._folder.checkpoints):
            if other < number:
                shutil.rmtree(round_folder(self._folder.checkpoints, other), ignore_errors=True)
        for path in newest_states(self._folder.clients, number).values():
            for old in state_rounds(path.parent):
                if state_file(path.parent, old).name < path.name:
                    state_file(path.parent, old).unlink(missing_ok=True)

    def _reached(self) -> bool:
        target = self._request.target
        return (
            target is not None
            and bool(self._curve)
            and self._curve[-1].validation.accuracy >= target
        )

    def _no_quorum(self) -> Fault | None:
        """Say so if no round had enough usable replies; the model is then what it was born as."""
        if not self._curve:
            return Fault(code="killed", message="the training ended without a finished round")
        if any(point.quorum for point in self._curve):
            return None
        reasons = {dropped.reason for point in self._curve for dropped in point.dropped}
        not_finite = any("not finite" in reason for reason in reasons)
        return Fault(
            code="not_finite" if not_finite else "no_quorum",
            message="no round had enough usable replies: " + "; ".join(sorted(reasons)[:5])[:1000],
        )

    def _tell_progress(self) -> None:
        """Pass on the lines that were added to the progress file since the last look."""
        try:
            with self._folder.progress.open("rb") as file:
                file.seek(self._read_bytes)
                lines = file.read(1_000_000).split(b"\n")
        except OSError:
            return
        for line in lines[:-1]:
            self._read_bytes += len(line) + 1
            try:
                self._on_event(Progress.model_validate_json(line[:_MAX_PROGRESS_LINE]))
            except ValidationError:
                continue


def _best_round(curve: list[CurvePoint]) -> int:
    """Return the first round with the best validation accuracy; 0 if there is none."""
    best = max(curve, key=lambda point: point.validation.accuracy, default=None)
    return best.round_number if best else 0


def _result(
    request: TrialRequest,
    facts: ModelFacts | None,
    curve: list[CurvePoint],
    *,
    fault: Fault | None,
    digest: str = "",
) -> TrialResult:
    sandboxed = request.engine in SANDBOXED_ENGINES
    complete = len(curve) == request.candidate.rounds
    return TrialResult(
        number=request.number,
        status="failed" if fault else "finished" if complete else "stopped",
        fault=fault,
        engine=request.engine,
        sandbox=find_sandbox().name if sandboxed else "none",
        seed=request.seed,
        facts=facts,
        curve=tuple(curve),
        best_round=_best_round(curve),
        weights_sha256=digest,
    )


def _mean(values: list[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in values if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _write(path: Path, value: BaseModel) -> None:
    write_whole(path, value.model_dump_json(indent=2).encode())
