"""``edgewright sensors``: list the sensors of a node, and read a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewright.cli.views.output import Json, print_table, progress_console, reported_errors
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    from edgewright.tools.contracts.views import SensorView

EXAMPLES = """\
Examples:

edgewright sensors list --config examples/device.yaml

edgewright sensors list --node http://127.0.0.1:8760

edgewright sensors read wifi --source traffic.pcap --seconds 600

edgewright sensors read microphone --source recording.wav --json
"""

sensors = typer.Typer(
    help="List the sensors of a node, and read a window of one.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)

Node = Annotated[
    str | None,
    typer.Option("--node", metavar="URL", help="The node.", envvar="EDGEWRIGHT_DEVICE_URL"),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="YAML file of a node on this machine."),
]


@sensors.command(name="list", epilog="Example: edgewright sensors list --node URL --json")
def list_sensors(node: Node = None, config: Config = None, as_json: Json = False) -> None:
    """List sensors: of a node, of a node's configuration, or the kinds that are installed."""
    with reported_errors(as_json):
        found = _views(node, config)
        if as_json:
            print_json({"sensors": [view.model_dump(mode="json") for view in found]})
            return
        from rich.table import Table

        table = Table(header_style="dim")
        for heading in ("sensor", "kind", "source", "rate", "reveals", "windows", "items"):
            table.add_column(heading, overflow="fold")
        for view in found:
            rate = f"{view.rate_hz:g} Hz" if view.rate_hz else ""
            table.add_row(
                view.name,
                view.kind,
                view.source,
                rate,
                view.privacy,
                "readable" if view.raw else "stay on the node",
                str(len(view.items) or ""),
            )
        print_table(table)


@sensors.command(epilog="Example: edgewright sensors read wifi --source traffic.pcap")
def read(
    sensor: Annotated[
        str, typer.Argument(metavar="SENSOR", help="Name of a sensor, or its kind with --source.")
    ],
    node: Node = None,
    config: Config = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="A file or folder, 'live' or 'live:INTERFACE'."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, max=3600, help="Length of the window.")
    ] = 10.0,
    item: Annotated[
        str | None, typer.Option(metavar="NAME", help="For a camera: name of the photograph.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read a window of a sensor, and show what is in it.

    Nothing is stored. A node gives its windows only to callers that its
    configuration names.
    """
    with reported_errors(as_json):
        with progress_console().status(f"reading {sensor} for up to {seconds:g} s"):
            if node and not source:
                window = _from_node(node, sensor, seconds, item)
            else:
                window = _opened(sensor, config, source).read(seconds, item=item).as_json()
        if as_json:
            print_json(window)
        else:
            _show(window)


def _views(node: str | None, config: Path | None) -> list[SensorView]:
    if node:
        import asyncio

        from edgewright.tools.nodes.client import NodeClient
        from edgewright.tools.settings import Settings

        async def ask() -> list[SensorView]:
            key = Settings.from_environment(embedded=True).api_key or None
            async with NodeClient(node, api_key=key) as client:
                return await client.sensors()

        return asyncio.run(ask())
    if config is not None:
        from edgewright.edge_runtime.config import load_config
        from edgewright.edge_runtime.keys import ANONYMOUS
        from edgewright.edge_runtime.sensors import NodeSensors

        return NodeSensors(load_config(config)).views(ANONYMOUS)
    from edgewright.tools.sensing.registry import kinds

    return kinds()


def _opened(sensor: str, config: Path | None, source: str | None) -> Any:
    from edgewright.tools.errors import InputError
    from edgewright.tools.sensing.registry import Sensors, SensorSpec, make_sensor

    if source is not None:
        return make_sensor(SensorSpec(name=sensor, kind=sensor, source=source))
    if config is None:
        raise InputError(
            "name where the sensor is: --source FILE, --config FILE or --node URL",
            code="source_missing",
        )
    from edgewright.edge_runtime.config import load_config

    return Sensors(
        make_sensor(SensorSpec(name=one.name, kind=one.kind, source=one.source))
        for one in load_config(config).sensors
    ).get(sensor)


def _from_node(url: str, sensor: str, seconds: float, item: str | None) -> dict[str, Any]:
    import asyncio

    from edgewright.tools.contracts.views import SensorRequest
    from edgewright.tools.nodes.client import NodeClient
    from edgewright.tools.settings import Settings

    async def ask() -> dict[str, Any]:
        key = Settings.from_environment(embedded=True).api_key or None
        async with NodeClient(url, api_key=key) as client:
            request = SensorRequest(seconds=seconds, item=item)
            return await client.read_sensor(sensor, request, timeout_s=seconds + 30)

    return asyncio.run(ask())


def _show(window: dict[str, Any]) -> None:
    """Write a window for a person: flows as a table, of sound and images only their sizes."""
    from rich.table import Table
    from rich.text import Text

    size = f"{window['size_bytes'] / 1e6:.3g} MB"
    say(f"{window['sensor']}: {window['seconds']:g} s, {size}")
    flows = window["values"].get("flows")
    if not flows:
        return
    table = Table(header_style="dim")
    for heading in ("server", "port", "packets", "up", "down", "seconds"):
        table.add_column(heading, overflow="fold")
    for flow in sorted(flows, key=lambda one: -one["bytes_down"] - one["bytes_up"])[:20]:
        table.add_row(
            Text(flow["name"]),
            f"{flow['port']}/{flow['protocol']}",
            str(flow["packets"]),
            f"{flow['bytes_up'] / 1000:.1f} kB",
            f"{flow['bytes_down'] / 1000:.1f} kB",
            f"{flow['seconds']:.1f}",
        )
    print_table(table)
    if len(flows) > 20:
        say(f"and {len(flows) - 20} more; --json lists all")


@sensors.command(epilog="Example: edgewright sensors demo --save mood.png")
def demo(
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save a plot of the first answer: rates, use, moods."),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="What room, breaths and packets are drawn from.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Ask how somebody feels, by network traffic and sound on two nodes.

    Starts two nodes, makes the traffic and the sound of a simulated person,
    and asks four times: with both sources, with two that contradict each
    other, and without each of them. Both nodes are stopped at the end.
    """
    with reported_errors(as_json):
        import asyncio

        from edgewright.cli.views.evidence import check_picture_path

        if save is not None:
            check_picture_path(save)
        answers = asyncio.run(_demo(seed, save, as_json))
        if as_json:
            print_json(answers)


async def _demo(seed: int, save: Path | None, as_json: bool) -> list[dict[str, Any]]:
    """Run the scenes; return what came of each."""
    import asyncio

    from edgewright.cli.commands.ask import answered
    from edgewright.cli.demo.moods import REQUEST, SCENES, MoodNetwork
    from edgewright.cli.views.demo import Answered, answer_view, request_view
    from edgewright.cli.views.evidence import save_picture
    from edgewright.cli.views.progress import TurnView
    from edgewright.cli.views.screen import Screen
    from edgewright.graphs.assistant.context import AssistantContext
    from edgewright.graphs.assistant.session import open_session
    from edgewright.tools.storage.scratch import scratch_folder

    view, console = TurnView(progress_console()), Screen(stderr=as_json, highlight=False)
    found: list[dict[str, Any]] = []
    with scratch_folder() as folder:
        network = MoodNetwork(folder / "nodes", seed)
        with view.during("starting two nodes"):
            await asyncio.to_thread(network.__enter__)
        try:
            context = AssistantContext(node_url=network.urls, deadline_s=120.0)
            threads = folder / "threads.sqlite"
            async with open_session(
                context, threads=threads, on_progress=view.preparing
            ) as session:
                for number, scene in enumerate(SCENES, start=1):
                    with view.during("making traffic and sound"):
                        await asyncio.to_thread(network.prepare, scene)
                    console.print(request_view(number, REQUEST, scene.title))
                    session.start_new_thread()
                    with view.during("planning"):
                        reply, wall_s = await answered(session, REQUEST, [], view)
                    one = Answered(text=REQUEST, reply=reply, wall_s=wall_s)
                    console.print(answer_view(one, noted=number > 1))
                    if save is not None and number == 1:
                        console.print(save_picture(reply, session.services.images, save))
                    found.append({"scene": scene.title, **reply.as_json()})
        finally:
            await asyncio.to_thread(network.__exit__)
    view.console.print("both nodes are stopped", style="dim")
    return found
