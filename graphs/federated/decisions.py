"""When a run ends, and which of its trials is the best."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright.agents.fl_coder.chat import MAX_REPAIRS
from edgewright.agents.fl_coder.embedded.diagnosis import noise_of
from edgewright.agents.fl_coder.embedded.effort import effort
from edgewright.agents.fl_coder.embedded.forecast import forecast
from edgewright.agents.fl_coder.protocol import Attempt, trailing_complaints
from edgewright.graphs.federated.state import StopReason, TrainSettings
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import DataCard
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
    attempts: Sequence[Attempt], settings: TrainSettings, card: DataCard
) -> StopReason | None:
    """Return why no further trial should begin; None to continue.

    Args:
        attempts: All attempts so far; the last one was trained.
        settings: When to end.
        card: Statistics of the data.
    """
    if gave_up(attempts):
        return "no_candidate"
    done = finished(attempts)
    if not done:
        return None
    highest = max(map(_accuracy, done))
    if highest >= min(1.0, settings.target or 1.0):
        return "target" if settings.target else "perfect"
    if attempts[-1].complaints:
        return None
    if any(attempt.proposal.candidate.private for attempt in done):
        return "privacy"
    if len(done) >= settings.trials:
        return "trials"
    return _not_worth_it(attempts, done, settings, card)


def _not_worth_it(
    attempts: Sequence[Attempt], done: Sequence[Attempt], settings: TrainSettings, card: DataCard
) -> StopReason | None:
    """Return why another trial would gain nothing or take too long; None if it would not."""
    stale = _stale(done, card.validation)
    if stale >= settings.patience:
        return "patience"
    expected = forecast(done, card, stale=stale)
    if expected.gain < expected.interval:
        return "gain"
    if time_left_s(attempts, settings) < 2 * max(map(_seconds, done)):
        return "time"
    return None


def time_left_s(attempts: Sequence[Attempt], settings: TrainSettings) -> float:
    """Return the time left for further trials, in seconds."""
    return settings.time_s - sum(map(_seconds, finished(attempts)))


def too_long(candidate: Candidate, attempts: Sequence[Attempt], settings: TrainSettings) -> bool:
    """Return whether a trial would not fit into the time that earlier ones have left."""
    done = finished(attempts)
    if not done:
        return False
    fastest = min(_seconds(each) / effort(each.proposal.candidate) for each in done)
    return fastest * effort(candidate) > time_left_s(attempts, settings)


def _seconds(attempt: Attempt) -> float:
    assert attempt.result is not None
    return attempt.result.curve[-1].wall_s


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
