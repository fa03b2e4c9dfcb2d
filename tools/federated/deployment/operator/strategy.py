"""The strategy of a deployment: it knows its clients, and gets their scores with their updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid

from edgewright.tools.federated.app.checkpoint import Checkpoint
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.strategy import GuardedStrategy
from edgewright.tools.federated.app.weights import InitialModel
from edgewright.tools.federated.deployment.records import (
    CORRECT,
    HELD,
    ClientStatus,
    Counts,
    RoundScore,
)
from edgewright.tools.storage.atomic import write_file


class DeployedStrategy(GuardedStrategy):
    """Trains with the clients that are there, and keeps their scores of each round's model.

    A client scores the model that a round begins with before it trains it, so that scoring costs no
    message of its own; the last round's model is scored at the end.

    Args:
        settings: The app's settings.
        initial: The model's initial weights.
        checkpoint: Checkpoint to resume from; None starts from the initial weights.
        client_of: The client of each registered node.
        statuses: What the clients reported before the first round.
        minimum: Number of clients that a round needs.
        scores: Folder for the scores.
    """

    def __init__(
        self,
        settings: AppSettings,
        initial: InitialModel,
        checkpoint: Checkpoint | None,
        *,
        client_of: Mapping[int, int],
        statuses: Sequence[ClientStatus],
        minimum: int,
        scores: Path,
    ) -> None:
        super().__init__(settings, initial, checkpoint, client_of)
        self.min_available_nodes = minimum
        self.min_train_nodes = 1
        self._held = {status.client: status.validation for status in statuses}
        self._scores = scores

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Keep the clients' scores of the model that they were sent, then aggregate."""
        received = list(replies)
        self._store(self.finished, received)
        return super().aggregate_train(server_round, received)

    def score_last(self, grid: Grid, *, timeout_s: float) -> None:
        """Let all clients score the model of the last round."""
        config = ConfigRecord({"server-round": self.finished})
        content = RecordDict({"arrays": self.weights_record(), "config": config})
        messages = [Message(content, node, "evaluate") for node in grid.get_node_ids()]
        self._store(self.finished, grid.send_and_receive(messages, timeout=timeout_s))

    def _store(self, number: int, replies: Iterable[Message]) -> None:
        if not number:
            return
        found = {}
        for message in replies:
            client = self._client_of.get(message.metadata.src_node_id)
            counts = None if message.has_error() else self._counts(client, message.content)
            if client is not None and counts is not None:
                found[client] = counts
        score = RoundScore(round_number=number, clients=found)
        path = self._scores / f"round-{number:04d}.json"
        write_file(path, score.model_dump_json().encode())

    def _counts(self, client: int | None, content: RecordDict) -> Counts | None:
        """Return a client's score; None if it contradicts what the client reported before."""
        metrics = next(iter(content.metric_records.values()), MetricRecord())
        correct, samples = metrics.get(CORRECT), metrics.get(HELD)
        if not isinstance(correct, int) or not isinstance(samples, int):
            return None
        known = self._held.get(-1 if client is None else client, samples)
        if not 0 <= correct <= samples or samples != known or not samples:
            return None
        return Counts(correct=correct, samples=samples)
