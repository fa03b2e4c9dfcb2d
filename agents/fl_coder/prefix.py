"""The coder's prompts: slots, data card, and past attempts with their code and curves.

They are short enough for a small local model. The words of people and text from inside the sandbox
enter them as JSON strings, so nothing in them can pass for an instruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgewright.agents.fl_coder.protocol import Attempt, TrainingProblem, best_attempt
from edgewright.agents.llm.prompts import fill_prompt, to_json
from edgewright.agents.llm.schema_outline import outline
from edgewright.tools.federated.records.data_card import DataCard
from edgewright.tools.federated.records.trial import CurvePoint
from edgewright.tools.federated.template.syntax import MODULES
from edgewright.tools.sandbox.faults import Fault

#: Maximum number of attempts, always including the best one, and of points per curve.
ATTEMPTS = 4
POINTS = 12
#: Maximum length of a person's text or of a fault's message, in characters.
MAX_QUOTED = 2000
#: Maximum number of clients that are listed one by one.
CLIENTS = 12


def prefix(problem: TrainingProblem, schema: dict[str, Any]) -> str:
    """Return the system message.

    Args:
        problem: The training problem.
        schema: JSON schema of the answer.
    """
    return prompt(
        "prefix",
        modules=", ".join(MODULES),
        card=to_json(_card(problem.card)),
        schema=outline(schema),
    )


def request_message(problem: TrainingProblem, attempts: Sequence[Attempt]) -> str:
    """Return the user message: the purpose, remarks and past attempts.

    Args:
        problem: The training problem.
        attempts: All attempts so far, oldest first.
    """
    return prompt(
        "request",
        purpose=to_json(problem.purpose[:MAX_QUOTED]),
        remarks=to_json([remark[:MAX_QUOTED] for remark in problem.remarks]),
        attempts="\n".join(to_json(_attempt(each)) for each in _selected(attempts)) or "none",
    )


def prompt(name: str, **values: str) -> str:
    """Fill in one of the coder's prompt files."""
    return fill_prompt("edgewright.agents.fl_coder", name, **values)


def _card(card: DataCard) -> dict[str, Any]:
    """Return a data card with a row for each client: its samples, and those of each class."""
    rows = [
        [client.samples, list(client.histogram), *([client.attribute] if client.attribute else [])]
        for client in card.clients
    ]
    listed = {"clients": len(rows), "samples_and_histogram_of_clients": rows[:CLIENTS]}
    return card.model_dump(mode="json", exclude={"clients"}) | listed


def _selected(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Return the latest attempts; the best one replaces the oldest if it is not among them."""
    latest = list(attempts[-ATTEMPTS:])
    best = best_attempt(attempts)
    return latest if best is None or best in latest else [best, *latest[1:]]


def _attempt(attempt: Attempt) -> dict[str, Any]:
    content: dict[str, Any] = {"candidate": attempt.proposal.candidate.model_dump(mode="json")}
    if attempt.result is not None:
        content["status"] = attempt.result.status
        content["curve"] = [_point(point) for point in _thinned(attempt.result.curve)]
        if attempt.result.facts is not None:
            content["model"] = attempt.result.facts.model_dump(mode="json")
    if attempt.complaints:
        content["faults"] = [_fault(fault) for fault in attempt.complaints]
    return content


def _thinned(curve: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Return evenly spaced points of a curve, including the first and the last."""
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
