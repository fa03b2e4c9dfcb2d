"""What a chat model reads: the slots, the data card, and past trials with their code and curves.

Words of people and text from inside the sandbox enter as JSON strings, so that nothing in them can
look like a part of the instructions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgewright.agents.fl_coder.protocol import Attempt, TrainingProblem, best_attempt
from edgewright.agents.llm.prompts import fill_prompt, to_json
from edgewright.tools.federated.records.candidate import Candidate
from edgewright.tools.federated.records.trial import CurvePoint
from edgewright.tools.federated.template.syntax import MODULES
from edgewright.tools.sandbox.faults import Fault

#: Attempts and curve points that are told; the best attempt is always among them.
ATTEMPTS = 4
POINTS = 12
#: Longest text of a person or of a fault that is told, in characters.
MAX_QUOTED = 2000

_STRATEGIES = Candidate.model_json_schema()["$defs"]


def prefix(problem: TrainingProblem, schema: dict[str, Any]) -> str:
    """Return the system message.

    Args:
        problem: What is to be solved.
        schema: JSON schema of the answer.
    """
    return prompt(
        "prefix",
        modules=", ".join(MODULES),
        strategies=to_json(_strategies()),
        card=to_json(problem.card.model_dump(mode="json")),
        schema=to_json(schema),
    )


def request_message(problem: TrainingProblem, attempts: Sequence[Attempt]) -> str:
    """Return the user's message: the purpose, remarks and past attempts.

    Args:
        problem: What is to be solved.
        attempts: All attempts so far, oldest first.
    """
    return prompt(
        "request",
        purpose=to_json(problem.purpose[:MAX_QUOTED]),
        remarks=to_json([remark[:MAX_QUOTED] for remark in problem.remarks]),
        attempts="\n".join(to_json(_told(attempt)) for attempt in _chosen(attempts)) or "none",
    )


def prompt(name: str, **values: str) -> str:
    """Fill in one of the prompt files beside this module."""
    return fill_prompt("edgewright.agents.fl_coder", name, **values)


def _strategies() -> dict[str, list[str]]:
    """List every strategy with its settings, as the candidate's own schema has them."""
    return {
        found["properties"]["name"]["const"]: sorted(set(found["properties"]) - {"name"})
        for title, found in _STRATEGIES.items()
        if title not in ("NoCompression", "Int8", "TopK")
    }


def _chosen(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the best attempt and the latest ones, in their order."""
    latest = list(attempts[-ATTEMPTS:])
    best = best_attempt(attempts)
    return latest if best is None or best in latest else [best, *latest[1:]]


def _told(attempt: Attempt) -> dict[str, Any]:
    told: dict[str, Any] = {"candidate": attempt.proposal.candidate.model_dump(mode="json")}
    if attempt.result is not None:
        told["status"] = attempt.result.status
        told["curve"] = [_point(point) for point in _thinned(attempt.result.curve)]
        if attempt.result.facts is not None:
            told["model"] = attempt.result.facts.model_dump(mode="json")
    if attempt.complaints:
        told["faults"] = [_fault(fault) for fault in attempt.complaints]
    return told


def _thinned(curve: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Return evenly spread points of a curve, the first and the last among them."""
    if len(curve) <= POINTS:
        return list(curve)
    step = (len(curve) - 1) / (POINTS - 1)
    return [curve[round(index * step)] for index in range(POINTS)]


def _point(point: CurvePoint) -> dict[str, Any]:
    return {
        "round": point.round_number,
        "train_loss": _rounded(point.train_loss),
        "train_accuracy": _rounded(point.train_accuracy),
        "validation_loss": round(point.validation.loss, 4),
        "validation_accuracy": round(point.validation.accuracy, 4),
        "worst_client": round(point.validation.worst_client, 4),
        "bytes": point.bytes_up + point.bytes_down,
        "simulated_s": round(point.simulated_s, 1),
        "dropped": len(point.dropped),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _fault(fault: Fault) -> dict[str, Any]:
    return fault.model_copy(update={"message": fault.message[:MAX_QUOTED]}).model_dump(mode="json")
