"""What every command shares: where output goes, and how an error is told."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

#: Exit codes: the work failed, the input was wrong, Ctrl-C.
FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
NodeUrl = Annotated[
    str | None,
    typer.Option(
        "--node",
        metavar="URL",
        help="Device node to use; without one, a private node is started and stopped again.",
        envvar="EDGEWRIGHT_DEVICE_URL",
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image", "-i", metavar="FILE", help="A picture: a file or camera:NAME. Repeatable."
    ),
]


def progress_console() -> Console:
    """Return the console for people, on standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Write one JSON value on one line of standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_table(renderable: RenderableType) -> None:
    """Write a table on standard output."""
    from rich.console import Console

    Console(highlight=False).print(renderable)


@contextmanager
def reported_errors(as_json: bool) -> Iterator[None]:
    """Tell any error in one line with its code, and end the command with a matching exit code.

    Args:
        as_json: Whether to print ``{"error": ErrorInfo}`` instead.
    """
    from edgewright.tools.errors import EdgewrightError

    try:
        yield
    except EdgewrightError as error:
        _fail(error, as_json)
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read the output has closed it, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        # The last place before a person, who is never shown a traceback unless asked for.
        logging.getLogger(__name__).error("a defect", exc_info=error)
        hint = "set EDGEWRIGHT_DEBUG=1 to see where, and report it"
        message = f"a defect in the program ({type(error).__name__}: {error}); {hint}"
        _fail(EdgewrightError(message), as_json)


def report_error(error: Exception, as_json: bool = False) -> None:
    """Write an error for a person on standard error, or as JSON on standard output."""
    from edgewright.tools.errors import EdgewrightError

    assert isinstance(error, EdgewrightError)
    info = error.info()
    if as_json:
        print_json({"error": info.model_dump(mode="json")})
    else:
        typer.echo(f"error: {info.message} [{info.code}]", err=True)


def _fail(error: Exception, as_json: bool) -> NoReturn:
    from edgewright.tools.errors import InputError, NotFoundError

    report_error(error, as_json)
    wrong_input = isinstance(error, InputError | NotFoundError)
    raise typer.Exit(WRONG_INPUT if wrong_input else FAILED)
