"""``edgewright ask``: one request, one answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.views.output import (
    Images,
    Json,
    NodeUrl,
    print_json,
    progress_console,
    reported_errors,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgewright.graphs.assistant.context import AssistantContext
    from edgewright.graphs.assistant.events import Event
    from edgewright.graphs.assistant.session import Reply
    from edgewright.tools.contracts.images import ImageRef

Thread = Annotated[
    str | None,
    typer.Option(
        "--thread", metavar="NAME", help="Go on with a thread, or begin one of that name."
    ),
]
Deadline = Annotated[
    float, typer.Option("--deadline", metavar="SECONDS", min=0.1, max=600, help="For each task.")
]
Embedded = Annotated[
    bool, typer.Option("--embedded", help="Do without the chat model, even if one is configured.")
]


EXAMPLES = """\
Examples:

edgewright ask "what is in this picture?" --image cat.png

edgewright ask "is there a cat?" -i camera:garden.jpg --node URL --json
"""


def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is wanted.")],
    image: Images = None,
    node: NodeUrl = None,
    thread: Thread = None,
    deadline: Deadline = 30.0,
    embedded: Embedded = False,
    as_json: Json = False,
) -> None:
    """Have a request planned, run and answered.

    The answer goes to standard output, progress and bill to standard error.
    A task that could not be done is told in the answer, with exit code 0.
    """
    with reported_errors(as_json):
        from edgewright.graphs.assistant.context import AssistantContext
        from edgewright.graphs.services.services import image_store
        from edgewright.tools.images.files import resolve_image

        images = [resolve_image(where, image_store()) for where in image or []]
        context = AssistantContext(
            node_url=node, planner="embedded" if embedded else "auto", deadline_s=deadline
        )
        if as_json:
            reply = asyncio.run(_ask(context, thread, text, images))
            print_json(reply.as_json())
            return
        from edgewright.cli.views.progress import progress
        from edgewright.cli.views.results import cost_table

        console = progress_console()
        with progress(console, images) as view:
            reply = asyncio.run(_ask(context, thread, text, images, view))
        if reply.results:
            console.print(cost_table(reply.results))
        typer.echo(reply.answer)


async def _ask(
    context: AssistantContext,
    thread: str | None,
    text: str,
    images: Sequence[ImageRef],
    on_event: Callable[[Event], None] = lambda _: None,
) -> Reply:
    from edgewright.graphs.assistant.session import open_session

    async with open_session(context, thread=thread) as session:
        return await session.ask(text, images=images, on_event=on_event)
