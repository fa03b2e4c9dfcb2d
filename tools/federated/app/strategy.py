"""The Flower strategy of every generated app: guard, aggregate, checkpoint."""

from __future__ import annotations

import json
import logging
import math
import random
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message, Metadata, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.aggregation import ServerOptimiser, combine
from edgewright.tools.federated.app.checkpoint import Checkpoint, load_newest, save_checkpoint
from edgewright.tools.federated.app.control import ServerControl
from edgewright.tools.federated.app.guard import Guard, Update
from edgewright.tools.federated.app.learner import LearningTask, new_model
from edgewright.tools.federated.app.messages import add_control, arrays_record, read_reply
from edgewright.tools.federated.app.privacy import budgets, epsilon_after, rounds_within
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.weights import (
    Arrays,
    InitialModel,
    from_vector,
    to_vector,
)
from edgewright.tools.federated.records.trial import (
    ClientRound,
    Dropped,
    RoundRecord,
    reported_value,
)

_LOG = logging.getLogger("flwr")

_UNKNOWN_CLIENT = -1


def run_server(
    grid: Grid, settings: AppSettings, task: LearningTask, *, timeout_s: float = 3600
) -> None:
    """Train to the last round, from the newest checkpoint or from the start.

    Args:
        grid: Any Flower grid.
        settings: The app's settings.
        task: The slots' functions.
        timeout_s: Maximum wait for the replies of one round.
    """
    initial = InitialModel.of(new_model(task, settings))
    newest = load_newest(Path(settings.out) / "checkpoints")
    train(grid, GuardedStrategy(settings, initial, newest), settings, timeout_s=timeout_s)


def train(
    grid: Grid, strategy: GuardedStrategy, settings: AppSettings, *, timeout_s: float
) -> None:
    """Train the rounds that have no checkpoint; a privacy budget may end them early.

    Args:
        grid: Any Flower grid.
        strategy: The strategy, with the newest checkpoint if there is one.
        settings: The app's settings.
        timeout_s: Maximum wait for the replies of one round.
    """
    rounds = settings.rounds
    for budget in budgets(settings.strategy, settings.local_privacy):
        rounds = rounds_within(budget, at_most=rounds)
    if strategy.finished < rounds:
        strategy.start(
            grid=grid,
            initial_arrays=strategy.weights_record(),
            num_rounds=rounds - strategy.finished,
            timeout=timeout_s,
        )
    else:
        _LOG.warning("nothing to train: all %d rounds have a checkpoint", rounds)


class GuardedStrategy(FedAvg):
    """Aggregates the updates that the guard admits; without a quorum the model is unchanged.

    Attributes:
        finished: Number of rounds that have a checkpoint.

    Args:
        settings: The app's settings.
        initial: The model's initial weights.
        checkpoint: Checkpoint to resume from; None starts from the initial weights.
        client_of: The client of each node, where nodes are known; a reply in the name of another
            client is dropped.
    """

    def __init__(
        self,
        settings: AppSettings,
        initial: InitialModel,
        checkpoint: Checkpoint | None,
        client_of: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        super().__init__(
            fraction_train=settings.participation,
            min_train_nodes=settings.clients_per_round,
            min_available_nodes=settings.clients,
        )
        self._settings = settings
        self._budgets = budgets(settings.strategy, settings.local_privacy)
        self._client_of = client_of
        self._out = Path(settings.out)
        self._out.mkdir(parents=True, exist_ok=True)
        self._weights: Arrays = dict(initial.weights)
        if checkpoint is not None:
            self._weights = {name: checkpoint.weights[name] for name in self._weights}
        mask = np.concatenate(
            [np.full(v.size, name in initial.trainable) for name, v in self._weights.items()]
        )
        state = checkpoint.optimiser if checkpoint else {}
        self._control = ServerControl(settings, mask, state)
        self._optimiser = ServerOptimiser(settings.strategy, mask, state)
        self._guard = Guard(
            compression=settings.compression,
            sizes=[value.size for value in self._weights.values()],
            clients=settings.clients,
            samples_max=settings.samples_max,
            vectors=settings.strategy.vectors,
        )
        self._noise = np.random.default_rng()
        self._selected: list[Metadata] = []
        self._started = 0.0
        self.finished = checkpoint.record.round_number if checkpoint else 0
        if checkpoint is not None:
            self._log_missing_round(checkpoint.record)

    def weights_record(self) -> ArrayRecord:
        """Return the model's tensors in the form that is sent to clients."""
        return arrays_record(self._weights)

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Select the round's clients; Flower's own round number restarts after a resume."""
        del server_round
        number = self.finished + 1
        self._started = time.monotonic()
        random.seed(f"{self._settings.seed}:{number}")
        messages = list(super().configure_train(number, arrays, config, grid))
        if self._control.active and messages:  # which share their content
            common = self._control.common(self._weights)
            add_control(messages[0].content, common, self._control.admitted)
        self._selected = [message.metadata for message in messages]
        return messages

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Request no evaluation: the host scores each round itself."""
        del server_round, arrays, config, grid
        return []

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Validate and aggregate the replies, update the model and write a checkpoint."""
        del server_round
        number = self.finished + 1
        updates, dropped = self._admit(replies, number)
        quorum = len(updates) >= max(1, math.ceil(len(self._selected) / 2))
        if quorum:
            combined = combine(
                [update.vector for update in updates],
                [update.samples for update in updates],
                self._settings.strategy,
                selected=len(self._selected),
                noise=self._noise,
            )
            step = self._optimiser.step(self._control.step(combined, updates, number))
            model = to_vector(self._weights) + step
            self._weights = from_vector(model, self._weights)
        record = RoundRecord(
            round_number=number,
            clients=tuple(self._client_round(update) for update in updates),
            dropped=tuple(dropped),
            quorum=quorum,
            wall_s=time.monotonic() - self._started,
            epsilon=self._epsilon(number),
        )
        state = self._optimiser.state | self._control.state
        checkpoint = Checkpoint(record, self._weights, state)
        save_checkpoint(self._out / "checkpoints", checkpoint, keep=self._settings.keep_checkpoints)
        self.finished = number
        self._log_round(record)
        return self.weights_record() if quorum else None, None

    def _admit(self, replies: Iterable[Message], number: int) -> tuple[list[Update], list[Dropped]]:
        """Check replies as they arrive, then compare them with each other."""
        updates: list[Update] = []
        dropped: list[Dropped] = []
        # An error of Flower's comes from no node, but says which message it answers.
        asked = {each.message_id: each.dst_node_id for each in self._selected if each.message_id}
        missing = [each.dst_node_id for each in self._selected]
        for message in replies:
            about = message.metadata
            node = asked.get(about.reply_to_message_id, about.src_node_id)
            if node in missing:
                missing.remove(node)
            sender = self._client_of.get(node, _UNKNOWN_CLIENT)
            reply = read_reply(message)
            try:
                update = self._guard.read(reply)
                if sender not in (_UNKNOWN_CLIENT, update.client):
                    raise InputError("claims the id of another client")
            except InputError as error:
                claimed = reply.client if isinstance(reply.client, int) else _UNKNOWN_CLIENT
                if sender == _UNKNOWN_CLIENT and claimed in range(self._settings.clients):
                    sender = claimed
                dropped.append(Dropped(client=sender, reason=error.message))
                continue
            updates.append(update)
            self._log(event="client", round=number, **self._client_round(update).model_dump())
        dropped += [
            Dropped(client=self._client_of.get(node, _UNKNOWN_CLIENT), reason="no reply")
            for node in missing
        ]
        norm = float(np.linalg.norm(to_vector(self._weights)))
        admitted, outliers = self._guard.compare(
            updates, norm, largest_control=self._control.largest
        )
        dropped += [Dropped(client=update.client, reason=reason) for update, reason in outliers]
        for one in dropped:
            self._log(event="dropped", round=number, **one.model_dump())
        return admitted, dropped

    def _client_round(self, update: Update) -> ClientRound:
        hidden = bool(self._budgets)
        return ClientRound(
            client=update.client,
            samples=update.samples,
            loss=None if hidden else reported_value(update.loss),
            accuracy=None if hidden else reported_value(update.accuracy),
            bytes_up=update.bytes_up,
            bytes_down=sum(value.nbytes for value in self._weights.values())
            * self._settings.strategy.vectors,
        )

    def _epsilon(self, rounds: int) -> float | None:
        return epsilon_after(self._budgets[0], rounds) if self._budgets else None

    def _log_missing_round(self, record: RoundRecord) -> None:
        """Log a round whose progress line is missing, after a kill between checkpoint and log."""
        path = self._out / "progress.jsonl"
        logged = path.read_text("utf-8") if path.exists() else ""
        if f'"event": "round", "round": {record.round_number},' not in logged:
            self._log_round(record)

    def _log_round(self, record: RoundRecord) -> None:
        self._log(
            event="round",
            round=record.round_number,
            admitted=len(record.clients),
            dropped=len(record.dropped),
        )

    def _log(self, **event: object) -> None:
        """Append a line to the progress file, which is only for live views."""
        with (self._out / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
