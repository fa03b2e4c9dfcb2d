"""When a run ends, and which of its trials is the best."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.fl_coder.chat import MAX_REPAIRS
from edgewright.agents.fl_coder.embedded.diagnosis import noise_of
from edgewright.agents.fl_coder.protocol import Attempt, trailing_complaints
from edgewright.graphs.federated.state import StopReason, TrainSettings
from edgewright.tools.federated.records.candidate import Private
from edgewright.tools.federated.records.trial import CurvePoint


def best_point(attempt: Attempt) -> CurvePoint | None:
    """Return the best round of an attempt whose training completed; None for any other."""
    result = attempt.result
    return result.best if result is not None and result.status != "failed" else None


def finished(attempts: Sequence[Attempt]) -> list[Attempt]:
    """List the attempts whose training completed, oldest first."""
    return [attempt for attempt in attempts if best_point(attempt) is not None]


def best_of(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt with the best validation accuracy; ties go to the lowest loss."""
    return max(finished(attempts), key=_rank, default=None)


def gave_up(attempts: Sequence[Attempt]) -> bool:
    """Return whether a proposal failed and its coder has no repairs left.

    A chat-model coder hands over to another coder by itself.
    """
    if not attempts or not attempts[-1].complaints:
        return False
    coder = attempts[-1].proposal.coder
    return coder != "chat-model" and trailing_complaints(attempts, coder) > MAX_REPAIRS


def stop_reason(
    attempts: Sequence[Attempt], settings: TrainSettings, validation: int
) -> StopReason | None:
    """Return why no further trial should begin; None to continue.

    Args:
        attempts: All attempts so far; the last one was trained.
        settings: When to end.
        validation: Number of validation samples.
    """
    if gave_up(attempts):
        return "no_candidate"
    done = finished(attempts)
    if not done:
        return None
    if settings.target is not None and max(map(_accuracy, done)) >= settings.target:
        return "target"
    if attempts[-1].complaints:
        return None
    if any(isinstance(attempt.proposal.candidate.strategy, Private) for attempt in done):
        return "privacy"
    if len(done) >= settings.trials:
        return "trials"
    if _stale(done, validation) >= settings.patience:
        return "patience"
    times = [attempt.result.curve[-1].wall_s for attempt in done if attempt.result]
    if sum(times) + 2 * max(times) > settings.time_s:
        return "time"
    return None


def _stale(done: Sequence[Attempt], validation: int) -> int:
    """Count the latest trials whose improvement on earlier ones is within the noise."""
    best, stale = 0.0, 0
    for attempt in done:
        accuracy = _accuracy(attempt)
        assert attempt.result is not None
        improved = accuracy > best + noise_of(attempt.result.curve, validation)
        stale = 0 if improved else stale + 1
        best = max(best, accuracy)
    return stale


def _accuracy(attempt: Attempt) -> float:
    return _rank(attempt)[0]


def _rank(attempt: Attempt) -> tuple[float, float]:
    point = best_point(attempt)
    return point.validation.rank if point else (0.0, 0.0)
