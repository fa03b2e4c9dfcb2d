"""The picture that goes with an answer: what was seen, what was drawn, and the answer below."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.tools.errors import EdgewrightError, InputError

if TYPE_CHECKING:
    from PIL import Image

    from edgewright.agents.responder.result import TaskResult
    from edgewright.graphs.assistant.session import Reply
    from edgewright.tools.contracts.perceptions import Perceptions
    from edgewright.tools.images.store import ImageStore

#: Types of pictures by the end of the file's name.
_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def check_picture_path(path: Path) -> None:
    """Check where a picture is to be saved, before any work is done.

    Raises:
        InputError: The name has another ending (``unsupported_picture``), or the folder is missing
            (``folder_missing``).
    """
    if path.suffix.lower() not in _KINDS:
        raise InputError(
            f"a picture cannot be saved as {path.name!r}; end its name in {', '.join(_KINDS)}",
            code="unsupported_picture",
        )
    if not path.absolute().parent.is_dir():
        raise InputError(
            f"the folder of {str(path)!r} does not exist; create it, or name another one",
            code="folder_missing",
        )


def save_picture(reply: Reply, images: ImageStore, path: Path) -> str:
    """Save the picture of an answer.

    Args:
        reply: The reply.
        images: The store with the images that it is about.
        path: File to write; it has passed ``check_picture_path``.

    Returns:
        What was done, or why nothing was, for the person.

    Raises:
        StorageError: The file cannot be written.
    """
    from edgewright.tools.storage.atomic import write_file
    from edgewright.tools.vision.drawing.canvas import captioned, side_by_side

    panels = _panels(reply, images)
    if not panels:
        return "no picture was saved: the answer is about no image that this machine holds"
    picture = captioned(side_by_side(panels), reply.answer)
    buffer = io.BytesIO()
    picture.save(buffer, _KINDS[path.suffix.lower()], quality=92)
    try:
        write_file(path, buffer.getvalue())
    except OSError as error:
        raise InputError(
            f"the picture cannot be saved as {str(path)!r}: {error.strerror}", code="not_writable"
        ) from None
    return f"saved {path} ({picture.width}x{picture.height})"


def _panels(reply: Reply, images: ImageStore) -> list[Image.Image]:
    """Return each image with what was seen in it, each that was made, and plots of sensors."""
    from edgewright.cli.views.plots import sensing_panel
    from edgewright.tools.vision.drawing.evidence import evidence_picture

    results = {result.task_id: result for result in reply.results}
    seen: dict[str, Perceptions | None] = {}
    made: list[str] = []
    for task in reply.plan.tasks:
        result = results.get(task.id)
        for uri in task.args.values():
            if uri.startswith("store:"):
                seen[uri] = _together(seen.get(uri), result)
        if result is not None and str(result.output.get("image", "")).startswith("store:"):
            made.append(str(result.output["image"]))
    panels = []
    for uri, perceptions in seen.items():
        if (image := _image(uri, images)) is not None:
            panels.append(evidence_picture(image, perceptions or _nothing(image)))
    panels += [image for uri in made if (image := _image(uri, images)) is not None]
    return panels + [panel for one in reply.results if (panel := sensing_panel(one)) is not None]


def _image(uri: str, images: ImageStore) -> Image.Image | None:
    from edgewright.tools.contracts.images import ImageRef
    from edgewright.tools.images.decode import decode

    try:
        return decode(images.get(ImageRef(uri=uri, sha256=uri.removeprefix("store:"))))
    except EdgewrightError:  # it has been removed from the store in the meantime
        return None


def _together(known: Perceptions | None, result: TaskResult | None) -> Perceptions | None:
    """Return what several results say of one image."""
    from edgewright.tools.contracts.perceptions import Perceptions

    found: Any = None if result is None else result.output.get("perceptions")
    if found is None:
        return known
    perceptions = Perceptions.model_validate(found)
    return perceptions if known is None else known.united(perceptions)


def _nothing(image: Image.Image) -> Perceptions:
    from edgewright.tools.contracts.perceptions import Perceptions

    return Perceptions(width=image.width, height=image.height)
