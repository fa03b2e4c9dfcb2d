"""The server app of a deployment, which runs no code of the app that it trains."""

from __future__ import annotations

from pathlib import Path

from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from pydantic import TypeAdapter

from edgewright.tools.errors import EdgewrightError, InputError, UnavailableError
from edgewright.tools.federated.app.checkpoint import load_newest
from edgewright.tools.federated.app.messages import read_reply
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.strategy import train
from edgewright.tools.federated.deployment.confined import read_source
from edgewright.tools.federated.deployment.folders import DeployedRun, OperatorFolder
from edgewright.tools.federated.deployment.initial import read_initial_model
from edgewright.tools.federated.deployment.operator.report import write_report
from edgewright.tools.federated.deployment.operator.strategy import DeployedStrategy
from edgewright.tools.federated.deployment.records import HELD, ClientStatus
from edgewright.tools.federated.template.writer import read_settings
from edgewright.tools.storage.atomic import write_file

STATUSES = TypeAdapter(list[ClientStatus])


def serve_run(grid: Grid, context: Context, folder: OperatorFolder, sent: Path) -> None:
    """Train a run to its end, from the newest checkpoint or from the start.

    Args:
        grid: Flower's grid.
        context: The context of the server app, which names the run.
        folder: The operator's folder.
        sent: Folder of the app that was sent to the clients.

    Raises:
        EdgewrightError: The run cannot be trained; the cause is stored in its folder too.
    """
    run = folder.run(AppSettings.read(context.run_config).out)
    with run.locked() as alone:
        if not alone:
            raise InputError("this run is trained already", code="run_active")
        with run.starts.open("a", encoding="utf-8") as file:
            file.write(f"{context.run_id}\n")
        try:
            _train(grid, folder, run, sent)
        except Exception as error:
            known = error if isinstance(error, EdgewrightError) else EdgewrightError(repr(error))
            write_file(run.failure, known.info().model_dump_json().encode())
            raise


def _train(grid: Grid, folder: OperatorFolder, run: DeployedRun, sent: Path) -> None:
    if read_source(sent) != read_source(folder.app):
        raise InputError("another app was sent than that of this deployment", code="bad_app")
    order = run.order()
    statuses = _ask(grid, folder, run, order.round_time_s)
    able = [status for status in statuses if not status.problem]
    if len(able) < order.minimum:
        problems = "; ".join(f"client {s.client}: {s.problem}" for s in statuses if s.problem)
        raise UnavailableError(
            f"{len(able)} clients can take part, fewer than {order.minimum}: {problems}",
            code="too_few_clients",
        )
    samples = [status.samples for status in able]
    settings = read_settings(folder.app).model_copy(
        update={"out": str(run.out), "samples": sum(samples), "samples_max": max(samples)}
    )
    strategy = DeployedStrategy(
        settings,
        read_initial_model(folder.initial),
        load_newest(run.checkpoints),
        client_of=folder.client_of(),
        statuses=able,
        minimum=order.minimum,
        scores=run.scores,
    )
    train(grid, strategy, settings, timeout_s=order.round_time_s)
    strategy.score_last(grid, timeout_s=order.round_time_s)
    write_report(run)


def _ask(
    grid: Grid, folder: OperatorFolder, run: DeployedRun, timeout_s: float
) -> list[ClientStatus]:
    """Ask each connected client what it has; store and return the answers."""
    messages = [Message(RecordDict(), node, "query") for node in grid.get_node_ids()]
    client_of = folder.client_of()
    waiting = {message.metadata.dst_node_id for message in messages}
    found: dict[int, ClientStatus] = {}
    for message in grid.send_and_receive(messages, timeout=timeout_s):
        node = message.metadata.src_node_id
        waiting.discard(node)
        if (client := client_of.get(node)) is not None:
            found[client] = _status(client, message)
    for node in waiting & client_of.keys():
        client = client_of[node]
        found.setdefault(client, ClientStatus(client=client, problem="no reply"))
    statuses = [found[client] for client in sorted(found)]
    write_file(run.statuses, STATUSES.dump_json(statuses))
    return statuses


def _status(client: int, message: Message) -> ClientStatus:
    reply = read_reply(message)
    if reply.error:
        return ClientStatus(client=client, problem=reply.error[:500])
    metrics = next(iter(message.content.metric_records.values()), MetricRecord())
    try:
        return ClientStatus(
            client=client,
            samples=metrics.get("num-examples", 0),
            validation=metrics.get(HELD, 0),
            problem="" if reply.client == client else "it has another client's invitation",
        )
    except ValueError:
        return ClientStatus(client=client, problem="its numbers of samples are impossible")
