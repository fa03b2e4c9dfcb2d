"""``edgewright demo``: real photographs, a slowed device, a thin link, and every answer's cost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.demo.config import DemoConfig, load_demo
from edgewright.cli.views.output import Json, print_json, reported_errors
from edgewright.tools.storage.scratch import scratch_folder

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from edgewright.cli.demo.network import Network
    from edgewright.graphs.assistant.session import Reply, Session

Rate = Annotated[
    float | None,
    typer.Option("--rate", metavar="KB/S", min=1, max=1e6, help="Hold the link to this rate."),
]
Slowdown = Annotated[
    float | None,
    typer.Option("--slowdown", metavar="FACTOR", min=1, max=100, help="Slow the device so much."),
]
Pictures = Annotated[
    list[Path] | None,
    typer.Option("--image", "-i", metavar="FILE", help="Ask about your own picture too."),
]

Record = Annotated[
    Path | None,
    typer.Option(metavar="FILE.svg", help="Keep the first request and the summary as a picture."),
]


_RECORD_WIDTH = 100


def demo(
    rate: Rate = None,
    slowdown: Slowdown = None,
    image: Pictures = None,
    record: Record = None,
    as_json: Json = False,
) -> None:
    """Start a device and an edge server, and have requests about photographs answered.

    The device is slowed and the link between the two is held to a rate, so
    that where to run a task is a real choice. Both nodes are stopped at the
    end, also on Ctrl-C.
    """
    from rich.console import Console

    with reported_errors(as_json):
        config = load_demo(rate, slowdown, image or [])
        console = Console(stderr=as_json, highlight=False, width=_RECORD_WIDTH if record else None)
        replies = asyncio.run(_run(config, console, record))
        if as_json:
            print_json(
                [
                    {"request": text, "image": where, **reply.as_json()}
                    for (text, where), reply in zip(config.requests, replies, strict=True)
                ]
            )


async def _run(config: DemoConfig, console: Console, record: Path | None) -> list[Reply]:
    from edgewright.cli.demo.network import open_network
    from edgewright.graphs.assistant.context import AssistantContext
    from edgewright.graphs.assistant.session import open_session

    with scratch_folder() as folder:
        async with open_network(config, folder, console) as network:
            console.record = record is not None
            console.print(_introduction(config, network))
            context = AssistantContext(node_url=network.device_url)
            threads = folder / "threads.sqlite"
            async with open_session(context, threads=threads) as session:
                replies = []
                for number, (text, where) in enumerate(config.requests, start=1):
                    replies.append(await _ask(session, number, text, where, console))
                    console.record = False
        console.record = record is not None
        console.print(_summary(config, replies))
        if record is not None:
            _save(console, record)
        console.print("both nodes are stopped", style="dim")
    return replies


async def _ask(session: Session, number: int, text: str, where: str, console: Console) -> Reply:
    from rich.rule import Rule
    from rich.text import Text

    from edgewright.cli.views.progress import progress
    from edgewright.cli.views.results import answer_panel, cost_table
    from edgewright.tools.images.files import resolve_image

    console.print()
    console.print(Rule(Text.assemble(f"{number}. ", (text, "bold"), f"  {where}"), align="left"))
    image = await asyncio.to_thread(resolve_image, where, session.services.images)
    with progress(console, [image]) as view:
        # Each request stands alone: the demo's questions do not lean on one another.
        session.start_new_thread()
        reply = await session.ask(text, images=[image], on_event=view)
    console.print(answer_panel(reply.answer))
    if reply.results:
        console.print(cost_table(reply.results))
    return reply


def _save(console: Console, record: Path) -> None:
    """Write what was recorded as a picture that fetches no font from anywhere."""
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
    table.add_row("device", network.device_url, f"slowed {config.slowdown:g}x, with a camera")
    table.add_row("edge server", network.edge_url, "at this machine's own speed")
    held = f"held to {config.rate_kb_per_s:g} KB/s, {config.delay_ms:g} ms each way"
    table.add_row("link", network.link_url, held)
    return table


def _summary(config: DemoConfig, replies: list[Reply]) -> RenderableType:
    from rich.table import Table

    title = f"what it cost at {config.rate_kb_per_s:g} KB/s, device slowed {config.slowdown:g}x"
    table = Table(title=title, title_justify="left", header_style="dim")
    for column in ("request", "tool", "arm", "status"):
        table.add_column(column)
    for column in ("bytes up", "ms"):
        table.add_column(column, justify="right")
    for number, reply in enumerate(replies, start=1):
        for result in reply.results:
            row = [str(number), result.tool]
            if result.report is None:
                row += ["not run", result.status]
            else:
                bill = result.report
                spent_ms = sum(bill.stages_ms.values())
                row += [bill.arm, result.status, str(bill.bytes_up), f"{spent_ms:.0f}"]
            table.add_row(*row)
    return table
