"""The curve of a trial: one point per finished round, scored by the host."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from edgewright.tools.federated.app.files import (
    finished_rounds,
    newest_states,
    round_folder,
    state_file,
    state_rounds,
)
from edgewright.tools.federated.records.layout import RunFolder, TrialFolder
from edgewright.tools.federated.records.trial import (
    CurvePoint,
    ModelFacts,
    RoundRecord,
    TrialRequest,
)
from edgewright.tools.federated.records.validated import read_record
from edgewright.tools.federated.serving.sandboxed_model import SandboxedModel
from edgewright.tools.federated.trials.link_clock import round_seconds
from edgewright.tools.federated.trials.scoring import Split, collect_weights, load_split, score
from edgewright.tools.storage.atomic import write_file
from edgewright.tools.storage.removal import remove

_POINTS = TypeAdapter(list[CurvePoint])


def read_curve(folder: TrialFolder) -> list[CurvePoint]:
    """Read the curve of a running, interrupted or ended trial."""
    if not folder.curve.exists():
        return []
    return _POINTS.validate_json(folder.curve.read_text("utf-8"))


class Curve:
    """A trial's curve on disk, extended as checkpoints appear.

    Attributes:
        points: One point per scored round, in order.

    Args:
        run: The run, with its validation split.
        request: The trial; points of an earlier, interrupted start are loaded.
        clients: Number of clients.
        facts: Measurements of the model, for the link clock.
    """

    def __init__(
        self, run: RunFolder, request: TrialRequest, *, clients: int, facts: ModelFacts
    ) -> None:
        self._request, self._clients, self._facts = request, clients, facts
        self._folder = run.trial(request.number)
        self._split: Split = load_split(run, "validation")
        self.points = read_curve(self._folder)

    @property
    def best_round(self) -> int:
        """The round with the best validation accuracy, then the lowest loss; 0 if there is none."""
        scores = {point.round_number: point.validation for point in self.points}
        return max(scores, key=lambda number: scores[number].rank, default=0)

    def next_finished(self) -> int | None:
        """Return the next round to score; None if it has no checkpoint yet."""
        number = len(self.points) + 1
        return number if number in finished_rounds(self._folder.checkpoints) else None

    def add(self, number: int, model: SandboxedModel) -> CurvePoint:
        """Validate a round's files, score its weights, extend the curve and prune, in this order.

        A kill between two of these steps leaves a state that the next start completes.

        Args:
            number: Number of the round, from ``next_finished``.
            model: Computes the logits.

        Raises:
            InputError: The round's files are invalid, or the model's code failed.
        """
        checkpoint = round_folder(self._folder.checkpoints, number)
        record = read_record(checkpoint / "record.json", number=number, clients=self._clients)
        heads = newest_states(self._folder.clients, number, self._clients)
        personal = heads if self._request.candidate.personal_head else {}
        target = self._folder.weights(number)
        collect_weights(checkpoint, personal, target, self._request.limits)
        logits = model.logits(self._split.images, target, clients=self._split.clients)
        point = self._point(number, record, logits)
        self.points.append(point)
        write_file(self._folder.curve, _POINTS.dump_json(self.points))
        self._prune(record)
        return point

    def _point(self, number: int, record: RoundRecord, logits: NDArray[np.float32]) -> CurvePoint:
        before = self.points[-1] if self.points else None
        simulated = round_seconds(
            record.clients,
            self._request.link,
            flop_per_sample=self._facts.flop_per_sample,
            local_epochs=self._request.candidate.passes,
        )
        return CurvePoint(
            round_number=number,
            train_loss=_mean([(c.loss, c.samples) for c in record.clients]),
            train_accuracy=_mean([(c.accuracy, c.samples) for c in record.clients]),
            validation=score(logits, self._split, self._clients),
            bytes_up=sum(c.bytes_up for c in record.clients),
            bytes_down=sum(c.bytes_down for c in record.clients),
            simulated_s=(before.simulated_s if before else 0.0) + simulated,
            wall_s=(before.wall_s if before else 0.0) + record.wall_s,
            quorum=record.quorum,
            dropped=record.dropped,
            epsilon=record.epsilon,
        )

    def _prune(self, record: RoundRecord) -> None:
        """Remove files that neither a resume nor the result needs.

        A client whose update was not admitted may have to start from its earlier state again.
        """
        number = record.round_number
        for other in range(1, number + 1):
            if other != self.best_round:
                remove(self._folder.weights(other))
        for other in finished_rounds(self._folder.checkpoints):
            if other < number:
                remove(round_folder(self._folder.checkpoints, other))
        for client in record.clients:
            folder = self._folder.clients / str(client.client)
            for old in state_rounds(folder):
                if old < number:
                    remove(state_file(folder, old))


def _mean(values: list[tuple[float | None, int]]) -> float | None:
    reported = [(value, weight) for value, weight in values if value is not None]
    total = sum(weight for _, weight in reported)
    return sum(value * weight for value, weight in reported) / total if total else None
