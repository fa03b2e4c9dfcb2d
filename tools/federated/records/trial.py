"""The trial: one training run of a candidate, what is asked, what comes back."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.sandbox.faults import Fault
from edgewright.tools.sandbox.limits import SandboxLimits

Engine = Literal["in-process", "simulation", "deployment"]

#: Engines that run generated code inside the sandbox; the others need a person's approval.
SANDBOXED_ENGINES: frozenset[Engine] = frozenset({"in-process"})


class LinkSpeed(BaseModel):
    """The simulated devices' link and speed; 1 KB is 1000 bytes.

    Attributes:
        uplink_kb_per_s: Each client's upload rate.
        downlink_kb_per_s: Each client's download rate.
        device_gflop_per_s: Floating-point operations that a device does in training, in 1e9 a
            second; the default is what a Jetson Nano class board sustains, not its peak.
    """

    model_config = ConfigDict(frozen=True)

    uplink_kb_per_s: float = Field(default=250.0, gt=0)
    downlink_kb_per_s: float = Field(default=500.0, gt=0)
    device_gflop_per_s: float = Field(default=50.0, gt=0)


class TrialRequest(BaseModel):
    """One training run.

    Attributes:
        number: The trial's number within its run, from 1.
        candidate: What to train.
        engine: Where.
        seed: Decides initial weights, batches, sampling and noise.
        limits: What the sandbox allows.
        link: The simulated link and device.
        target: Validation accuracy at which training stops early; None to go on to the end.
    """

    model_config = ConfigDict(frozen=True)

    number: int = Field(ge=1)
    candidate: Candidate
    engine: Engine = "in-process"
    seed: int = Field(default=0, ge=0, lt=2**31)
    limits: SandboxLimits = SandboxLimits()
    link: LinkSpeed = LinkSpeed()
    target: float | None = Field(default=None, gt=0, le=1)


class Dropped(BaseModel):
    """A client's reply that the guard kept out of the model, and why."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    client: int
    reason: str = Field(max_length=500)


class ClientRound(BaseModel):
    """What one client did in one round, by its own account: untrusted, for people and coders.

    Attributes:
        client: Partition id; -1 where a client did not say.
        samples: Training samples that it claims.
        loss: Mean training loss; None under the private strategy, which does not cover it.
        accuracy: Training accuracy; None as ``loss``.
        bytes_up: Payload of its reply.
        bytes_down: Payload of what it was sent.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    client: int
    samples: int = Field(ge=0)
    loss: float | None
    accuracy: float | None
    bytes_up: int = Field(ge=0)
    bytes_down: int = Field(ge=0)


class RoundRecord(BaseModel):
    """What the server saw of one round; kept in the checkpoint.

    Attributes:
        round_number: From 1.
        clients: Replies that were admitted.
        dropped: Replies that were not.
        quorum: Whether enough were admitted; if not, the model stayed as it was.
        wall_s: Seconds the round really took.
        epsilon: Privacy spent so far; None outside the private strategy.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    round_number: int = Field(ge=1)
    clients: tuple[ClientRound, ...]
    dropped: tuple[Dropped, ...] = ()
    quorum: bool = True
    wall_s: float = Field(ge=0)
    epsilon: float | None = None


class ModelScore(BaseModel):
    """The host's own measurement on labels that no generated code has seen.

    Attributes:
        accuracy: Over all samples of the split.
        loss: Mean cross-entropy.
        clients: Accuracy on each client's part of the split; None where a client has none there.
    """

    model_config = ConfigDict(frozen=True)

    accuracy: float
    loss: float
    clients: tuple[float | None, ...]

    @property
    def rank(self) -> tuple[float, float]:
        """What models are chosen by: the accuracy, and of equals the lower loss.

        A small split has many equals, and the surest of them has learnt the most.
        """
        return self.accuracy, -self.loss

    @property
    def worst_client(self) -> float:
        """Accuracy of the client that is served worst."""
        return min(self._measured())

    @property
    def spread(self) -> float:
        """Standard deviation of the clients' accuracies: 0 when all are served alike."""
        measured = self._measured()
        mean = sum(measured) / len(measured)
        return float((sum((value - mean) ** 2 for value in measured) / len(measured)) ** 0.5)

    def _measured(self) -> list[float]:
        return [value for value in self.clients if value is not None]


class CurvePoint(BaseModel):
    """One round on the curve that a coder reads.

    Attributes:
        round_number: From 1.
        train_loss: Mean of the clients' training losses, by samples; None where they are private.
        train_accuracy: Mean of the clients' training accuracies, likewise.
        validation: The host's score.
        bytes_up: Bytes all clients sent, this round.
        bytes_down: Bytes all clients were sent, this round.
        simulated_s: Simulated wall-clock at the end of this round, from the start.
        wall_s: Seconds that have really passed in training, from the start.
        quorum: Whether enough replies were admitted; if not, the model stayed as it was.
        dropped: Replies the guard kept out.
        epsilon: Privacy spent so far; None outside the private strategy.
    """

    model_config = ConfigDict(frozen=True)

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


class ModelFacts(BaseModel):
    """What the dry run measured of a candidate's model.

    Attributes:
        parameters: Trainable weights.
        weight_bytes: Bytes of one full model on the link.
        flop_per_sample: Forward and backward operations for one sample.
    """

    model_config = ConfigDict(frozen=True)

    parameters: int = Field(gt=0)
    weight_bytes: int = Field(gt=0)
    flop_per_sample: float = Field(ge=0, allow_inf_nan=False)


class TrialResult(BaseModel):
    """What a trial gave.

    Attributes:
        number: The trial's number.
        status: ``finished``; ``stopped`` at its target or its privacy budget; ``failed``.
        fault: Why it failed; None otherwise.
        engine: Where it ran.
        sandbox: What confined it: ``sandlock``, ``bubblewrap`` or ``none``.
        seed: Its seed.
        facts: The model's size and cost; None if the candidate did not get that far.
        curve: One point per finished round.
        best_round: Round with the best validation accuracy, of equals the one with the lowest loss;
            its weights are kept. 0 if none.
        weights_sha256: Digest of those weights.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    status: Literal["finished", "stopped", "failed"]
    fault: Fault | None = None
    engine: Engine
    sandbox: str
    seed: int
    facts: ModelFacts | None = None
    curve: tuple[CurvePoint, ...] = ()
    best_round: int = 0
    weights_sha256: str = ""

    @property
    def best(self) -> CurvePoint | None:
        """The curve's point at ``best_round``."""
        return next((p for p in self.curve if p.round_number == self.best_round), None)
