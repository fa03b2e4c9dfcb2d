"""Servers killed at random moments while a device uses them: is every request answered in time?

Run ``python -m edgewright.benchmarks.peers.kills``. A device and three servers run in processes of
their own behind shaped links (``fleet.py``). Requests follow one another; the server that the last
one used is killed while the next one runs, at a random moment, and started again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright.benchmarks.common.photographs import photograph
from edgewright.benchmarks.common.progress import log
from edgewright.benchmarks.common.results import table, write_results
from edgewright.benchmarks.peers.fleet import SITES, Fleet
from edgewright.benchmarks.peers.profile import known_profile
from edgewright.tools.contracts.arms import Arm
from edgewright.tools.contracts.invocation import InvokeOptions
from edgewright.tools.contracts.profiles import ModelProfile
from edgewright.tools.errors import EdgewrightError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CARD = "image-classification"
_SLOWDOWN = 8.0
_KILLS, _DEADLINE_S = 20, 10.0
#: Requests between a kill and the next, at least.
_BETWEEN = 3


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        seconds: Time until it was answered, or failed.
        arm: The arm that answered it.
        server: The server that answered it; empty if the device did.
        killed: The server that was killed meanwhile; empty if none was.
        fallbacks: Codes of the failures on the way.
        correct: Whether the best label is among those of the device alone; a lossy encoding may
            exchange two that are about as likely.
        error: Code of the error; empty if it was answered.
    """

    seconds: float
    arm: str = ""
    server: str = ""
    killed: str = ""
    fallbacks: tuple[str, ...] = ()
    correct: bool = False
    error: str = ""


async def killed_servers(fleet: Fleet, *, kills: int, deadline_s: float) -> list[Request]:
    """Kill servers while requests run, and start them again.

    Args:
        fleet: The running nodes.
        kills: Number of kills.
        deadline_s: Deadline of each request.

    Returns:
        All requests in their order.
    """
    rng = random.Random(0)  # noqa: S311 - moments, no secrets
    image = photograph((640, 480))
    alone = InvokeOptions(deadline_s=60, arm=Arm(kind="device-only"))
    output = (await fleet.device.invoke(_CARD, alone, image)).output
    expected = {one["label"] for one in output["labels"]}
    starting: set[asyncio.Task[None]] = set()
    found: list[Request] = []
    done = since = 0
    usual_s = 0.3
    while done < kills or starting:
        starting = {task for task in starting if not task.done()}
        request = asyncio.create_task(_request(fleet, image, expected, deadline_s))
        used = found[-1].server if found else ""
        killed = ""
        if since >= _BETWEEN and done < kills and used in fleet.running:
            await asyncio.sleep(rng.uniform(0, usual_s))
            await fleet.kill(used)
            killed, since, done = used, 0, done + 1
            log(f"kill {done} of {kills}: {used}")
            starting.add(asyncio.create_task(fleet.start(used)))
        one = await request
        usual_s = one.seconds if not killed else usual_s
        found.append(Request(**{**asdict(one), "killed": killed}))
        since += 1
        await asyncio.sleep(0.2)
    return found


async def _request(fleet: Fleet, image: bytes, expected: set[str], deadline_s: float) -> Request:
    began = time.perf_counter()
    try:
        response = await fleet.device.invoke(_CARD, InvokeOptions(deadline_s=deadline_s), image)
    except EdgewrightError as error:
        return Request(seconds=time.perf_counter() - began, error=error.info().code)
    seconds = time.perf_counter() - began
    assert response.report is not None
    return Request(
        seconds=seconds,
        arm=response.report.arm,
        server=next((name for name in response.report.nodes if name in SITES), ""),
        fallbacks=tuple(step.code for step in response.report.fallback),
        correct=response.output["labels"][0]["label"] in expected,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, print the table, and write the results.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0, or 1 when a request failed or was late.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--profile", type=Path, help="use this profile; default: measure one")
    parser.add_argument("--kills", type=int, default=_KILLS, help="number of kills")
    parser.add_argument("--deadline", type=float, default=_DEADLINE_S, help="of a request, seconds")
    options = parser.parse_args(arguments)
    profile = known_profile(options.profile)
    requests = asyncio.run(_run(profile, options.kills, options.deadline))
    slowest_s = max(one.seconds for one in requests)
    markdown = _table(requests, options.deadline)
    sys.stdout.write(markdown)
    figures = {"deadline_s": options.deadline, "requests": [asdict(one) for one in requests]}
    write_results(options.out, "peers-kills", figures, markdown, lambda axes: _draw(axes, requests))
    return int(any(one.error for one in requests) or slowest_s > options.deadline)


async def _run(profile: ModelProfile, kills: int, deadline_s: float) -> list[Request]:
    log("starting the nodes")
    with tempfile.TemporaryDirectory() as folder:
        async with Fleet(profile, Path(folder), slowdown=_SLOWDOWN) as fleet:
            return await killed_servers(fleet, kills=kills, deadline_s=deadline_s)


def _table(requests: Sequence[Request], deadline_s: float) -> str:
    during = [one for one in requests if one.killed]
    others = [one.seconds for one in requests if not one.killed]
    counts: Mapping[str, int] = {
        "requests": len(requests),
        "servers killed": len(during),
        "answered": sum(not one.error for one in requests),
        "with a label of the device alone": sum(one.correct for one in requests),
        "that fell back": sum(bool(one.fallbacks) for one in requests),
    }
    rows: list[list[object]] = [[name, count] for name, count in counts.items()]
    rows += [
        ["median without a kill", f"{statistics.median(others):.2f} s"],
        ["median with one", f"{statistics.median(one.seconds for one in during):.2f} s"],
        ["slowest", f"{max(one.seconds for one in requests):.2f} s"],
        ["deadline", f"{deadline_s:g} s"],
    ]
    return table(["quantity", "value"], rows)


def _draw(axes: Axes, requests: Sequence[Request]) -> None:
    axes.plot([one.seconds for one in requests], ".", color="grey", label="request")
    during = {place: one.seconds for place, one in enumerate(requests) if one.killed}
    axes.plot(list(during), list(during.values()), "x", color="black", label="server killed")
    axes.set_xlabel("request")
    axes.set_ylabel("seconds")
    axes.set_title("Servers killed while they are used")
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
