"""The prefix: sensors, solvable tasks, demonstrations and history, as a chat model reads them.

Cards, answers and requests come from other people. They enter the prompt as JSON strings, so
nothing in them can look like a part of the instructions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from edgewright.agents.llm.prompts import fill_prompt, to_json
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.tools.cards import ToolCard
from edgewright.tools.contracts.images import ImageRef

#: Demonstrations of one card that are shown, and earlier turns that are told.
DEMONSTRATIONS_PER_CARD = 3
TURNS = 6
#: Longest card text, answer or earlier request that is told, in characters.
MAX_QUOTED = 500


def prefix(cards: Sequence[ToolCard], sensors: Iterable[str], schema: dict[str, Any]) -> str:
    """Return the system message.

    Args:
        cards: The tools.
        sensors: Kinds of sensor at hand; none means not known.
        schema: JSON schema of the answer.
    """
    known = sorted(set(sensors) or {sensor for card in cards for sensor in card.sensors})
    return prompt(
        "prefix",
        sensors=to_json(known),
        cards="\n".join(to_json(_described(card)) for card in cards),
        demonstrations="\n".join(
            to_json({"request": shown.request, "tool": card.id, "args": shown.args})
            for card in cards
            for shown in card.demonstrations[:DEMONSTRATIONS_PER_CARD]
        ),
        schema=to_json(schema),
    )


def request_message(request: PlanRequest, pictures: dict[str, ImageRef]) -> str:
    """Return the user's message: history, pictures and the request itself.

    Args:
        request: What is to be planned.
        pictures: Pictures the request may speak of, by the names the model is to use.
    """
    return prompt(
        "request",
        history="\n".join(to_json(_told(turn)) for turn in request.history[-TURNS:]) or "none",
        images="\n".join(
            to_json({"name": name, "file": picture.name}) for name, picture in pictures.items()
        )
        or "none",
        request=to_json(request.text),
    )


def prompt(name: str, **values: str) -> str:
    """Fill in one of the prompt files beside this module."""
    return fill_prompt("edgewright.agents.planner", name, **values)


def _described(card: ToolCard) -> dict[str, Any]:
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


def _told(turn: Turn) -> dict[str, Any]:
    return {
        "request": turn.request[:MAX_QUOTED],
        "pictures": [picture.name for picture in turn.images],
        "tools": turn.plan_tools,
        "answer": turn.answer[:MAX_QUOTED],
    }
