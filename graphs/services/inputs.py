"""From a card's arguments to what a node is sent: options, and the picture beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pydantic import ValidationError

from edgewright.tools.cards import ToolCard
from edgewright.tools.contracts.images import ImageRef
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.errors import InputError
from edgewright.tools.images.store import ImageStore


async def prepare(
    card: ToolCard, args: Mapping[str, str], images: ImageStore, *, deadline_s: float
) -> tuple[InvokeOptions, bytes | None]:
    """Split arguments into the options of a call and the picture that travels beside them.

    Args:
        card: The card that is called.
        args: Its arguments; a picture as ``store:<sha256>`` or ``camera:<name>``.
        images: Where stored pictures lie.
        deadline_s: Longest time for the call.

    Returns:
        Options and the picture's bytes, None when there is none or a camera holds it.

    Raises:
        InputError: An argument that should name a picture does not.
        NotFoundError: The picture is no longer in the store.
    """
    texts: dict[str, str] = {}
    camera: str | None = None
    image: bytes | None = None
    for name, value in args.items():
        if name not in card.arguments or card.arguments[name].type != "image":
            texts[name] = value
        elif value.startswith("camera:"):
            camera = value.removeprefix("camera:")
        else:
            image = await asyncio.to_thread(images.get, _stored(name, value))
    return InvokeOptions(args=texts, camera=camera, deadline_s=deadline_s), image


def _stored(name: str, uri: str) -> ImageRef:
    try:
        return ImageRef(uri=uri, sha256=uri.removeprefix("store:"))
    except ValidationError:
        raise InputError(
            f"{name!r} must name a picture as 'store:<sha256>' or 'camera:<name>'",
            code="image_unknown",
        ) from None
