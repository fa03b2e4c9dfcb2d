"""What a coder is given and what it gives back."""

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
    """What is to be solved.

    Attributes:
        purpose: What the model is for and what constrains its training, in the person's words.
        card: What may be known of the data.
        limits: What one training run may use.
        remarks: What the person said to earlier proposals, oldest first.
    """

    purpose: str
    card: DataCard
    limits: SandboxLimits = SandboxLimits()
    remarks: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """All that the person said."""
        return "\n".join((self.purpose, *self.remarks))


class DesignChoice(_Frozen):
    """Which words led to which choice.

    Attributes:
        words: The person's words; empty for what the data card or a past curve says.
        choice: What was chosen.
        reason: Why that answers them.
    """

    words: str = ""
    choice: str
    reason: str


class Proposal(_Frozen):
    """A candidate and why it is proposed.

    Attributes:
        candidate: What to train.
        choices: Which words led to which choice.
        coder: Who wrote it.
        note: What a person should know of how it came about, such as a coder that gave up.
    """

    candidate: Candidate
    choices: tuple[DesignChoice, ...] = ()
    coder: CoderName
    note: str = Field(default="", max_length=1000)


class Attempt(_Frozen):
    """A past proposal and what became of it.

    Attributes:
        proposal: What was proposed.
        faults: Why it was refused before training; empty if it passed.
        result: What training gave; None if it was not trained.
    """

    proposal: Proposal
    faults: tuple[Fault, ...] = ()
    result: TrialResult | None = None

    @property
    def complaints(self) -> tuple[Fault, ...]:
        """All that is wrong with it, from the checks or from training."""
        fault = self.result.fault if self.result else None
        return (*self.faults, fault) if fault else self.faults


class Coder(Protocol):
    """Proposes candidates. It sees counts, code, curves and words; never a sample."""

    def propose(self, problem: TrainingProblem, attempts: Sequence[Attempt]) -> Proposal:
        """Propose what to train next.

        Args:
            problem: What is to be solved.
            attempts: All attempts so far, oldest first. If the last one has complaints, the
                proposal is its repair.

        Returns:
            The proposal; the candidate of an earlier attempt again if nothing new comes to mind.
        """
        ...


def same(one: Candidate, other: Candidate) -> bool:
    """Say whether two candidates differ in nothing but their rationale."""
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
    """Count how many attempts of a coder in a row, up to the last, had complaints."""
    count = 0
    for attempt in reversed(attempts):
        if not attempt.complaints or attempt.proposal.coder != coder:
            break
        count += 1
    return count
