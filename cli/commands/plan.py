"""``edgewright plan``: the plan for a request, without running it."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewright.cli.views.output import (
    WRONG_INPUT,
    Embedded,
    Images,
    Json,
    NodeUrl,
    print_table,
    progress_console,
    reported_errors,
)
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from typing import TextIO

    from edgewright.agents.planner.protocol import AnyPlanner
    from edgewright.agents.planner.request import PlanRequest, Turn
    from edgewright.cli.requests import RequestRow
    from edgewright.cli.views.progress import Waiting
    from edgewright.graphs.services.services import Services
    from edgewright.tools.cards import CardRegistry
    from edgewright.tools.contracts.images import ImageRef
    from edgewright.tools.contracts.views import CardView

EXAMPLES = """\
Examples:

edgewright plan "describe the picture and tell me if there is a dog" --image garden.jpg

edgewright plan --json "which animal is this?"

edgewright plan --requests requests.jsonl --out plans.jsonl

edgewright plan --cards tools.json --demos shown.jsonl --requests requests.jsonl --out plans.jsonl

edgewright plan --list
"""


def plan(
    request: Annotated[
        str | None, typer.Argument(metavar="REQUEST", help="The request, in plain language.")
    ] = None,
    image: Images = None,
    requests: Annotated[
        Path | None,
        typer.Option(metavar="IN.jsonl", help='Plan many: lines of {"id", "request"[, "image"]}.'),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl", help="Where to write their plans.")
    ] = None,
    cards: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Plan with other cards: a YAML card, a folder of them, or a TaskBench tools.json.",
        ),
    ] = None,
    demos: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='Example requests: lines of {"request", "tools"[, "links"]}, or with "nodes" '
            'for "tools".',
        ),
    ] = None,
    list_cards: Annotated[
        bool,
        typer.Option(
            "--list", help="List the cards: what can be requested, and what cannot and why."
        ),
    ] = False,
    node: NodeUrl = None,
    thread: Annotated[
        str | None,
        typer.Option(
            "--thread",
            metavar="NAME",
            help="Plan as the next turn of this thread, without adding to it.",
        ),
    ] = None,
    embedded: Embedded = False,
    as_json: Json = False,
) -> None:
    """Show the plan for a request, without running it.

    With --requests and --out, write the plans for many requests. Rows that
    cannot be planned are named there and on standard error; the exit code is
    then 2.
    """
    with reported_errors(as_json):
        import asyncio

        from edgewright.cli.requests import read_requests, resolve_images
        from edgewright.cli.views.progress import Waiting
        from edgewright.tools.storage.reading import typed

        waiting = Waiting(progress_console())
        if list_cards:
            if node and cards is None:
                _show(_cards_of_node(node), as_json)
            else:
                _show(_cards_here(catalogue_of(cards)), as_json)
        elif requests is not None and out is not None and request is None:
            rows = read_requests(requests)
            planning = Planning(node, thread, cards, demos, embedded, waiting)
            asyncio.run(_plan_file(rows, out, planning, as_json))
        elif request and requests is None and out is None:
            planning = Planning(node, thread, cards, demos, embedded, waiting)
            images = resolve_images(image or [])
            asyncio.run(_plan_one(typed(request), images, planning, as_json))
        else:
            from edgewright.tools.errors import InputError

            raise InputError(
                "give one of: REQUEST, --requests IN.jsonl with --out OUT.jsonl, or --list",
                code="usage",
            )


@dataclass(frozen=True)
class Planning:
    """What requests are planned with: the services of ``ask``, over other cards if any are given.

    Attributes:
        node: URL of the device node.
        thread: Thread whose earlier turns a request may refer to.
        cards: File or folder of the cards.
        demos: File of demonstrations.
        embedded: Whether to use no chat model.
        waiting: Shows what the program is doing.
    """

    node: str | None
    thread: str | None
    cards: Path | None
    demos: Path | None
    embedded: bool
    waiting: Waiting

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Services, Sequence[Turn]]]:
        """Open the services and read the thread."""
        from edgewright.graphs.services.services import open_services
        from edgewright.tools.settings import Settings

        settings = Settings.from_environment(node_url=self.node, embedded=self.embedded)
        history: list[Turn] = []
        if self.thread:
            from edgewright.graphs.assistant.session import read_history

            history = await read_history(self.thread)
        async with open_services(
            settings, read_cards=self._catalogue, on_progress=self.waiting.preparing
        ) as services:
            yield services, history

    def _catalogue(self) -> CardRegistry:
        from edgewright.tools.cards.demonstrations import read_demonstrations

        catalogue = catalogue_of(self.cards)
        if self.demos is None:
            return catalogue
        return catalogue.with_demonstrations(read_demonstrations(self.demos, catalogue))


async def _plan_one(
    text: str, images: Sequence[ImageRef], planning: Planning, as_json: bool
) -> None:
    import asyncio

    from edgewright.graphs.assistant.planning import plan_request

    async with planning.opened() as (services, history):
        request = await plan_request(services, text, images=images, history=history)
        with planning.waiting.during("planning"):
            plan = await asyncio.to_thread(services.planner.plan, request)
    if as_json:
        print_json(plan.as_json())
    else:
        from edgewright.cli.views.results import plan_table

        print_table(plan_table(plan, {each.uri: each.name for each in images}))


async def _plan_file(
    rows: Sequence[RequestRow], target: Path, planning: Planning, as_json: bool
) -> None:
    """Plan each row; a wrong one, or one with an unusable image, is reported in its place."""
    import asyncio

    from edgewright.agents.planner.request import PlanRequest
    from edgewright.tools.errors import InputError, StorageError

    if rows and all(row.wrong for row in rows):
        raise InputError("; ".join(str(row.wrong) for row in rows[:20]), code="requests_invalid")
    async with planning.opened() as (services, history):
        try:
            with target.open("w", encoding="utf-8") as file:
                with planning.waiting.during("loading the planner"):
                    # The first request, even an empty one, loads the planner; no other
                    # request's time includes that.
                    await asyncio.to_thread(services.planner.plan, PlanRequest(text=""))
                wrong = await _plan_rows(rows, file, services, history, planning, as_json)
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise InputError(
                f"cannot write {str(target)!r}: {error.strerror}; check the path",
                code="out_unwritable",
            ) from None
        except OSError as error:
            raise StorageError(
                f"cannot write {str(target)!r}: {error.strerror}; free some space"
            ) from None
    if as_json:
        failed = {"failed": wrong} if wrong else {}
        print_json({"plans": len(rows) - len(wrong), "out": str(target), **failed})
    for each in wrong:
        say(f"line {each['line']}: {each['error']['message']}", err=True)
    if wrong:
        raise typer.Exit(WRONG_INPUT)


async def _plan_rows(
    rows: Sequence[RequestRow],
    file: TextIO,
    services: Services,
    history: Sequence[Turn],
    planning: Planning,
    as_json: bool,
) -> list[dict[str, Any]]:
    """Write the plan of each row; return what is wrong with the others."""
    from rich.progress import Progress

    from edgewright.cli.requests import resolve_images
    from edgewright.graphs.assistant.planning import plan_request
    from edgewright.tools.errors import InputError, NotFoundError

    wrong: list[dict[str, Any]] = []
    with Progress(console=planning.waiting.console, disable=as_json) as bar:
        for row in bar.track(rows, description="planning"):
            try:
                if row.wrong is not None:
                    raise row.wrong
                images = resolve_images([row.image] if row.image else [])
                request = await plan_request(services, row.text, images=images, history=history)
                result = {"id": row.id, **_timed(services.planner, request)}
            except (InputError, NotFoundError) as error:
                info = error.info().model_dump(mode="json", include={"code", "message"})
                result = {"id": row.id, "line": row.number, "error": info}
                wrong.append(result)
            file.write(json.dumps(result, ensure_ascii=False) + "\n")
    return wrong


def _timed(planner: AnyPlanner, request: PlanRequest) -> dict[str, Any]:
    started = time.perf_counter()
    plan = planner.plan(request)
    latency_ms = (time.perf_counter() - started) * 1000
    return {**plan.as_json(), "latency_ms": round(latency_ms, 3)}


def catalogue_of(cards: Path | None) -> CardRegistry:
    """Return the cards of a file or folder; without one, all cards of this machine."""
    if cards is not None:
        from edgewright.tools.cards.sources import open_catalogue

        return open_catalogue(cards)
    from edgewright.tools.library import known_cards

    return known_cards()


def _show(cards: list[CardView], as_json: bool) -> None:
    from edgewright.cli.views.results import card_table

    if as_json:
        print_json([card.model_dump(mode="json", by_alias=True) for card in cards])
    else:
        print_table(card_table(cards))


def _cards_of_node(url: str) -> list[CardView]:
    import asyncio

    from edgewright.tools.nodes.client import NodeClient
    from edgewright.tools.settings import Settings

    async def fetch() -> list[CardView]:
        api_key = Settings.from_environment(node_url=url).api_key
        async with NodeClient(url, api_key=api_key or None) as client:
            return await client.tools()

    return asyncio.run(fetch())


def _cards_here(cards: CardRegistry) -> list[CardView]:
    """List the cards, and whether a private node could run them on this machine."""
    from edgewright.tools.contracts.views import CardView
    from edgewright.tools.library import expert_statuses

    return [CardView.of(status) for status in cards.statuses(expert_statuses())]
