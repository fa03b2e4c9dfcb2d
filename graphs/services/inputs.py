"""From a card's arguments to a node call: options, and the image that is sent with them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from edgewright.tools.cards import ToolCard
from edgewright.tools.contracts.images import ImageFacts, ImageRef
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.errors import InputError
from edgewright.tools.images.encoded import from_base64
from edgewright.tools.images.store import ImageStore


@dataclass(frozen=True, kw_only=True)
class CallInputs:
    """The inputs of one call to a card.

    Attributes:
        options: Arguments, camera and deadline.
        image: The stored image; None when there is none or a camera holds it.
        store: The store that holds the image.
    """

    options: InvokeOptions
    image: ImageRef | None
    store: ImageStore

    async def facts(self) -> ImageFacts | None:
        """Return the stored image's type and size; None when there is none.

        Raises:
            NotFoundError: The image is no longer in the store.
        """
        return await asyncio.to_thread(self.store.facts, self.image) if self.image else None

    async def data(self) -> bytes | None:
        """Return the stored image's bytes; None when there is none.

        Raises:
            NotFoundError: The image is no longer in the store.
        """
        return await asyncio.to_thread(self.store.get, self.image) if self.image else None


def inputs_of(
    card: ToolCard, args: Mapping[str, str], store: ImageStore, *, deadline_s: float
) -> CallInputs:
    """Split a card's arguments into options and image.

    Args:
        card: The card to call.
        args: Its arguments; an image as ``store:<sha256>`` or ``camera:<name>``.
        store: The image store.
        deadline_s: Maximum time for the call.

    Raises:
        InputError: An argument that should name an image does not (``image_unknown``).
    """
    texts: dict[str, str] = {}
    camera: str | None = None
    image: ImageRef | None = None
    for name, value in args.items():
        if name not in card.arguments or card.arguments[name].type != "image":
            texts[name] = value
        elif value.startswith("camera:"):
            camera = value.removeprefix("camera:")
        else:
            image = _stored(name, value)
    options = InvokeOptions(args=texts, camera=camera, deadline_s=deadline_s)
    return CallInputs(options=options, image=image, store=store)


async def stored_images(output: dict[str, Any], store: ImageStore) -> dict[str, Any]:
    """Return an output whose image, if it has one, is in the store instead of the state.

    Args:
        output: The output; ``image_base64`` becomes ``image``, a reference.
        store: The image store.

    Raises:
        InputError: It is not an image.
        StorageError: The store cannot be written.
    """
    if "image_base64" not in output:
        return output
    data = from_base64(
        str(output["image_base64"]), "the image of a result", code="image_unreadable"
    )
    reference = await asyncio.to_thread(store.put, data)
    rest = {name: value for name, value in output.items() if name != "image_base64"}
    return {**rest, "image": reference.uri}


def _stored(name: str, uri: str) -> ImageRef:
    try:
        return ImageRef(uri=uri, sha256=uri.removeprefix("store:"))
    except ValidationError:
        raise InputError(
            f"{name!r} must name an image as 'store:<sha256>' or 'camera:<name>'",
            code="image_unknown",
        ) from None
