"""The trial: one training run of a candidate, with its request and its result."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits

#: Bounds of everything that a sandbox may report. Sums and products of a run's values stay finite,
#: so whatever is stored can be read again.
MAX_VALUE = 1e30
Count = Annotated[int, Field(ge=0, le=10**15)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Value = Annotated[float, Field(ge=-MAX_VALUE, le=MAX_VALUE)]
#: Partition id; -1 if unknown.
ClientId = Annotated[int, Field(ge=-1, lt=1_000_000)]

Engine = Literal["in-process", "simulation", "deployment"]

#: Engines that run generated code in the sandbox; the others need a person's approval.
SANDBOXED_ENGINES: frozenset[Engine] = frozenset({"in-process"})


class LinkSpeed(BaseModel):
    """Link and speed of the simulated devices; 1 KB is 1000 bytes.

    Attributes:
        uplink_kb_per_s: Upload rate of each client.
        downlink_kb_per_s: Download rate of each client.
        device_gflop_per_s: Training throughput of a device, in 1e9 floating-point operations per
            second; the default is the sustained (not peak) rate of a Jetson Nano class board.
    """

    model_config = ConfigDict(frozen=True)

    uplink_kb_per_s: float = Field(default=250.0, ge=1e-3)
    downlink_kb_per_s: float = Field(default=500.0, ge=1e-3)
    device_gflop_per_s: float = Field(default=50.0, ge=1e-3)


class ModelFacts(BaseModel):
    """What the dry run measured of a candidate's model.

    Attributes:
        parameters: Trainable weights.
        weight_bytes: Bytes of one full model on the link.
        flop_per_sample: Forward and backward operations for one sample.
    """

    model_config = ConfigDict(frozen=True)

    parameters: int = Field(gt=0, le=10**12)
    weight_bytes: int = Field(gt=0, le=10**13)
    flop_per_sample: float = Field(ge=0, le=1e18)


class CheckedFacts(BaseModel):
    """The facts of a candidate that passed its checks, tied to what was checked.

    Attributes:
        sha256: Digest of the candidate, the data card and the limits, hexadecimal; the facts hold
            for no others.
        model: What the dry run measured.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    model: ModelFacts


class TrialRequest(BaseModel):
    """The request for one training run.

    Attributes:
        number: Number of the trial within its run, from 1.
        candidate: The candidate to train.
        engine: Training engine.
        seed: Seed of initial weights, batches, sampling and noise.
        limits: Resource limits of the sandbox.
        link: The simulated link and device.
        target: Validation accuracy at which training stops early; None to go on to the end.
        checked: Facts from an earlier check, so that the dry run is not repeated; those of another
            candidate are ignored.
    """

    model_config = ConfigDict(frozen=True)

    number: int = Field(ge=1)
    candidate: Candidate
    engine: Engine = "in-process"
    seed: int = Field(default=0, ge=0, lt=2**31)
    limits: SandboxLimits = SandboxLimits()
    link: LinkSpeed = LinkSpeed()
    target: float | None = Field(default=None, gt=0, le=1)
    checked: CheckedFacts | None = None


def reported_value(value: float) -> float | None:
    """Return a client's own figure for a record; None if it is not finite or beyond all reason."""
    return value if math.isfinite(value) and abs(value) <= MAX_VALUE else None


class Dropped(BaseModel):
    """A client's reply that the guard rejected, with the reason."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    client: ClientId
    reason: str = Field(max_length=500)


class ClientRound(BaseModel):
    """A client's own report of one round: untrusted, for people and coders.

    Attributes:
        client: Partition id; -1 if unknown.
        samples: Claimed number of training samples.
        loss: Mean training loss; None under the private strategy, which does not protect it.
        accuracy: Training accuracy; None under the private strategy.
        bytes_up: Payload bytes of its reply.
        bytes_down: Payload bytes sent to it.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    client: ClientId
    samples: Count
    loss: Value | None
    accuracy: Value | None
    bytes_up: Count
    bytes_down: Count


class RoundRecord(BaseModel):
    """The server's record of one round, stored in the checkpoint.

    Attributes:
        round_number: Number of the round, from 1.
        clients: Admitted replies.
        dropped: Rejected replies.
        quorum: Whether enough replies were admitted; if not, the model was unchanged.
        wall_s: Wall-clock time of the round.
        epsilon: Privacy spent so far; None without the private strategy.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    round_number: int = Field(ge=1, lt=10_000)
    clients: tuple[ClientRound, ...]
    dropped: tuple[Dropped, ...] = ()
    quorum: bool = True
    wall_s: Seconds
    epsilon: Value | None = None


class ModelScore(BaseModel):
    """The host's measurement with labels that generated code cannot access.

    Attributes:
        accuracy: Accuracy over all samples of the split.
        loss: Mean cross-entropy.
        clients: Accuracy on each client's part of the split; None if it has no samples there.
        suspect_labels: Estimated share of wrong labels: samples that the model classifies
            differently although it is as certain of them as of those it gets right.
    """

    model_config = ConfigDict(frozen=True)

    accuracy: float
    loss: float
    clients: tuple[float | None, ...]
    suspect_labels: float = 0.0

    @property
    def rank(self) -> tuple[float, float]:
        """Sort key of models: the accuracy, then the lower loss.

        Ties are common on a small split; the lower loss then indicates the better model.
        """
        return self.accuracy, -self.loss

    @property
    def worst_client(self) -> float:
        """Lowest accuracy of any client."""
        return min(self._measured())

    @property
    def spread(self) -> float:
        """Standard deviation of the clients' accuracies."""
        measured = self._measured()
        mean = sum(measured) / len(measured)
        return float((sum((value - mean) ** 2 for value in measured) / len(measured)) ** 0.5)

    def _measured(self) -> list[float]:
        return [value for value in self.clients if value is not None]


class CurvePoint(BaseModel):
    """One round of a trial's curve, as a coder reads it.

    Attributes:
        round_number: Number of the round, from 1.
        train_loss: Mean training loss of the clients, weighted by samples; None if private.
        train_accuracy: Mean training accuracy of the clients, weighted by samples; None if private.
        validation: The host's score.
        bytes_up: Bytes sent by all clients in this round.
        bytes_down: Bytes sent to all clients in this round.
        simulated_s: Simulated time from the start to the end of this round.
        wall_s: Wall-clock training time from the start to the end of this round.
        quorum: Whether enough replies were admitted; if not, the model was unchanged.
        dropped: Replies that the guard rejected.
        epsilon: Privacy spent so far; None without the private strategy.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    round_number: int
    train_loss: float | None
    train_accuracy: float | None
    validation: ModelScore
    bytes_up: int
    bytes_down: int
    simulated_s: float
    wall_s: float
    quorum: bool = True
    dropped: tuple[Dropped, ...] = ()
    epsilon: float | None = None


class TrialResult(BaseModel):
    """The result of a trial.

    Attributes:
        number: Number of the trial.
        status: ``finished``; ``stopped`` at its target or privacy budget; or ``failed``.
        fault: Why it failed; None otherwise.
        engine: Training engine.
        sandbox: Sandbox backend: ``sandlock``, ``bubblewrap`` or ``none``.
        enforcement: Which of the limits the kernel enforced, in words; empty without a sandbox.
        seed: Seed of the trial.
        facts: Size and cost of the model; None if the candidate failed its checks.
        curve: One point per finished round.
        best_round: Round with the best validation accuracy, then the lowest loss; its weights are
            stored. 0 if there is none.
        weights_sha256: Digest of those weights.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    status: Literal["finished", "stopped", "failed"]
    fault: Fault | None = None
    engine: Engine
    sandbox: str
    enforcement: str = ""
    seed: int
    facts: ModelFacts | None = None
    curve: tuple[CurvePoint, ...] = ()
    best_round: int = 0
    weights_sha256: str = ""

    @property
    def best(self) -> CurvePoint | None:
        """The curve's point at ``best_round``."""
        return next((p for p in self.curve if p.round_number == self.best_round), None)
