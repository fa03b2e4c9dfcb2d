"""Approval by a person: question and answer, in the accept / edit / respond / ignore schema."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from edgewright.agents.fl_coder.protocol import Proposal
from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.candidate import SIGNATURES, Candidate
from edgewright.tools.federated.records.trial import ModelFacts

#: Name of the action to approve.
ACTION = "train"


class ApprovalAnswer(BaseModel):
    """A person's decision on a proposal.

    Attributes:
        type: ``accept`` it unchanged; ``edit`` it and train the result; ``response`` to the coder;
            ``ignore`` it and end the run.
        candidate: The edited candidate; None for any other decision.
        words: The response; empty for any other decision.
    """

    model_config = ConfigDict(frozen=True)

    type: Literal["accept", "edit", "response", "ignore"]
    candidate: Candidate | None = None
    words: str = ""


def ask(proposal: Proposal, facts: ModelFacts | None) -> dict[str, Any]:
    """Return the interrupt that asks for approval.

    Args:
        proposal: The proposal to approve.
        facts: Size and cost of its model, if known.
    """
    return {
        "action_request": {
            "action": ACTION,
            "args": proposal.candidate.model_dump(mode="json"),
        },
        "config": {
            "allow_accept": True,
            "allow_edit": True,
            "allow_respond": True,
            "allow_ignore": True,
        },
        "description": describe(proposal, facts),
    }


def read(resumed: Any) -> ApprovalAnswer:
    """Read a person's answer.

    Args:
        resumed: A list with one answer, ``{"type": …, "args": …}``.

    Raises:
        InputError: It is not an answer of that form (``answer_invalid``).
    """
    try:
        answer = resumed[0] if isinstance(resumed, list) else resumed
        kind, args = answer["type"], answer.get("args")
        if kind == "edit":
            return ApprovalAnswer(type=kind, candidate=Candidate.model_validate(args["args"]))
        if kind == "response":
            return ApprovalAnswer(type=kind, words=str(args))
        return ApprovalAnswer(type=kind)
    except (ValidationError, KeyError, TypeError, AttributeError, IndexError):
        raise InputError(
            "the answer must be one of accept, edit, response and ignore, and an edit must contain "
            "a complete candidate",
            code="answer_invalid",
        ) from None


def describe(proposal: Proposal, facts: ModelFacts | None) -> str:
    """Describe a proposal for a person: which words led to which choice, values and code."""
    candidate = proposal.candidate
    lines = [candidate.rationale, ""]
    if proposal.note:
        lines += [proposal.note, ""]
    if proposal.questions:
        lines += [*(f"? {question}" for question in proposal.questions), ""]
    for choice in proposal.choices:
        because = f"“{choice.words}”: " if choice.words else ""
        lines.append(f"- {because}{choice.choice} ({choice.reason})")
    values = candidate.model_dump(mode="json", exclude={*SIGNATURES, "rationale"})
    lines += ["", *(f"- {name}: {value}" for name, value in values.items())]
    if facts:
        lines.append(f"- weights: {facts.parameters}, {facts.weight_bytes} bytes on the link")
    for slot in SIGNATURES:
        lines += ["", f"{slot}:", "```python", candidate.code(slot).rstrip(), "```"]
    return "\n".join(lines)
