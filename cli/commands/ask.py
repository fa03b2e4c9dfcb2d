"""``edgewright ask``: one request, one answer."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.views.output import (
    Embedded,
    Images,
    Json,
    NodeUrl,
    progress_console,
    reported_errors,
)
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright.cli.views.progress import TurnView
    from edgewright.graphs.assistant.session import Reply, Session
    from edgewright.tools.contracts.images import ImageRef
    from edgewright.tools.settings import Settings

Thread = Annotated[
    str | None,
    typer.Option("--thread", metavar="NAME", help="Continue the thread of this name, or start it."),
]
Deadline = Annotated[
    float,
    typer.Option(
        "--deadline", metavar="SECONDS", min=0.1, max=600, help="Maximum time for each task."
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Show the plan, the expected cost of each way to run a task, and what each step cost.",
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(
        "--save",
        metavar="FILE",
        help="Save a picture (.png, .jpg, .webp) that shows what was seen, with the answer.",
    ),
]

EXAMPLES = """\
Examples:

edgewright ask "what is in this picture?" --image cat.png

edgewright ask "is there a cat?" -i camera:garden.jpg --node URL --explain

edgewright ask "describe both" -i cat.png -i dog.png --json

edgewright ask "detect the pose" -i dancer.jpg --save pose.png
"""


def ask(
    request: Annotated[
        str, typer.Argument(metavar="REQUEST", help="The request, in plain language.")
    ],
    image: Images = None,
    node: NodeUrl = None,
    thread: Thread = None,
    deadline: Deadline = 30.0,
    embedded: Embedded = False,
    explain: Explain = False,
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Answer a request, and show what it cost.

    The answer goes to standard output, progress and cost to standard error.
    A task that fails or is refused says so in the answer; the exit code is
    0 all the same.
    """
    with reported_errors(as_json):
        import asyncio

        from edgewright.cli.requests import resolve_images
        from edgewright.cli.views.evidence import check_picture_path
        from edgewright.cli.views.progress import TurnView
        from edgewright.tools.settings import Settings
        from edgewright.tools.storage.reading import typed

        if save is not None:
            check_picture_path(save)
        images = resolve_images(image or [])
        settings = Settings.from_environment(node_url=node, embedded=embedded)
        view = TurnView(progress_console(), explain=explain and not as_json)
        asked = _ask(typed(request), images, thread, settings, deadline, view, save)
        reply, wall_s = asyncio.run(asked)
        if as_json:
            print_json(reply.as_json())
        else:
            how_to_save = "" if save is not None else "--save FILE.png"
            print_reply(reply, wall_s, view, how_to_save=how_to_save)


async def _ask(
    request: str,
    images: Sequence[ImageRef],
    thread: str | None,
    settings: Settings,
    deadline_s: float,
    view: TurnView,
    save: Path | None,
) -> tuple[Reply, float]:
    from edgewright.cli.lazy import defer_unused_packages
    from edgewright.cli.views.evidence import save_picture
    from edgewright.graphs.services.private_node import PrivateNode

    defer_unused_packages()
    with view.during("starting" if settings.node_url else "starting a private node"):
        async with AsyncExitStack() as stack:
            private = None
            if not settings.node_url:
                private = await stack.enter_async_context(PrivateNode())
                private.start()  # while this process imports the graph and loads the planner
            from edgewright.graphs.assistant.context import AssistantContext
            from edgewright.graphs.assistant.session import open_session
            from edgewright.graphs.services.services import open_services

            opening = open_services(settings, node=private, on_progress=view.preparing)
            services = await stack.enter_async_context(opening)
            context = AssistantContext(deadline_s=deadline_s, services=services)
            session = await stack.enter_async_context(open_session(context, thread=thread))
            answer = await answered(session, request, images, view)
            if save is not None:
                view.console.print(
                    save_picture(answer[0], services.images, save), style="dim", markup=False
                )
            return answer


async def answered(
    session: Session, request: str, images: Sequence[ImageRef], view: TurnView
) -> tuple[Reply, float]:
    """Have a request answered.

    Args:
        session: The session.
        request: The request.
        images: The images that go with it.
        view: Follows the turn.

    Returns:
        The reply and the seconds that it took, loading the planner not included.
    """
    import asyncio

    from edgewright.agents.planner.request import PlanRequest

    view.name(images)
    if not session.services.chat.configured:
        view.update("loading the planner")
        # Any request loads it, even an empty one.
        await asyncio.to_thread(session.services.planner.plan, PlanRequest(text=""))
    started = time.perf_counter()
    reply = await session.ask(request, images=images, on_event=view)
    return reply, time.perf_counter() - started


def print_reply(reply: Reply, wall_s: float, view: TurnView, *, how_to_save: str = "") -> None:
    """Write an answer on standard output, and below it what it cost on standard error.

    Args:
        reply: The reply.
        wall_s: How long it took.
        view: The view that followed it.
        how_to_save: What to type to keep a picture that was made; empty if it is kept.
    """
    from rich.text import Text

    from edgewright.cli.views.cost import cost_line
    from edgewright.cli.views.results import cost_table

    say(reply.answer)
    if how_to_save and any("image" in result.output for result in reply.results):
        view.console.print(f"{how_to_save} keeps the picture", style="dim", markup=False)
    if view.explain and reply.results:
        view.console.print(cost_table(reply.results))
    line = Text(cost_line(reply.results, reply.decisions, wall_s), style="dim")
    view.console.print(line, soft_wrap=True)
