"""The planner's prompts: sensors, tools, demonstrations, history and the request.

Cards, answers and requests come from other people. They enter the prompt as JSON strings, so
nothing in them can pass for an instruction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from edgewright.agents.llm.prompts import fill_prompt, to_json
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.tools.cards import ToolCard
from edgewright.tools.contracts.images import ImageRef

#: Maximum number of demonstrations per card, and of earlier turns.
DEMONSTRATIONS_PER_CARD = 3
TURNS = 6
#: Maximum length of a card's description, an answer or an earlier request, in characters.
MAX_QUOTED = 500


def prefix(cards: Sequence[ToolCard], sensors: Iterable[str], schema: dict[str, Any]) -> str:
    """Return the system message.

    Args:
        cards: The tools.
        sensors: Available kinds of sensor; empty means unknown.
        schema: JSON schema of the answer.
    """
    possible = sorted(set(sensors) or {sensor for card in cards for sensor in card.sensors})
    return prompt(
        "prefix",
        sensors=to_json(possible),
        cards="\n".join(to_json(_tool(card)) for card in cards),
        demonstrations="\n".join(
            to_json({"request": shown.request, "tool": card.id, "args": shown.args})
            for card in cards
            for shown in card.demonstrations[:DEMONSTRATIONS_PER_CARD]
        ),
        schema=to_json(schema),
    )


def request_message(request: PlanRequest, images: dict[str, ImageRef]) -> str:
    """Return the user message: history, images and the request itself.

    Args:
        request: The request to plan.
        images: Images the request may refer to, by the name that the model uses for them.
    """
    return prompt(
        "request",
        history="\n".join(to_json(_turn(turn)) for turn in request.history[-TURNS:]) or "none",
        images="\n".join(
            to_json({"name": name, "file": image.name, "current": image in request.subject})
            for name, image in images.items()
        )
        or "none",
        request=to_json(request.text),
    )


def prompt(name: str, **values: str) -> str:
    """Fill in one of the planner's prompt files."""
    return fill_prompt("edgewright.agents.planner", name, **values)


def _tool(card: ToolCard) -> dict[str, Any]:
    return {
        "tool": card.id,
        "task": card.task_type,
        "description": card.description[:MAX_QUOTED],
        "inputs": card.inputs,
        "outputs": card.outputs,
        "args": {
            name: {"type": spec.type, "description": spec.description, "required": spec.required}
            for name, spec in card.arguments.items()
        },
        "sensors": card.sensors,
    }


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "request": turn.request[:MAX_QUOTED],
        "images": [image.name for image in turn.about or turn.images],
        "tools": list(turn.tools),
        "answer": turn.answer[:MAX_QUOTED],
    }
