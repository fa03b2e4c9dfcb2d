from __future__ import annotations

from edgewright.graphs.assistant.training import LocalTrainer, train_task
from edgewright.graphs.federated.state import TrainSettings
from edgewright.graphs.federated.summary import report_of
from edgewright.tools.errors import UnavailableError
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.records.trial import ModelScore
from edgewright.tools.settings import ChatModelSettings

CARD = DataCard(
    name="digits", height=8, width=8, channels=1, original_side=8, classes=("a", "b"), train=100,
    validation=100, test=50, partition="iid", clients=(ClientCard(samples=5, histogram=(2, 3)),),
    balance=1.0, label_skew=0.0, size_skew=1.0,
)  # fmt: skip


def report(test: ModelScore | None, tool: str):
    made = report_of(
        run="r1", purpose="p", card=CARD, settings=TrainSettings(), attempts=[],
        stop="trials", test=test,
    )  # fmt: skip
    return made.model_copy(update={"tool": tool})


class Trainer:
    def __init__(self, outcome):
        self.outcome = outcome
        self.purpose = ""

    async def train(self, purpose, on_event):
        self.purpose = purpose
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


async def test_a_trained_tool_is_reported(task):
    good = Trainer(
        report(ModelScore(accuracy=0.987, loss=0.1, clients=(0.98,)), "digit-classifier")
    )
    result = await train_task(task(1, "federated-training"), "all the words", good, lambda _: None)
    assert result.status == "ok"
    assert result.output["tool"] == "digit-classifier"
    assert "98.7%" in result.output["text"]
    assert good.purpose == "all the words"


async def test_a_run_without_a_model_is_reported(task):
    result = await train_task(
        task(1, "federated-training"), "", Trainer(report(None, "")), lambda _: None
    )
    assert result.status == "unavailable"
    assert result.error is not None
    assert result.error.code == "not_trained"


async def test_an_error_is_a_result(task):
    broken = Trainer(UnavailableError("no sandbox", code="no_sandbox"))
    result = await train_task(task(1, "federated-training"), "", broken, lambda _: None)
    assert result.error is not None
    assert result.error.code == "no_sandbox"


async def test_data_that_nobody_named_are_not_made_up(task):
    result = await train_task(
        task(1, "federated-training"),
        "tell ripe from unripe",
        LocalTrainer(ChatModelSettings()),
        lambda _: None,
    )
    assert result.status == "error"
    assert result.error is not None
    assert result.error.code == "data_unnamed"
