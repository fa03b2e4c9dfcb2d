"""The candidate: a coder's proposal for the template's slots.

Four slots are code, each a function with a fixed signature; all others are values with bounds. A
candidate is independent of data, engine and clients, so the same one runs in every engine.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.federated.records.local_privacy import DpSgd, LocalPrivacy, NoLocalPrivacy

CodeSlot = Literal["model", "augmentation", "optimiser", "schedule"]

#: The function that each code slot must define, with its parameters in order.
SIGNATURES: dict[CodeSlot, tuple[str, tuple[str, ...]]] = {
    "model": ("build_model", ("channels", "height", "width", "classes")),
    "augmentation": ("augment", ("images",)),
    "optimiser": ("build_optimiser", ("parameters", "learning_rate")),
    "schedule": ("learning_rate", ("round_number", "rounds")),
}


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FedAvg(_Settings):
    """Mean of the clients' weights, weighted by samples; with ``proximal`` it is FedProx."""

    name: Literal["fedavg"] = "fedavg"
    #: Vectors of the model's size that an update consists of.
    vectors: ClassVar[int] = 1

    def refusal(self, clients: int) -> str:
        """Return why this strategy does not work with this many clients per round, or empty."""
        return "" if clients >= 1 else "needs at least one client"

    def tolerates(self, clients: int) -> int:
        """Return the number of hostile clients among ``clients`` that it tolerates."""
        del clients
        return 0


class FedAvgM(FedAvg):
    """FedAvg with server momentum, which is more stable when clients differ."""

    name: Literal["fedavgm"] = "fedavgm"  # type: ignore[assignment]
    server_learning_rate: float = Field(default=1.0, gt=0, le=10)
    server_momentum: float = Field(default=0.9, ge=0, lt=1)


class FedAdam(FedAvg):
    """Adam on the server, applied to the clients' mean update."""

    name: Literal["fedadam"] = "fedadam"  # type: ignore[assignment]
    server_learning_rate: float = Field(default=0.01, gt=0, le=1)


class FedYogi(FedAdam):
    """FedAdam whose second moment changes additively, so that rare large updates do not last."""

    name: Literal["fedyogi"] = "fedyogi"  # type: ignore[assignment]


class Corrected(FedAvg):
    """Base of strategies whose clients correct each gradient by a state that they keep."""


class Scaffold(Corrected):
    """SCAFFOLD: control variates remove the drift of clients that differ, for twice the bytes."""

    name: Literal["scaffold"] = "scaffold"  # type: ignore[assignment]
    vectors: ClassVar[int] = 2
    server_learning_rate: float = Field(default=1.0, gt=0, le=10)


class FedDyn(Corrected):
    """FedDyn: each client's loss is shifted so that its optimum agrees with the common one.

    Attributes:
        alpha: Weight of the pull towards the common model; the larger, the smaller the steps.
    """

    name: Literal["feddyn"] = "feddyn"  # type: ignore[assignment]
    alpha: float = Field(default=0.1, gt=0, le=10)


class TrimmedMean(FedAvg):
    """Mean of each weight without the highest and lowest share of the clients (robust)."""

    name: Literal["trimmed-mean"] = "trimmed-mean"  # type: ignore[assignment]
    trim: float = Field(default=0.2, gt=0, lt=0.5)

    def refusal(self, clients: int) -> str:
        """Return why this strategy does not work with this many clients per round, or empty."""
        if int(self.trim * clients) < 1:
            return f"trims no client: {self.trim} of {clients} clients is less than one"
        return ""

    def tolerates(self, clients: int) -> int:
        """Return the number of hostile clients among ``clients`` that it tolerates."""
        return int(self.trim * clients)


class Median(FedAvg):
    """Median of each weight (robust)."""

    name: Literal["median"] = "median"  # type: ignore[assignment]

    def refusal(self, clients: int) -> str:
        """Return why this strategy does not work with this many clients per round, or empty."""
        return "" if clients >= 3 else "needs at least 3 clients"


class Krum(FedAvg):
    """Weights of the client that is closest to its neighbours (robust)."""

    name: Literal["krum"] = "krum"  # type: ignore[assignment]
    attackers: int = Field(default=1, ge=1)

    def refusal(self, clients: int) -> str:
        """Return why this strategy does not work with this many clients per round, or empty."""
        needed = 2 * self.attackers + 3
        return "" if clients >= needed else f"needs {needed} clients for {self.attackers} attackers"

    def tolerates(self, clients: int) -> int:
        """Return the number of hostile clients among ``clients`` that it tolerates."""
        del clients
        return self.attackers


class MultiKrum(Krum):
    """Mean of the ``clients - attackers - 2`` clients that Krum ranks first (robust)."""

    name: Literal["multi-krum"] = "multi-krum"  # type: ignore[assignment]


class Private(FedAvg):
    """FedAvg with client-level differential privacy: clipped updates, Gaussian noise on their sum.

    Attributes:
        clipping_norm: Maximum L2 norm of a client's update.
        noise_multiplier: Standard deviation of the noise, relative to ``clipping_norm``.
        epsilon: Privacy budget; training stops before the round that would exceed it.
        delta: Probability with which epsilon may fail; should be below 1 / clients.
    """

    name: Literal["private"] = "private"  # type: ignore[assignment]
    clipping_norm: float = Field(default=1.0, gt=0)
    noise_multiplier: float = Field(default=1.0, gt=0, le=1000)
    epsilon: float = Field(default=8.0, gt=0)
    delta: float = Field(default=1e-5, gt=0, lt=1)

    def refusal(self, clients: int) -> str:
        """Return why this strategy does not work with this many clients per round, or empty."""
        return "" if clients >= 2 else "protects nobody with fewer than 2 clients"


Strategy = Annotated[
    FedAvg
    | FedAvgM
    | FedAdam
    | FedYogi
    | Scaffold
    | FedDyn
    | TrimmedMean
    | Median
    | Krum
    | MultiKrum
    | Private,
    Field(discriminator="name"),
]

#: Strategies that tolerate a minority of hostile clients.
ROBUST = frozenset({"trimmed-mean", "median", "krum", "multi-krum"})


class NoCompression(_Settings):
    """Updates are sent as float32."""

    name: Literal["none"] = "none"


class Int8(_Settings):
    """Updates are sent as 8-bit integers with one scale per tensor: a quarter of the bytes."""

    name: Literal["int8"] = "int8"


class TopK(_Settings):
    """Only the largest changes are sent; the client adds the remainder in the next round.

    Attributes:
        share: Share of the weights that is sent.
    """

    name: Literal["top-k"] = "top-k"
    share: float = Field(default=0.05, gt=0, le=0.5)


Compression = Annotated[NoCompression | Int8 | TopK, Field(discriminator="name")]


class Candidate(_Settings):
    """A proposal for the template's slots.

    Attributes:
        model: Source of ``build_model(channels, height, width, classes) -> nn.Module``, which maps
            float32 [B, channels, height, width] in 0 to 1 to logits [B, classes].
        augmentation: Source of ``augment(images) -> images``, which maps a training batch to one of
            the same shape.
        optimiser: Source of ``build_optimiser(parameters, learning_rate) -> Optimizer``.
        schedule: Source of ``learning_rate(round_number, rounds) -> float``; rounds count from 1.
        rounds: Number of global rounds.
        local_epochs: Passes of each client over its samples per round.
        batch_size: Samples per step.
        participation: Share of the clients that train in a round.
        strategy: Aggregation strategy.
        compression: Compression of the updates.
        local_privacy: Noise that each client adds to protect its samples or persons.
        proximal: Weight of FedProx's proximal term; 0 for none.
        label_smoothing: Share of the target that is spread over all classes; helps against wrong
            labels.
        personal_head: Whether each client keeps its own last linear layer, which in each round
            starts as the mean of its own and the global one.
        rationale: One line that explains the proposal.
    """

    model: str = Field(min_length=1, max_length=20_000)
    augmentation: str = Field(min_length=1, max_length=20_000)
    optimiser: str = Field(min_length=1, max_length=20_000)
    schedule: str = Field(min_length=1, max_length=20_000)
    rounds: int = Field(ge=1, le=500)
    local_epochs: int = Field(default=1, ge=1, le=50)
    batch_size: int = Field(default=32, ge=1, le=1024)
    participation: float = Field(default=1.0, gt=0, le=1)
    strategy: Strategy = FedAvg()
    compression: Compression = NoCompression()
    local_privacy: LocalPrivacy = NoLocalPrivacy()
    proximal: float = Field(default=0.0, ge=0, le=10)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    personal_head: bool = False
    rationale: str = Field(default="", max_length=500)

    def code(self, slot: CodeSlot) -> str:
        """Return the source of one code slot."""
        return str(getattr(self, slot))

    @property
    def private(self) -> bool:
        """Whether the candidate spends a privacy budget."""
        return isinstance(self.strategy, Private) or isinstance(self.local_privacy, DpSgd)

    @property
    def conflict(self) -> str:
        """Why the strategy does not work with other values; empty if it does."""
        if not isinstance(self.strategy, Corrected):
            return ""
        if isinstance(self.local_privacy, DpSgd):
            return "would reveal what a client's noise hides, by the state that corrects it"
        if isinstance(self.compression, TopK):
            return "does not work with top-k: client and server would keep different states"
        if self.personal_head:
            return "does not work with personal heads, which start from a model of their own"
        return ""

    @property
    def passes(self) -> float:
        """Passes of a client over its samples per round."""
        own = self.local_privacy
        return own.passes if isinstance(own, DpSgd) else float(self.local_epochs)

    def clients_per_round(self, clients: int) -> int:
        """Return the number of clients that train in a round, at least one."""
        return max(1, int(clients * self.participation + 1e-9))
