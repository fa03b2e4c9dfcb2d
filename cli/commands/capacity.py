"""``edgewright capacity``: how many servers users need, on paper and by simulation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from edgewright.cli.views.output import Json, print_table, progress_console, reported_errors
from edgewright.cli.views.safe import print_json, say
from edgewright.tools.units import counted

if TYPE_CHECKING:
    from rich.table import Table

    from edgewright.tools.capacity.scenario import Scenario

EXAMPLES = """\
Examples:

edgewright capacity estimate --users 20000 --rate 0.01 --gflops 7000 --gpu l4 --p95-ms 800

edgewright capacity estimate --config examples/capacity.yaml --json

edgewright capacity simulate --config examples/capacity.yaml --seconds 600

edgewright capacity example
"""

capacity = typer.Typer(
    help="How many servers users need, on paper and by simulation.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="YAML file of a scenario."),
]


def _option(metavar: str, help_text: str, low: float = 0.0) -> Any:
    return typer.Option(metavar=metavar, help=help_text, min=low)


@capacity.command(
    name="estimate", epilog="Example: edgewright capacity estimate -c examples/capacity.yaml"
)
def estimate_servers(
    config: Config = None,
    users: Annotated[int | None, _option("N", "Users.", 1)] = None,
    rate: Annotated[float | None, _option("R", "Requests of a user in a second.")] = None,
    gflops: Annotated[float | None, _option("G", "10^9 operations of a request.")] = None,
    memory_gb: Annotated[float, _option("GB", "Memory that a request occupies.")] = 1.0,
    gpu: Annotated[
        str | None, typer.Option(metavar="NAME", help="A known GPU, such as a100 or l4.")
    ] = None,
    gpu_tflops: Annotated[float | None, _option("T", "Any other GPU: its peak.")] = None,
    gpu_memory_gb: Annotated[float | None, _option("GB", "Any other GPU: its memory.")] = None,
    gpus: Annotated[int, _option("N", "GPUs of a server.", 1)] = 1,
    sites: Annotated[int, _option("N", "Sites with a queue of their own.", 1)] = 1,
    efficiency: Annotated[float, _option("S", "Share of the peak that is reached.")] = 0.4,
    p95_ms: Annotated[float | None, _option("MS", "Latency that 95 % must meet.")] = None,
    as_json: Json = False,
) -> None:
    """Estimate servers, latencies and energy on paper, by queueing formulas.

    One tier is described by options; several, their links and devices by a
    file.
    """
    with reported_errors(as_json):
        from edgewright.tools.capacity.estimate import estimate
        from edgewright.tools.capacity.scenario import load_scenario, make_scenario
        from edgewright.tools.errors import InputError

        if config is not None:
            scenario = load_scenario(config)
        elif users is None or rate is None or gflops is None:
            raise InputError("give --config FILE, or --users, --rate and --gflops")
        else:
            own = {"tflops": gpu_tflops, "memory_gb": gpu_memory_gb}
            tier = {
                "gpu": gpu or own,
                "gpus_per_server": gpus,
                "sites": sites,
                "efficiency": efficiency,
            }
            scenario = make_scenario({
                "users": users,
                "requests_per_user_per_s": rate,
                "demand": {"gflops": gflops, "memory_gb": memory_gb},
                "tiers": {"edge": tier},
                "p95_ms": p95_ms,
            })  # fmt: skip
        found = estimate(scenario)
        if as_json:
            print_json(found.model_dump(mode="json"))
            return
        rows = [
            (
                name,
                f"{one.arrivals_per_s:.4g}",
                f"{one.service_ms:.4g}",
                f"{one.servers} x {one.sites}",
                f"{one.utilisation:.1%}",
                f"{one.p50_ms:.4g}",
                f"{one.p95_ms:.4g}",
                f"{one.joules_per_request:.3g}",
                f"{one.kilowatts:.3g}",
            )
            for name, one in found.tiers.items()
        ]
        headings = ("tier", "req/s", "service ms", "servers", "busy", "p50 ms", "p95 ms", "J", "kW")
        print_table(_table(headings, rows))
        say(
            f"{counted(found.servers, 'server')}, {found.kwh_per_day:.4g} kWh a day; req/s and "
            "p50, p95 are those of a site, J is the GPUs' energy for a request"
        )


@capacity.command(epilog="Example: edgewright capacity simulate -c examples/capacity.yaml --json")
def simulate(
    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="FILE", help="YAML file of a scenario.")
    ],
    seconds: Annotated[
        float, typer.Option(metavar="S", min=70, max=86_400, help="Simulated seconds.")
    ] = 600.0,
    rule: Annotated[
        Literal["policy", "offload", "device"],
        typer.Option(metavar="RULE", help="policy decides; or always offload, or never (device)."),
    ] = "policy",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed.")] = 0,
    as_json: Json = False,
) -> None:
    """Simulate the users of a scenario, whose devices decide by the offloading policy.

    The first minute is not counted. 100,000 users for an hour take minutes.
    """
    # Many small matrices: threads would only wait for each other. Read when numpy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with reported_errors(as_json):
        from edgewright.tools.capacity.scenario import load_scenario
        from edgewright.tools.capacity.simulation import Simulation

        scenario = load_scenario(config)
        simulation = Simulation(scenario, seed=seed, rule=rule)
        with progress_console().status("simulating") as status:
            found = simulation.run(
                seconds, lambda share: status.update(f"simulating: {share:.0%} of {seconds:g} s")
            )
        if as_json:
            print_json(found.model_dump(mode="json"))
            return
        rows = [
            (
                name,
                str(one.requests),
                f"{one.mean_ms:.4g}",
                f"{one.p50_ms:.4g}",
                f"{one.p95_ms:.4g}",
                f"{one.mean_wait_ms:.4g}",
                f"{one.utilisation:.1%}" if one.utilisation else "",
            )
            for name, one in found.tiers.items()
        ]
        headings = ("tier", "requests", "mean ms", "p50 ms", "p95 ms", "wait ms", "busy")
        print_table(_table(headings, rows))
        _say_summary(scenario, found.model_dump())


def _say_summary(scenario: Scenario, found: dict[str, Any]) -> None:
    arms = ", ".join(f"{count} {kind}" for kind, count in found["arms"].items())
    say(
        f"{scenario.users} users: mean {found['mean_ms']:.4g} ms, p95 {found['p95_ms']:.4g} ms, "
        f"p99 {found['p99_ms']:.4g} ms, {found['device_j']:.3g} J of a device for a request; {arms}"
    )


@capacity.command(epilog="Example: edgewright capacity example --json")
def example(as_json: Json = False) -> None:
    """Recompute a published example, LLaMA-7B on 100 A100 and 8 V100 GPUs, and name its slips."""
    with reported_errors(as_json):
        from edgewright.tools.capacity.published import SLIPS, SOURCE, readings

        found = readings()
        if as_json:
            rows = [one.model_dump(mode="json") for one in found]
            print_json({"source": SOURCE, "readings": rows, "slips": SLIPS})
            return
        say(SOURCE)
        print_table(
            _table(
                ("tier", "reading", "servers", "each serves/s", "busy", "mean ms", "needed"),
                [
                    (
                        one.tier,
                        one.reading,
                        str(one.servers),
                        f"{one.rate_per_s:.4g}",
                        f"{one.utilisation:.3g}",
                        "grows" if one.mean_ms is None else f"{one.mean_ms:.3g}",
                        str(one.servers_needed),
                    )
                    for one in found
                ],
            )
        )
        for number, slip in enumerate(SLIPS, start=1):
            say(f"{number}. {slip}")


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    from rich.table import Table

    table = Table(header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
