"""Scores of a deployment: possible ones of known clients, compared over those that stayed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from flwr.app import Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from edgewright.tools.federated.app.files import round_folder
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.weights import InitialModel
from edgewright.tools.federated.deployment.folders import (
    DeployedRun,
    OperatorFolder,
)
from edgewright.tools.federated.deployment.operator.report import (
    read_deployment_report,
    read_score,
    write_report,
)
from edgewright.tools.federated.deployment.operator.strategy import DeployedStrategy
from edgewright.tools.federated.deployment.records import (
    CORRECT,
    HELD,
    ClientStatus,
    Counts,
    Order,
    RoundScore,
)
from edgewright.tools.federated.grids.in_process import InProcessGrid
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.trial import (
    RoundRecord,
)


def finished(run: DeployedRun, number: int, correct: dict[int, int]) -> None:
    """Write a finished round with the clients' scores of its model, of ten samples each."""
    folder = round_folder(run.checkpoints, number)
    folder.mkdir(parents=True)
    record = RoundRecord(round_number=number, clients=(), wall_s=1.0)
    (folder / "record.json").write_text(record.model_dump_json())
    counts = {client: Counts(correct=value, samples=10) for client, value in correct.items()}
    score = RoundScore(round_number=number, clients=counts)
    (run.scores / f"round-{number:04d}.json").write_text(score.model_dump_json())


def test_rounds_are_compared_over_the_clients_that_stayed(tmp_path: Path) -> None:
    run = OperatorFolder(tmp_path).next_run()
    run.write_order(Order(minimum=2, round_time_s=60))
    finished(run, 1, {0: 5, 1: 5, 2: 10})  # the easy client is killed after this round
    finished(run, 2, {0: 6, 1: 6})
    finished(run, 3, {0: 5, 1: 6})
    run.statuses.write_text("[]")
    run.starts.write_text("11\n12\n")
    write_report(run)
    report = read_deployment_report(run)
    assert (report.best.round_number, report.best.accuracy, report.restarts) == (2, 0.6, 1)


def reply(node: int, correct: int, samples: int) -> Message:
    """Return a node's reply to a round with its score."""
    metrics = MetricRecord({CORRECT: correct, HELD: samples})
    request = Message(RecordDict(), node, "train")
    return Message(RecordDict({"metrics": metrics}), reply_to=request)


def test_only_possible_scores_of_known_clients_count(
    tmp_path: Path, write_trial: Callable[[Candidate], AppSettings], candidate: Candidate
) -> None:
    InProcessGrid(ClientApp(), 1, {})  # labels the messages of this process
    run = OperatorFolder(tmp_path).next_run()
    run.write_order(Order(minimum=1, round_time_s=60))
    settings = write_trial(candidate).model_copy(update={"out": str(run.out)})
    strategy = DeployedStrategy(
        settings,
        InitialModel({"w": np.zeros(2, np.float32)}, frozenset({"w"})),
        None,
        client_of={11: 0, 12: 1, 13: 2},
        statuses=[ClientStatus(client=client, samples=5, validation=9) for client in range(3)],
        minimum=1,
        scores=run.scores,
    )
    strategy.finished = 1
    # More right than there are; other samples than before; a node that nobody has registered.
    replies = [reply(11, 8, 9), reply(12, 10, 9), reply(13, 1, 1), reply(14, 9, 9)]
    strategy.aggregate_train(1, replies)
    score = read_score(run, 1)
    assert score is not None
    assert score.clients == {0: Counts(correct=8, samples=9)}
