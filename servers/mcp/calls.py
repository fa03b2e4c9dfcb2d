"""Calls of tools: cards, ``ask`` and ``plan``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent

from edgewright.edge_runtime.keys import Caller
from edgewright.graphs.assistant.events import Event
from edgewright.graphs.assistant.messages import Attachment, store_attachments
from edgewright.graphs.assistant.planning import plan_request
from edgewright.graphs.services.inputs import inputs_of
from edgewright.servers.front import Front
from edgewright.servers.mcp.progress import Progress
from edgewright.servers.mcp.resources import image_uri
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.errors import EdgewrightError, InputError, from_info
from edgewright.tools.images.files import resolve_image

Json = dict[str, Any]

_DEADLINE_S = 120.0


async def call_card(
    front: Front, name: str, arguments: Mapping[str, Any], *, local: bool
) -> CallToolResult:
    """Carry out a card.

    Args:
        front: The front.
        name: Id of the card.
        arguments: Its arguments, which match its schema.
        local: Whether an image may be the path of a file.

    Raises:
        EdgewrightError: The card was refused or failed.
    """
    services = front.session.services
    card = services.cards.get(name)
    images = [key for key, spec in card.arguments.items() if spec.type == "image"]
    given = {key: str(value) for key, value in arguments.items()}
    links: list[ImageRef] = []
    for key in images:
        if key in given:
            image = await take_image(front, given[key], local=local)
            given[key] = image.uri
            links.append(image)
    inputs = inputs_of(card, given, services.images, deadline_s=_DEADLINE_S)
    response = await services.node.invoke(card.id, inputs.options, await inputs.data())
    if response.error is not None:
        raise from_info(response.error)
    text = str(response.output.get("text", ""))
    values = {
        "text": text,
        "output": response.output,
        "report": response.report.model_dump(mode="json") if response.report else None,
    }
    return success(text, values, links)


async def call_ask(
    front: Front,
    arguments: Mapping[str, Any],
    progress: Progress,
    *,
    caller: Caller,
    local: bool,
) -> CallToolResult:
    """Ask the session; a task that failed is part of the answer.

    Args:
        front: The front.
        arguments: ``request`` and ``images``.
        progress: Told of each step.
        caller: Who asks.
        local: Whether an image may be the path of a file.

    Raises:
        EdgewrightError: The request cannot be answered.
    """
    images = [await take_image(front, each, local=local) for each in arguments.get("images", ())]

    def on_event(event: Event) -> None:
        progress.report(event.event.replace("_", " "))

    reply = await front.ask(arguments["request"], caller=caller, images=images, on_event=on_event)
    return success(reply.answer, {"status": reply.status, **reply.as_json()}, images)


async def call_plan(front: Front, arguments: Mapping[str, Any], *, local: bool) -> CallToolResult:
    """Return the plan of a request, and run nothing.

    Args:
        front: The front.
        arguments: ``request`` and ``images``.
        local: Whether an image may be the path of a file.

    Raises:
        EdgewrightError: The request cannot be planned.
    """
    services = front.session.services
    images = [await take_image(front, each, local=local) for each in arguments.get("images", ())]
    request = await plan_request(services, arguments["request"], images=images)
    plan = (await asyncio.to_thread(services.planner.plan, request)).as_json()
    return success(json.dumps(plan, ensure_ascii=False), plan, images)


async def take_image(front: Front, value: str, *, local: bool) -> ImageRef:
    """Return a reference to an image of a call, storing it first if the call holds it.

    Raises:
        InputError: It is not an image, or named in no known way.
    """
    store = front.session.services.images
    if value.startswith("store:"):
        return ImageRef(uri=_checked(value), sha256=value.removeprefix("store:"))
    if value.startswith("camera:") or (local and _is_file(value)):
        return await asyncio.to_thread(resolve_image, value, store)
    (image,) = await store_attachments([Attachment(encoded=value)], store)
    return image


def success(text: str, values: Json, images: list[ImageRef]) -> CallToolResult:
    """Return the result of a call, with links to the images that it is about."""
    content: list[ContentBlock] = [TextContent(text=text)]
    content += [
        ResourceLink(name=image.name or "image", uri=image_uri(image.sha256), mime_type=image.mime)
        for image in images
        if image.sha256
    ]
    return CallToolResult(content=content, structured_content=values)


def failure(error: EdgewrightError) -> CallToolResult:
    """Return the result of a call that failed, with the error's code."""
    info = error.info()
    return CallToolResult(
        content=[TextContent(text=f"{info.message} [{info.code}]")],
        structured_content={"error": info.model_dump(mode="json")},
        is_error=True,
    )


def _checked(uri: str) -> str:
    digest = uri.removeprefix("store:")
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise InputError(
            "an image in the store is named 'store:' and 64 hexadecimal digits",
            code="image_unknown",
        )
    return uri


def _is_file(value: str) -> bool:
    try:
        return len(value) < 4096 and Path(value).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):
        return False
