from __future__ import annotations

import pytest

from edgewright.edge_runtime.config import NodeConfig
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.cards import ArgumentSpec, ToolCard
from edgewright.tools.federated.serving.expert import expert_id
from edgewright.tools.federated.serving.installed import TrainedModelManifest, install


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path / "home"))


@pytest.fixture
def put(tmp_path):
    """Install a model without code, since no test runs it."""
    (tmp_path / "empty").mkdir()

    def install_one(revision: str) -> None:
        card = ToolCard(
            id="leaf-classifier", task_type="image-classification", title="leaves",
            description="Says which leaf it is.", inputs=("image",), outputs=("label",),
            arguments={"image": ArgumentSpec(type="image", description="The picture.")},
            experts=(expert_id("leaf-classifier"),),
        )  # fmt: skip
        manifest = TrainedModelManifest(
            model="leaf-classifier", run="r", classes=("a", "b"), height=8, width=8, channels=1,
            revision=revision,
        )  # fmt: skip
        install(card, manifest, tmp_path / "empty", tmp_path / "empty")

    return install_one


async def test_a_node_adds_models_trained_after_its_start(put):
    node = Node(NodeConfig())
    assert "leaf-classifier" not in node.cards
    before = node.cards
    await node.refresh()
    assert node.cards is before

    put("aa")
    await node.refresh()
    card = node.cards.get("leaf-classifier")
    assert node.status(card).available
    assert [expert.id for expert in node.experts_for(card)] == ["leaf-classifier-expert"]
    first = node.workers.worker("leaf-classifier")

    put("bb")
    await node.refresh()
    assert node.workers.worker("leaf-classifier") is not first
    assert node.workers.worker("efficientnet-lite0") is not None


async def test_workers_are_added_and_removed():
    node = Node(NodeConfig())
    unchanged = node.workers.worker("efficientnet-lite0")
    await node.workers.offer(["efficientnet-lite0", "new"])
    assert node.workers.worker("efficientnet-lite0") is unchanged
    assert {worker.model for worker in node.workers} == {"efficientnet-lite0", "new"}
    await node.workers.offer(["efficientnet-lite0"])
    assert {worker.model for worker in node.workers} == {"efficientnet-lite0"}
