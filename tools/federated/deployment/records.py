"""What an operator and its clients exchange and keep: the deployment, invitations, reports."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.trial import Dropped

#: Client number, which is Flower's partition id.
Client = Annotated[int, Field(ge=0, lt=1000)]
#: Names of a client's score in the metrics of its replies.
CORRECT, HELD = "validation-correct", "validation-samples"
_Count = Annotated[int, Field(ge=0, le=10**9)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Deployment(_Record):
    """A deployment, as its operator has set it up.

    Attributes:
        run: Name of the run whose trial is trained.
        trial: Number of the trial.
        purpose: The person's description of the purpose.
        data: Data card of that run: the classes and the image format.
        clients: Number of clients.
        address: IP address or DNS name by which clients reach the SuperLink.
        port: Its port.
    """

    run: str
    trial: int
    purpose: str
    data: DataCard
    clients: int = Field(ge=1, le=1000)
    address: str
    port: int = Field(ge=1, le=65535)


class Invitation(_Record):
    """What a client needs to take part; it contains no secret and no path.

    Attributes:
        client: Number of the client, from 0.
        clients: Number of clients.
        address: Address of the SuperLink, with its port.
        authority: Certificate of the authority that signed the SuperLink's, in PEM.
        purpose: The person's description of the purpose.
        classes: Class names; the client's folders bear them.
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        channels: 1 for grey, 3 for colour.
    """

    client: Client
    clients: int = Field(ge=1, le=1000)
    address: str = Field(max_length=300)
    authority: str = Field(max_length=20_000)
    purpose: str
    classes: tuple[str, ...] = Field(min_length=2)
    height: int = Field(gt=0, le=1024)
    width: int = Field(gt=0, le=1024)
    channels: int = Field(ge=1, le=3)


class Order(_Record):
    """How a run is carried out.

    Attributes:
        minimum: Number of clients that a round needs.
        round_time_s: Maximum wait for the replies of a round.
    """

    minimum: int = Field(ge=1)
    round_time_s: float = Field(gt=0)


class ClientStatus(_Record):
    """What a client reported before the first round.

    Attributes:
        client: Number of the client.
        samples: Number of its training samples.
        validation: Number of its validation samples.
        problem: Why it cannot take part; empty if it can.
    """

    client: Client
    samples: _Count = 0
    validation: _Count = 0
    problem: str = Field(default="", max_length=500)


class Counts(_Record):
    """A client's own score of a round's model on its validation samples."""

    correct: _Count
    samples: _Count


class RoundScore(_Record):
    """The scores of a round's model at the clients that reported one.

    Attributes:
        round_number: Number of the round, from 1.
        clients: Scores by client.
    """

    round_number: int = Field(ge=1)
    clients: dict[Client, Counts]

    @property
    def accuracy(self) -> float:
        """Accuracy over the validation samples of all these clients together."""
        samples = sum(each.samples for each in self.clients.values())
        return sum(each.correct for each in self.clients.values()) / max(1, samples)

    def among(self, clients: Collection[int]) -> RoundScore:
        """Return the scores of these clients alone."""
        chosen = {client: self.clients[client] for client in clients}
        return self.model_copy(update={"clients": chosen})


class RoundSummary(_Record):
    """A round of a deployment.

    Attributes:
        round_number: Number of the round, from 1.
        clients: The clients whose updates were admitted.
        dropped: Replies that were rejected or did not arrive, with the reason.
        accuracy: Accuracy on the clients' validation samples; None if none was reported.
    """

    round_number: int
    clients: tuple[int, ...]
    dropped: tuple[Dropped, ...]
    accuracy: float | None


class DeploymentReport(_Record):
    """The report of a finished run.

    Attributes:
        clients: What each client reported before the first round.
        rounds: All rounds.
        best: The score of the best round, whose model is installed.
        restarts: How often training was resumed, which repeats the round that was interrupted.
    """

    clients: tuple[ClientStatus, ...]
    rounds: tuple[RoundSummary, ...]
    best: RoundScore
    restarts: int = 0
