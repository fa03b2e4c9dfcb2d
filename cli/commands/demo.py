"""``edgewright demo``: real photographs, a slowed device, a thin link, and every answer's cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.commands.ask import answered
from edgewright.cli.views.output import Json, progress_console, reported_errors
from edgewright.cli.views.safe import print_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from edgewright.cli.demo.config import DemoConfig
    from edgewright.cli.demo.network import Network
    from edgewright.cli.views.demo import Answered
    from edgewright.cli.views.progress import TurnView
    from edgewright.graphs.assistant.session import Session

Rate = Annotated[
    float | None,
    typer.Option("--rate", metavar="KB/S", min=1, max=1_000_000, help="Rate of the link."),
]
Slowdown = Annotated[
    float | None,
    typer.Option(
        "--slowdown", metavar="FACTOR", min=1, max=100, help="How much slower the device is."
    ),
]
OwnImages = Annotated[
    list[Path] | None,
    typer.Option("--image", "-i", metavar="FILE", help="Ask about your own image too. Repeatable."),
]
Record = Annotated[
    Path | None,
    typer.Option(metavar="FILE.svg", help="Also save the output as an image."),
]
InBrowser = Annotated[
    bool,
    typer.Option(
        "--console", help="Serve a web console over the network, instead of asking the requests."
    ),
]
Port = Annotated[
    int,
    typer.Option(metavar="PORT", min=0, max=65535, help="Port of the console; 0: any free one."),
]

EXAMPLES = """\
Examples:

edgewright demo

edgewright demo --console

edgewright demo --rate 20 --image my.jpg

edgewright demo --slowdown 1 --json
"""

_RECORD_WIDTH = 100


def demo(
    rate: Rate = None,
    slowdown: Slowdown = None,
    image: OwnImages = None,
    record: Record = None,
    console: InBrowser = False,
    port: Port = 8770,
    as_json: Json = False,
) -> None:
    """Start a device and an edge server, and answer requests about photographs.

    The device is slowed and the link between the two is limited, so that
    where a task runs is a real choice. Both nodes are stopped at the end,
    also on Ctrl-C.
    """
    with reported_errors(as_json):
        import asyncio

        from edgewright.cli.demo.config import load_demo
        from edgewright.cli.views.screen import Screen

        config = load_demo(rate, slowdown, image or [])
        width = _RECORD_WIDTH if record else None
        screen = Screen(stderr=as_json, highlight=False, width=width, record=record is not None)
        if console:
            asyncio.run(_serve(config, port, screen, as_json=as_json))
            return
        answers = asyncio.run(_run(config, screen))
        if record is not None:
            _save(screen, record)
        if as_json:
            print_json(
                [
                    {"request": text, "image": where, **each.reply.as_json()}
                    for (text, where), each in zip(config.requests, answers, strict=True)
                ]
            )


async def _run(config: DemoConfig, console: Console) -> list[Answered]:
    from edgewright.cli.demo.network import open_network
    from edgewright.cli.views.demo import summary_view
    from edgewright.cli.views.progress import TurnView
    from edgewright.graphs.assistant.context import AssistantContext
    from edgewright.graphs.assistant.session import open_session
    from edgewright.tools.storage.scratch import scratch_folder

    view = TurnView(progress_console())
    with scratch_folder() as folder:
        async with open_network(config, folder, view) as network:
            console.print(_introduction(config, network))
            # The device is slowed down, and this machine runs all of the network.
            context = AssistantContext(node_url=network.device_url, deadline_s=120.0)
            threads = folder / "threads.sqlite"
            async with open_session(
                context, threads=threads, on_progress=view.preparing
            ) as session:
                answers = await _answers(config, session, console, view)
        title = f"{config.rate_kb_per_s:g} KB/s, device {config.slowdown:g} times slower"
        console.print("", summary_view(answers, title), sep="\n")
        view.console.print(
            "both nodes are stopped; 'make console', or 'edgewright demo --console', shows such a "
            "network in a web browser",
            style="dim",
        )
    return answers


async def _serve(config: DemoConfig, port: int, console: Console, *, as_json: bool) -> None:
    """Serve the console over the network until Ctrl-C or SIGTERM."""
    from edgewright.cli.demo.network import open_network
    from edgewright.cli.views.progress import TurnView
    from edgewright.edge_runtime.serve import listen, write_ready_line
    from edgewright.servers.config import ServeConfig
    from edgewright.servers.serve import serve_on
    from edgewright.tools.settings import Settings
    from edgewright.tools.storage.scratch import scratch_folder

    chosen = ServeConfig(port=port)
    view = TurnView(progress_console())
    with listen(chosen) as listener, scratch_folder() as folder:
        async with open_network(config, folder, view) as network:
            console.print(_introduction(config, network))
            settings = Settings.from_environment(node_url=network.device_url)
            console.print("starting the console; Ctrl-C stops everything", style="dim")

            def on_ready(url: str) -> None:
                if as_json:
                    write_ready_line(url)
                else:
                    console.print(f"console      {url}", markup=False)

            await serve_on(listener, chosen, settings, on_ready=on_ready)


async def _answers(
    config: DemoConfig, session: Session, console: Console, view: TurnView
) -> list[Answered]:
    """Have each request answered, and show the answer."""
    import asyncio

    from edgewright.agents.responder.layout import APPROXIMATE
    from edgewright.cli.views.demo import Answered, answer_view, request_view
    from edgewright.tools.images.files import resolve_image

    answers: list[Answered] = []
    for number, (text, where) in enumerate(config.requests, start=1):
        image = await asyncio.to_thread(resolve_image, where, session.services.images)
        console.print(request_view(number, text, image.name))
        # Each request stands alone: the demo's questions do not refer to one another.
        session.start_new_thread()
        with view.during("planning"):
            reply, wall_s = await answered(session, text, [image], view)
        noted = any(APPROXIMATE in earlier.reply.answer for earlier in answers)
        answers.append(Answered(text=text, reply=reply, wall_s=wall_s))
        console.print(answer_view(answers[-1], noted=noted))
    return answers


def _save(console: Console, record: Path) -> None:
    """Write what was recorded as an image that fetches no font from anywhere."""
    import re

    from rich._export_format import CONSOLE_SVG_FORMAT

    from edgewright.tools.errors import StorageError

    template = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    try:
        console.save_svg(str(record), title="edgewright demo", code_format=template)
    except OSError as error:
        raise StorageError(f"cannot write {str(record)!r}: {error.strerror}") from None


def _introduction(config: DemoConfig, network: Network) -> RenderableType:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_row("device", network.device_url, f"{config.slowdown:g} times slower, with a camera")
    table.add_row("edge server", network.edge_url, "at this machine's own speed")
    limits = f"{config.rate_kb_per_s:g} KB/s, {config.delay_ms:g} ms each way"
    table.add_row("link", network.link_url, limits)
    return table
