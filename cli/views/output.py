"""What the commands share: common options, where output goes, and how errors are reported."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from edgewright.cli.extras import extra_with

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from edgewright.tools.errors import EdgewrightError

#: Exit codes: the work failed, the input was wrong, Ctrl-C.
FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
NodeUrl = Annotated[
    str | None,
    typer.Option(
        "--node",
        metavar="URL",
        help="Device node to use. Without one, a private node runs for the call.",
        envvar="EDGEWRIGHT_DEVICE_URL",
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image", "-i", metavar="FILE", help="An image: a file or camera:NAME. Repeatable."
    ),
]
Embedded = Annotated[
    bool, typer.Option("--embedded", help="Ignore the chat model, even if one is configured.")
]


def progress_console() -> Console:
    """Return the console for progress and messages, on standard error."""
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
    """Report any error in one line with its code, and exit with a matching code.

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
        # The reader of the output has closed it, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        # The last place before the user, who sees a traceback only on request.
        failure = _missing_extra(error)
        if failure is None:
            logging.getLogger(__name__).error("a defect", exc_info=error)
            hint = "set EDGEWRIGHT_DEBUG=1 to see where, and report it"
            message = f"a defect in the program ({type(error).__name__}: {error}); {hint}"
            failure = EdgewrightError(message)
        _fail(failure, as_json)


def report_error(error: EdgewrightError, as_json: bool = False) -> None:
    """Write an error on standard error, or as JSON on standard output."""
    info = error.info()
    if as_json:
        print_json({"error": info.model_dump(mode="json")})
    else:
        # A message may quote a parser's, which can have several lines.
        typer.echo(f"error: {' '.join(info.message.split())} [{info.code}]", err=True)


def _missing_extra(error: Exception) -> EdgewrightError | None:
    """Return the error for a package that an extra brings; None if it is not about one."""
    from edgewright.tools.errors import UnavailableError

    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if not name or not (extra := extra_with(name)):
        return None
    return UnavailableError(
        f"{name} is not installed; pip install 'edgewright[{extra}]' "
        "('edgewright doctor' lists everything that is missing)",
        code="extra_missing",
    )


def _fail(error: EdgewrightError, as_json: bool) -> NoReturn:
    from edgewright.tools.errors import InputError, NotFoundError

    report_error(error, as_json)
    wrong_input = isinstance(error, InputError | NotFoundError)
    raise typer.Exit(WRONG_INPUT if wrong_input else FAILED)
