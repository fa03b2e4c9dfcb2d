"""Showing evidence beside what a model generated, where the two disagree."""

from __future__ import annotations

import time

from edgewright.edge_runtime.execution.invocation import Call
from edgewright.edge_runtime.node import Node
from edgewright.tools.contracts.invocation import InvokeResponse
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.models.expert import Expert
from edgewright.tools.vision.answering.claims import CLAIM

#: The expert that checks what a generating one says.
_WITNESSES = {
    "blip-captioner": "evidence-captioner",
    "blip-question-answerer": "evidence-question-answerer",
}


async def with_evidence(node: Node, call: Call, response: InvokeResponse) -> InvokeResponse:
    """Return a response with the evidence against what a model generated, if there is any.

    The model's answer stays the answer. Without detectors on this node, or if they cannot answer,
    the response is returned as it is.

    Args:
        node: This node.
        call: The call.
        response: Its response.
    """
    witness = _witness(node, call)
    text = str(response.output.get("text", ""))
    if witness is None or not text or "evidence" in response.output:
        return response
    began = time.perf_counter()
    try:
        witness.check(call.args)
        header, _ = await node.workers.call(
            witness.model,
            "whole",
            {"expert": witness.id, "args": {**call.args, CLAIM: text}},
            call.image,
            caller=call.caller,
            deadline=call.deadline,
        )
    except EdgewrightError:  # the evidence is an extra
        return response
    seen = dict(header["output"])
    disputes = seen.pop("disputes", "")
    if not disputes:
        return response
    output = {**response.output, "text": f"{text} ({disputes})", "evidence": seen}
    report = response.report
    if report is not None:
        stages_ms = {**report.stages_ms, "evidence": (time.perf_counter() - began) * 1000}
        report = report.model_copy(update={"stages_ms": stages_ms})
    return response.model_copy(update={"output": output, "report": report})


def _witness(node: Node, call: Call) -> Expert | None:
    name = _WITNESSES.get(call.expert.id)
    return next((each for each in node.experts_for(call.card) if each.id == name), None)
