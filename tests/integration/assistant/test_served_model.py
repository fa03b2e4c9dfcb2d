"""The chat-model planner with a real small model, served by ``transformers serve`` on loopback.

SmolLM2-135M is far too weak to plan. The test shows that the whole path works, whatever a model
answers.
"""

from pathlib import Path

import pytest

from edgewright.agents.planner.planner import make_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.tools.cards import CardRegistry
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.settings import ChatModelSettings

IMAGE = ImageRef(uri=f"store:{0:064x}", sha256=f"{0:064x}", mime="image/png", width=8, height=8)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_whatever_a_real_model_answers_the_plan_is_valid_and_names_its_planner(
    served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    builtin = CardRegistry.builtin()
    cards = CardRegistry([builtin.get("image-to-text"), builtin.get("visual-question-answering")])
    settings = ChatModelSettings(
        model=served.model, base_url=f"{served.url}/v1", api_key="local", timeout_s=200
    )
    planner = make_planner(cards, chat=settings)
    plan = planner.plan(PlanRequest(text="Describe this picture.", images=(IMAGE,)))

    earlier_tasks: set[str] = set()
    for task in plan.tasks:
        assert task.tool in cards
        assert set(task.args) <= set(cards.get(task.tool).arguments)
        assert set(task.depends_on) <= earlier_tasks
        earlier_tasks.add(task.id)
    if plan.as_json()["planner"] == "chat-model":
        assert served.answers() in (1, 2)
        assert plan.tasks or plan.reason
    else:
        assert plan.as_json()["planner"] == "embedded"
        assert served.answers() == 2  # the first answer and its repair
        assert plan.reason.startswith("The chat model was not used: ")
        assert [task.tool for task in plan.tasks] == ["image-to-text"]
