"""Natural questions find the cards of trained models among similar ones."""

from __future__ import annotations

import pytest

from edgewright.agents.planner.planner import make_embedded_planner
from edgewright.agents.planner.request import PlanRequest
from edgewright.tools.cards import CardRegistry
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.federated.records.data_card import ClientCard, DataCard
from edgewright.tools.federated.serving.tool_card import tool_card

pytestmark = pytest.mark.timeout(600)

#: Cards that serve similar questions, with few demonstrations, so that the fit takes seconds.
SIMILAR = (
    "image-classification", "visual-question-answering", "image-to-text", "object-detection",
    "federated-training",
)  # fmt: skip
SHOWN = 16
TRAINED = (
    ("classify fashion-mnist", "fashion-mnist", ("t-shirt", "trouser", "coat", "sandal", "bag")),
    ("photos of handwritten digits", "digits", tuple("0123456789")),
    ("classify pictures of solar cells", "elpv", ("functional", "defective")),
    ("photos of maize leaves", "scans", ("rust", "blight", "healthy")),
)


IMAGE = ImageRef(uri="store:" + "0" * 64, sha256="0" * 64, mime="image/png", width=64, height=64)


@pytest.fixture(scope="module")
def planner(planner_cache):
    known = CardRegistry.builtin()
    cards = CardRegistry(
        known.get(name).model_copy(
            update={"demonstrations": known.get(name).demonstrations[:SHOWN]}
        )
        for name in SIMILAR
    )
    for purpose, name, classes in TRAINED:
        data = DataCard(
            name=name, height=8, width=8, channels=1, original_side=8, classes=classes, train=9,
            validation=9, test=9, partition="iid", balance=1.0, label_skew=0.0, size_skew=1.0,
            clients=(ClientCard(samples=9, histogram=(9,) * len(classes)),),
        )  # fmt: skip
        cards = cards.with_cards([tool_card(purpose, data, [card.id for card in cards])])
    return make_embedded_planner(cards, folder=planner_cache)


QUESTIONS = {
    "garment-classifier": (
        "what kind of clothes is this?", "which garment do you see?", "is this a coat or a bag?",
        "what piece of clothing is in the picture?", "tell me what garment this is",
    ),
    "handwritten-digit-classifier": (
        "which digit is this?", "what number is written here?", "read the handwritten digit",
        "what digit can you see in the image?",
    ),
    "solar-cell-classifier": (
        "is this solar cell defective?", "is the solar cell functional or defective?",
        "what condition is this solar cell in?", "classify this solar cell",
    ),
    "maize-leaf-classifier": (
        "which maize leaf is this?", "does the leaf show rust or blight?",
        "what kind of maize leaf is in the photo?", "classify the maize leaf",
    ),
    "image-classification": ("what kind of animal is this?", "what is in this picture?"),
}  # fmt: skip


def test_natural_questions_find_the_trained_cards(planner):
    asked = [(card, question) for card, questions in QUESTIONS.items() for question in questions]
    requests = [PlanRequest(text=question, images=(IMAGE,)) for _, question in asked]
    missed = []
    for (card, question), plan in zip(asked, planner.plan_many(requests), strict=True):
        tools = [task.tool for task in plan.tasks]
        if tools != [card]:
            missed.append((question, card, tools))
    assert len(missed) <= 2, missed
