"""``edgewright plan``: what would be done, without doing it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgewright.cli.commands.ask import Embedded
from edgewright.cli.views.output import (
    Images,
    Json,
    NodeUrl,
    print_json,
    print_table,
    progress_console,
    reported_errors,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewright.agents.planner.protocol import AnyPlanner
    from edgewright.agents.planner.request import PlanRequest
    from edgewright.tools.cards import CardRegistry
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
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What is wanted.")] = None,
    image: Images = None,
    requests: Annotated[
        Path | None,
        typer.Option(metavar="IN.jsonl", help='Lines of {"id", "request"}, optionally "image".'),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl", help="Where the plans are written.")
    ] = None,
    cards: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Plan over other cards: a YAML card, a folder of them, or a TaskBench tools.json.",
        ),
    ] = None,
    demos: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='Lines of {"request", "nodes" or "tools", "links"} to learn from.',
        ),
    ] = None,
    list_cards: Annotated[
        bool, typer.Option("--list", help="List what can be asked for, and what not and why.")
    ] = False,
    node: NodeUrl = None,
    embedded: Embedded = False,
    as_json: Json = False,
) -> None:
    """Show the plan for a request, or write the plans for many. Nothing is run."""
    with reported_errors(as_json):
        if list_cards:
            if node and cards is None:
                _show(_cards_of_node(node), as_json)
            else:
                _show(_cards_here(catalogue_of(cards)), as_json)
        elif requests is not None and out is not None and text is None:
            lines = list(_read(requests))
            _plan_file(lines, out, _planner(cards, demos, embedded), as_json)
        elif text and requests is None and out is None:
            _plan_one(_request(text, image or []), _planner(cards, demos, embedded), as_json)
        else:
            from edgewright.tools.errors import InputError

            raise InputError(
                "give one of: TEXT, or --requests IN.jsonl with --out OUT.jsonl, or --list",
                code="usage",
            )


def _plan_one(request: PlanRequest, planner: AnyPlanner, as_json: bool) -> None:
    if as_json:
        print_json(planner.plan(request).as_json())
        return
    from edgewright.cli.views.results import plan_table

    with progress_console().status("planning"):
        made = planner.plan(request)
    print_table(plan_table(made, {each.uri: each.name for each in request.images}))


def _plan_file(
    lines: list[tuple[Any, PlanRequest]], target: Path, planner: AnyPlanner, as_json: bool
) -> None:
    from rich.progress import Progress

    from edgewright.agents.planner.request import PlanRequest
    from edgewright.tools.errors import InputError, StorageError

    try:
        with target.open("w", encoding="utf-8") as file:
            with progress_console().status("learning the cards"):
                # A planner gets ready on its first request, be it empty: no request's own time.
                planner.plan(PlanRequest(text=""))
            with Progress(console=progress_console(), disable=as_json) as bar:
                for name, request in bar.track(lines, description="planning"):
                    row = {"id": name, **_timed(planner, request)}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(
            f"cannot write {str(target)!r}: {error.strerror}; check the path", code="out_unwritable"
        ) from None
    except OSError as error:
        raise StorageError(
            f"cannot write {str(target)!r}: {error.strerror}; free some space"
        ) from None
    if as_json:
        print_json({"plans": len(lines), "out": str(target)})


def _timed(planner: AnyPlanner, request: PlanRequest) -> dict[str, Any]:
    started = time.perf_counter()
    made = planner.plan(request)
    latency_ms = (time.perf_counter() - started) * 1000
    return {**made.as_json(), "latency_ms": round(latency_ms, 3)}


def _read(source: Path) -> Iterator[tuple[Any, PlanRequest]]:
    """Read the requests, each with its id; a line that is wrong is named by its number."""
    from edgewright.tools.errors import InputError

    try:
        text = source.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(
            f"cannot read {str(source)!r}: {reason}; check the path", code="file_missing"
        ) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            name, request, image = row["id"], row["request"], row.get("image")
        except (ValueError, KeyError, TypeError, AttributeError):
            row = request = image = None
        if not isinstance(request, str) or not isinstance(image, str | None):
            raise InputError(
                f'line {number} of {str(source)!r} is not {{"id": …, "request": "…"}}, '
                'optionally with "image": "FILE"',
                code="requests_invalid",
            )
        yield name, _request(request, [image] if image else [])


def _request(text: str, images: list[str]) -> PlanRequest:
    from edgewright.agents.planner.request import PlanRequest
    from edgewright.tools.images.files import resolve_image
    from edgewright.tools.images.store import ImageStore
    from edgewright.tools.settings import home

    store = ImageStore(home() / "images")
    return PlanRequest(text=text, images=tuple(resolve_image(each, store) for each in images))


def _planner(cards: Path | None, demos: Path | None, embedded: bool) -> AnyPlanner:
    from edgewright.agents.planner.planner import make_planner
    from edgewright.tools.cards.demonstrations import read_demonstrations
    from edgewright.tools.settings import ChatModelSettings

    catalogue = catalogue_of(cards)
    if demos:
        catalogue = catalogue.with_demonstrations(read_demonstrations(demos, catalogue))
    chat = None if embedded else ChatModelSettings.from_environment()
    return make_planner(catalogue, chat=chat)


def catalogue_of(cards: Path | None) -> CardRegistry:
    """Return the cards of a file or folder, else all that can be asked for here."""
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
    import os

    from edgewright.tools.nodes.client import NodeClient

    async def fetch() -> list[CardView]:
        async with NodeClient(url, api_key=os.environ.get("EDGEWRIGHT_API_KEY")) as client:
            return await client.tools()

    return asyncio.run(fetch())


def _cards_here(cards: CardRegistry) -> list[CardView]:
    """Say which cards a private node could run on this machine."""
    from edgewright.tools.contracts.views import CardView
    from edgewright.tools.library import expert_statuses

    return [CardView.of(status) for status in cards.statuses(expert_statuses())]
