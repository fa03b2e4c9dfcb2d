"""The tools as clients see them: one for each card, and ``ask``, ``plan`` and ``train``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema
from mcp_types import Tool, ToolAnnotations

from edgewright.graphs.assistant.messages import MAX_IMAGES, MAX_REQUEST_CHARACTERS
from edgewright.servers.front import Front
from edgewright.tools.cards.registry import TRAINING_CARD
from edgewright.tools.contracts.cards import ToolCard
from edgewright.tools.errors import InputError
from edgewright.tools.images.files import MAX_FILE_BYTES

Json = dict[str, Any]

ASK, PLAN, TRAIN = "ask", "plan", "train"
#: Ways to name an image.
_IMAGE = "store:<sha256>, camera:<name>, a data: URI or base64"
_READ_ONLY = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_TRAINS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)

_RESULT: Json = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "The result in words."},
        "output": {"type": "object", "description": "What the expert found."},
        "report": {"type": ["object", "null"], "description": "What it cost, and where it ran."},
    },
    "required": ["text", "output", "report"],
}
_REPLY: Json = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "status": {"type": "string"},
        "plan": {"type": "object"},
        "results": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["answer", "status", "plan", "results"],
}


async def list_tools(front: Front, *, local: bool) -> list[Tool]:
    """List the tools: cards that can be carried out now, and the three of the suite.

    Args:
        front: The front.
        local: Whether callers are on this machine, so that they may name files.

    Raises:
        EdgewrightError: The node cannot be reached.
    """
    services = front.session.services
    await services.refresh()
    runnable = {view.id for view in await services.node.tools() if view.available}
    cards = [
        _card_tool(card, local=local)
        for card in services.cards
        if card.id in runnable and card.id != TRAINING_CARD
    ]
    return [*cards, *_own_tools(local=local)]


def check_arguments(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """Check the arguments of a call against the tool's schema.

    Raises:
        InputError: They do not match it (``invalid_arguments``).
    """
    validator = jsonschema.Draft202012Validator(tool.input_schema)
    fault = next(iter(validator.iter_errors(dict(arguments))), None)
    if fault is not None:
        where = ".".join(str(part) for part in fault.absolute_path)
        reason = fault.message if len(fault.message) < 300 else f"does not match {fault.validator}"
        raise InputError(
            f"{where or 'arguments'}: {reason}; correct the call", code="invalid_arguments"
        )


def _card_tool(card: ToolCard, *, local: bool) -> Tool:
    schema = card.json_schema()
    for name, spec in card.arguments.items():
        if spec.type == "image":
            described = f"{spec.description} Given as {_image_forms(local=local)}."
            schema["properties"][name] = _image(described)
    return Tool(
        name=card.id,
        title=card.title,
        description=card.description,
        input_schema=schema,
        output_schema=_RESULT,
        annotations=_READ_ONLY,
    )


def _own_tools(*, local: bool) -> list[Tool]:
    request: Json = {
        "type": "object",
        "properties": {
            "request": {
                "type": "string",
                "description": "The request, in plain language.",
                "minLength": 1,
                "maxLength": MAX_REQUEST_CHARACTERS,
            },
            "images": {
                "type": "array",
                "description": "Images that the request is about.",
                "items": _image(f"An image, given as {_image_forms(local=local)}."),
                "maxItems": MAX_IMAGES,
            },
        },
        "required": ["request"],
        "additionalProperties": False,
    }
    training: Json = {
        "type": "object",
        "properties": {
            "purpose": {
                "type": "string",
                "description": "What the model is for, and what constrains its training.",
                "minLength": 1,
                "maxLength": MAX_REQUEST_CHARACTERS,
            },
            "data": {
                "type": "string",
                "description": "The data: a named set, a folder of class folders, or an .npz file "
                "on the server. Without it, the data that the purpose names.",
                "maxLength": 1000,
            },
            "clients": {"type": "integer", "minimum": 1, "maximum": 1000},
            "trials": {"type": "integer", "minimum": 1, "maximum": 100, "default": 4},
            "approve": {
                "enum": ["ask", "auto"],
                "description": "Whether a person approves each proposal first.",
                "default": "ask",
            },
        },
        "required": ["purpose"],
        "additionalProperties": False,
    }
    return [
        Tool(
            name=ASK,
            title="Ask",
            description="Plans a request over all tools, carries it out where that is cheapest, "
            "and answers from the results alone.",
            input_schema=request,
            output_schema=_REPLY,
            annotations=_READ_ONLY,
        ),
        Tool(
            name=PLAN,
            title="Plan",
            description="Returns the plan that 'ask' would carry out, without running anything.",
            input_schema=request,
            output_schema={"type": "object"},
            annotations=ToolAnnotations(
                read_only_hint=True, idempotent_hint=True, open_world_hint=False
            ),
        ),
        Tool(
            name=TRAIN,
            title="Train",
            description="Trains a classifier by federated learning and adds it as a tool. Takes "
            "minutes; reports progress, and asks for approval of each proposal.",
            input_schema=training,
            output_schema={"type": "object"},
            annotations=_TRAINS,
        ),
    ]


def _image(description: str) -> Json:
    # Base64 is a third longer than the bytes.
    return {"type": "string", "description": description, "maxLength": 2 * MAX_FILE_BYTES}


def _image_forms(*, local: bool) -> str:
    return f"{_IMAGE}, or the path of a file" if local else _IMAGE
