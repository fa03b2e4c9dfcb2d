"""The interface of a coder: its input and its output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.trial import TrialResult
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits

CoderName = Literal["embedded", "chat-model", "person"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainingProblem(_Frozen):
    """The training problem to solve.

    Attributes:
        purpose: What the model is for and what constrains its training, in the person's words.
        card: Statistics of the data; the samples themselves stay hidden.
        limits: Resource limits of one training run.
        remarks: The person's remarks on earlier proposals, oldest first.
        time_left_s: Time left for further trials, in seconds; None for no limit.
    """

    purpose: str
    card: DataCard
    limits: SandboxLimits = SandboxLimits()
    remarks: tuple[str, ...] = ()
    time_left_s: float | None = None


class DesignChoice(_Frozen):
    """A design choice and the words that led to it.

    Attributes:
        words: The person's words; empty if the data card or a past curve led to the choice.
        choice: What was chosen.
        reason: Why it was chosen.
    """

    words: str = ""
    choice: str
    reason: str


class Proposal(_Frozen):
    """A proposed candidate with its reasons.

    Attributes:
        candidate: What to train.
        choices: The design choices behind it.
        coder: The coder that proposed it.
        questions: Questions to the person about promises that the words leave unclear; each says
            what is assumed until it is answered.
        note: Note to the person, such as why the chat model was not used.
    """

    candidate: Candidate
    choices: tuple[DesignChoice, ...] = ()
    coder: CoderName
    questions: tuple[str, ...] = ()
    note: str = Field(default="", max_length=1000)


class Attempt(_Frozen):
    """A past proposal and its outcome.

    Attributes:
        proposal: The proposal.
        faults: Why it was rejected before training; empty if it passed.
        result: Result of the training run; None if there was none.
    """

    proposal: Proposal
    faults: tuple[Fault, ...] = ()
    result: TrialResult | None = None

    @property
    def complaints(self) -> tuple[Fault, ...]:
        """All faults, from the checks or from training."""
        fault = self.result.fault if self.result else None
        return (*self.faults, fault) if fault else self.faults


class Coder(Protocol):
    """Proposes candidates from statistics, code, curves and words; never sees a sample."""

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Propose what to train next.

        Args:
            problem: The training problem.
            attempts: All attempts so far, oldest first. If the last one has complaints, the
                proposal is its repair.

        Returns:
            The proposal. If the coder has no further ideas, its candidate is that of an earlier
            attempt.
        """
        ...


def same(one: Candidate, other: Candidate) -> bool:
    """Return whether two candidates are equal apart from their rationale."""
    return one.model_dump(exclude={"rationale"}) == other.model_dump(exclude={"rationale"})


def best_attempt(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt with the best validation score; None if none was trained."""
    scores = [
        (attempt.result.best.validation.rank, attempt)
        for attempt in attempts
        if attempt.result is not None and attempt.result.best is not None
    ]
    return max(scores, key=lambda pair: pair[0])[1] if scores else None


def trailing_complaints(attempts: Sequence[Attempt], coder: CoderName) -> int:
    """Count the latest attempts of a coder that had complaints without interruption."""
    count = 0
    for attempt in reversed(attempts):
        if not attempt.complaints or attempt.proposal.coder != coder:
            break
        count += 1
    return count
