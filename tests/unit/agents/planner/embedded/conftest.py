"""Conversations with the embedded planner: turns of words and the names of their images."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgewright.agents.planner.embedded.planner import EmbeddedPlanner
from edgewright.agents.planner.plan import Plan
from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.request import PlanRequest, Turn, images_of
from edgewright.tools.cards import CardRegistry
from edgewright.tools.contracts.images import ImageRef

#: The letter of each card in the steps of a plan.
LETTERS = {
    "image-classification": "C",
    "image-to-text": "T",
    "visual-question-answering": "V",
    "text-recognition": "R",
    "federated-training": "F",
}
SIGNS = {"equals": "=", "at_least": ">=", "at_most": "<=", "not": "!=", "contains": "~"}


@pytest.fixture(scope="session")
def image() -> Callable[[str], ImageRef]:
    """Return what makes an image of a name, which may have folders."""

    def made(path: str) -> ImageRef:
        digest = path.encode().hex().ljust(64, "0")[-64:]
        folder, _, name = path.rpartition("/")
        return ImageRef(
            uri=f"store:{digest}", sha256=digest, mime="image/png", name=name, folder=folder
        )

    return made


@pytest.fixture(scope="module")
def conversing(planner_cache: Path) -> EmbeddedPlanner:
    """Return the planner of the built-in cards."""
    return make_embedded_planner(CardRegistry.builtin(), folder=planner_cache)


@pytest.fixture
def talk(conversing: EmbeddedPlanner, image: Callable[[str], ImageRef]) -> Callable[..., Plan]:
    """Return what holds a conversation and returns the plan of its last turn."""

    def held(*turns: tuple[str, str]) -> Plan:
        history: tuple[Turn, ...] = ()
        plan = None
        for text, names in turns:
            images = tuple(map(image, names.split()))
            request = PlanRequest(text=text, images=images, history=history)
            plan = conversing.plan(request)
            about = images_of(plan.tasks, request.seen)
            history += (Turn(request=text, images=images, about=about, tasks=plan.tasks),)
        assert plan is not None
        return plan

    return held


@pytest.fixture
def steps(talk: Callable[..., Plan], image: Callable[[str], ImageRef]) -> Callable[..., str]:
    """Return what plans turns and writes each task of the last: ``V a, T a if t1=no``."""

    def written(*turns: tuple[str, str]) -> str:
        plan = talk(*turns)
        names = {
            image(name).uri: name.rpartition(".")[0] for _, said in turns for name in said.split()
        }
        found = []
        for task in plan.tasks:
            about = next((names[value] for value in task.args.values() if value in names), "-")
            joint = {"all": " & ", "any": " | "}[task.when.match] if task.when else ""
            checks = task.when.checks if task.when else ()
            when = joint.join(f"{check.task}{SIGNS[check.op]}{check.value}" for check in checks)
            found.append(f"{LETTERS[task.tool]} {about}{f' if {when}' if when else ''}")
        return ", ".join(found)

    return written
