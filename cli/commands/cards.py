"""``edgewright cards``: check, draft and approve cards, and go back to earlier trained models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.commands.plan import catalogue_of
from edgewright.cli.views.output import (
    FAILED,
    Embedded,
    Json,
    print_table,
    progress_console,
    reported_errors,
)
from edgewright.cli.views.safe import print_json, say

if TYPE_CHECKING:
    from edgewright.agents.manuals.draft import CardDraft

EXAMPLES = """\
Examples:

edgewright cards check soil.yaml

edgewright cards from-manual thermometer.pdf --out thermometer.draft.yaml

edgewright cards approve thermometer.draft.yaml

edgewright cards history handwritten-digit-classifier

edgewright cards rollback handwritten-digit-classifier
"""
#: Maximum size of a draft, in bytes.
MAX_DRAFT_BYTES = 500_000

cards = typer.Typer(
    help="Check cards, draft them from manuals, approve drafts, and roll tools back.",
    epilog=EXAMPLES,
    no_args_is_help=True,
)


@cards.command(epilog="Example: edgewright cards check soil.yaml --cards our-cards/")
def check(
    card: Annotated[Path, typer.Argument(metavar="CARD.yaml", help="The card to check.")],
    catalogue: Annotated[
        Path | None,
        typer.Option(
            "--cards",
            metavar="CATALOGUE",
            help="Cards to check it against: a folder of YAML cards or a TaskBench tools.json. "
            "[default: all cards of this machine]",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Validate a card, and show which cards its requests are confused with.

    The exit code is 1 when the card is not distinct enough from the others.
    """
    with reported_errors(as_json):
        from edgewright.agents.planner.fitting import confusion
        from edgewright.cli.views.cards import confusion_view
        from edgewright.tools.cards.registry import read_card

        checked = read_card(card)
        others = catalogue_of(catalogue)
        with progress_console().status("comparing it with the other cards"):
            found = confusion.check(checked, others)
        if as_json:
            print_json(found.model_dump(mode="json"))
        else:
            print_table(confusion_view(found))
        if not found.passed:
            raise typer.Exit(FAILED)


@cards.command(name="from-manual", epilog="Example: edgewright cards from-manual thermometer.pdf")
def from_manual(
    manual: Annotated[Path, typer.Argument(metavar="FILE", help="The manual: .txt, .md or .pdf.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DRAFT.yaml",
            help="Where to write the draft. [default: ID.draft.yaml; with --json, nowhere]",
        ),
    ] = None,
    embedded: Embedded = False,
    as_json: Json = False,
) -> None:
    """Draft a card from a device's manual.

    The card cannot be requested before you approve it: edgewright cards
    approve.
    """
    with reported_errors(as_json):
        from edgewright.agents.manuals.drafting import draft, make_extractor
        from edgewright.cli.views.cards import draft_view
        from edgewright.tools.manuals.reading import read_manual
        from edgewright.tools.settings import ChatModelSettings

        chat = None if embedded else ChatModelSettings.from_environment()
        with progress_console().status("reading the manual"):
            drafted = draft(read_manual(manual), make_extractor(chat))
        if as_json:
            print_json(drafted.model_dump(mode="json"))
        else:
            out = out or Path(f"{drafted.card.id}.draft.yaml")
            print_table(draft_view(drafted))
        if out is not None:
            _write(drafted, out)
            say(
                f"written to {out}; read and correct it, then run: edgewright cards approve {out}",
                err=True,
            )


@cards.command(epilog="Example: edgewright cards approve thermometer.draft.yaml")
def approve(
    draft: Annotated[
        Path, typer.Argument(metavar="DRAFT.yaml", help="A draft by 'cards from-manual'.")
    ],
) -> None:
    """Show a draft and, once you confirm it, add its card to the catalogue."""
    with reported_errors(as_json=False):
        from edgewright.agents.planner.fitting import confusion
        from edgewright.cli.views.cards import confusion_view, draft_view
        from edgewright.tools.cards.added import add_card, check_unused
        from edgewright.tools.errors import InputError
        from edgewright.tools.library import known_cards

        drafted, known = _read(draft), known_cards()
        check_unused(drafted.card, known)
        if not sys.stdin.isatty():
            raise InputError(
                "a card needs your approval, and this is no terminal; run the command in one",
                code="approval_needed",
            )
        with progress_console().status("comparing it with the other cards"):
            found = confusion.check(drafted.card, known)
        print_table(draft_view(drafted))
        print_table(confusion_view(found))
        if not typer.confirm("Does this describe the device? Add the card?", default=False):
            say("not added", err=True)
            raise typer.Exit(FAILED)
        say(f"added as {add_card(drafted.card)}")


@cards.command(epilog="Example: edgewright cards history handwritten-digit-classifier")
def history(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="Id of a tool that was trained.")],
    as_json: Json = False,
) -> None:
    """List the models that a trained tool has had, and those stored for it."""
    with reported_errors(as_json):
        from edgewright.cli.views.cards import history_view
        from edgewright.tools.federated.serving.versions import versions

        found = versions(tool)
        if as_json:
            print_json([version.model_dump(mode="json") for version in found])
        else:
            print_table(history_view(tool, found))


@cards.command(epilog="Example: edgewright cards rollback handwritten-digit-classifier")
def rollback(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="Id of a tool that was trained.")],
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="Run that trained the model; see 'cards history'. [default: the one before]",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give a trained tool an earlier model back, or one that was only stored."""
    with reported_errors(as_json):
        from edgewright.tools.federated.serving.versions import restore

        version = restore(tool, run)
        if as_json:
            print_json(version.model_dump(mode="json"))
        else:
            say(f"{tool} has the model of run {version.run} now")


def _write(drafted: CardDraft, path: Path) -> None:
    import yaml

    from edgewright.tools.errors import InputError

    text = yaml.safe_dump(drafted.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write("# A draft: not used before 'edgewright cards approve'.\n")
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"{str(path)!r} exists already; remove it or choose another --out", code="out_exists"
        ) from None
    except OSError as error:
        raise InputError(
            f"cannot write {str(path)!r}: {error.strerror}; choose another --out",
            code="out_unwritable",
        ) from None


def _read(path: Path) -> CardDraft:
    from pydantic import ValidationError

    from edgewright.agents.manuals.draft import CardDraft
    from edgewright.tools.errors import InputError
    from edgewright.tools.storage.documents import DocumentError, parse_yaml
    from edgewright.tools.storage.reading import decode, read_file

    try:
        return CardDraft.model_validate(parse_yaml(decode(read_file(path, MAX_DRAFT_BYTES))))
    except DocumentError as error:
        raise InputError(
            f"{str(path)!r} is not a readable YAML draft: {error}", code="draft_invalid"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "draft"
        raise InputError(
            f"draft {path.name}: {where}: {first['msg']}", code="draft_invalid"
        ) from None
