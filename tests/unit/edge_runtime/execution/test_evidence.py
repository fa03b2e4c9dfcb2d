"""Evidence is shown beside what a model generated, only where the two disagree."""

import asyncio
from types import SimpleNamespace

import pytest

from edgewright.edge_runtime.execution.evidence import with_evidence
from edgewright.edge_runtime.keys import ANONYMOUS
from edgewright.tools.contracts.invocation import InvokeResponse
from edgewright.tools.errors import UnavailableError
from edgewright.tools.library import experts


class Workers:
    """A worker that answers what a test says, and remembers what it was asked."""

    def __init__(self, disputes, error=None):
        self.disputes, self.error, self.asked = disputes, error, []

    async def call(self, model, operation, parameters, blob, *, caller, deadline):
        self.asked.append((model, operation, parameters))
        if self.error:
            raise self.error
        return {"output": {"text": "I see no dog.", "disputes": self.disputes}}, b""


def surroundings(workers, expert="blip-captioner", known=("evidence-captioner",)):
    every = experts()
    node = SimpleNamespace(
        workers=workers, experts_for=lambda card: tuple(every[name] for name in known)
    )
    call = SimpleNamespace(
        expert=every[expert],
        card=None,
        args={},
        image=b"image",
        caller=ANONYMOUS,
        deadline=asyncio.get_running_loop().time() + 5,
    )
    return node, call


RESPONSE = InvokeResponse(status="ok", output={"text": "a dog on a lawn"})


async def test_a_dispute_is_shown_and_the_models_answer_stays():
    workers = Workers("The detectors see no dog.")
    response = await with_evidence(*surroundings(workers), RESPONSE)
    assert response.output["text"] == "a dog on a lawn (The detectors see no dog.)"
    assert response.output["evidence"] == {"text": "I see no dog."}
    ((model, operation, parameters),) = workers.asked
    assert (model, operation) == ("perception", "whole")
    assert parameters["args"] == {"claim": "a dog on a lawn"}


@pytest.mark.parametrize(
    ("workers", "more"),
    [
        (Workers(""), {}),
        (Workers("x", UnavailableError("no detector", code="model_not_installed")), {}),
        (Workers("x"), {"known": ()}),
        (Workers("x"), {"expert": "label-captioner"}),
    ],
)
async def test_otherwise_the_response_is_as_it_was(workers, more):
    assert await with_evidence(*surroundings(workers, **more), RESPONSE) is RESPONSE


async def test_a_question_that_evidence_cannot_answer_is_left_to_the_model():
    node, call = surroundings(
        Workers("x"), "blip-question-answerer", ("evidence-question-answerer",)
    )
    call.args = {"question": "Who is this?"}
    assert await with_evidence(node, call, RESPONSE) is RESPONSE
