"""The client app of a deployment: it runs the slots of the app that was sent in the sandbox."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from edgewright.tools.errors import InputError
from edgewright.tools.federated.app.instruction import TrainInstruction
from edgewright.tools.federated.app.learner import LocalResult
from edgewright.tools.federated.app.messages import read_instruction, reply_content
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.deployment.client.samples import sample_counts
from edgewright.tools.federated.deployment.confined import RoundOutcome, read_source, run_round
from edgewright.tools.federated.deployment.folders import ClientFolder
from edgewright.tools.federated.deployment.records import CORRECT, HELD, Invitation
from edgewright.tools.sandbox.backends import find_sandbox
from edgewright.tools.sandbox.limits import SandboxLimits

_RUN_NAME = "run-"


def client_app(folder: ClientFolder, app: Path) -> ClientApp:
    """Return the client app of a client.

    Args:
        folder: The client's folder.
        app: Folder of the app that was sent, of which only the slots and settings are used.
    """
    return _Client(folder, app).app()


class _Client:
    def __init__(self, folder: ClientFolder, app: Path) -> None:
        self._folder, self._app = folder, app

    def app(self) -> ClientApp:
        app = ClientApp()
        app.query()(self._report)
        app.train()(self._train)
        app.evaluate()(self._evaluate)
        return app

    def _report(self, message: Message, context: Context) -> Message:
        """Report the numbers of samples; an error says why this client cannot take part."""
        invitation = self._folder.invitation()
        train, held = sample_counts(self._folder)
        _settings(context, invitation)
        find_sandbox()
        metrics = MetricRecord(
            {"partition-id": invitation.client, "num-examples": train, HELD: held}
        )
        return Message(RecordDict({"metrics": metrics}), reply_to=message)

    def _train(self, message: Message, context: Context) -> Message:
        client, outcome = self._round(context, read_instruction(message))
        result = LocalResult(outcome.payload, outcome.samples, outcome.loss, outcome.accuracy)
        content = reply_content(result, client)
        content.metric_records["metrics"].update(_scores(outcome))
        return Message(content, reply_to=message)

    def _evaluate(self, message: Message, context: Context) -> Message:
        scoring = replace(read_instruction(message), round_number=0)
        client, outcome = self._round(context, scoring)
        metrics = MetricRecord({"partition-id": client, **_scores(outcome)})
        return Message(RecordDict({"metrics": metrics}), reply_to=message)

    def _round(self, context: Context, instruction: TrainInstruction) -> tuple[int, RoundOutcome]:
        invitation = self._folder.invitation()
        sample_counts(self._folder)  # so that a missing file is named
        outcome = run_round(
            self._folder,
            read_source(self._app),
            _settings(context, invitation),
            instruction,
            client=invitation.client,
            limits=SandboxLimits(),
        )
        return invitation.client, outcome


def _scores(outcome: RoundOutcome) -> dict[str, int]:
    return {CORRECT: outcome.counts.correct, HELD: outcome.counts.samples}


def _settings(context: Context, invitation: Invitation) -> AppSettings:
    """Return the app's settings if they fit the invitation.

    Raises:
        InputError: They do not (``other_deployment``).
    """
    settings = AppSettings.read(context.run_config)
    sent = (settings.classes, settings.height, settings.width, settings.channels)
    invited = (
        len(invitation.classes), invitation.height, invitation.width, invitation.channels
    )  # fmt: skip
    named = settings.out.removeprefix(_RUN_NAME).isdigit() and settings.out.startswith(_RUN_NAME)
    if sent != invited or not named:
        raise InputError(
            "the app that was sent is for other data than the invitation; ask the operator for a "
            "new one",
            code="other_deployment",
        )
    return settings
