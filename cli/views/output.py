"""What the commands share: common options, where output goes, and how errors are reported."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from edgewright.cli.extras import extra_with
from edgewright.cli.views.safe import discard_output, print_json, say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from edgewright.tools.errors import EdgewrightError

_MISSING = re.compile(r"No module named '([\w.]+)'")

#: Exit codes: the work failed, the input was wrong, Ctrl-C.
FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
NodeUrl = Annotated[
    str | None,
    typer.Option(
        "--node",
        metavar="URL",
        help="Device node to use, or several separated by commas: each task goes to the one that "
        "has the sensor or model. Without one, ask and chat start a private node.",
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
    from edgewright.cli.views.screen import Screen

    return Screen(stderr=True, highlight=False)


def print_table(renderable: RenderableType) -> None:
    """Write a table on standard output."""
    from edgewright.cli.views.screen import Screen

    Screen(highlight=False).print(renderable)


@contextmanager
def reported_errors(as_json: bool) -> Iterator[None]:
    """Report any error in one line with its code, and exit with a matching code.

    Args:
        as_json: Whether to print ``{"error": ErrorInfo}`` instead.
    """
    try:
        yield
        sys.stdout.flush()  # so that a full disk is noticed here
    except KeyboardInterrupt:
        say("stopped", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of the output has closed it, as `| head` does.
        discard_output()
        raise typer.Exit(FAILED) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # noqa: BLE001 - the last place before the user
        try:
            reported = report_error(error, as_json)
        except OSError:
            reported = report_error(error)
        if isinstance(error, OSError):
            discard_output()  # it may be what failed, and would fail again at the exit
        raise typer.Exit(_exit_code(reported)) from None


def report_error(error: Exception, as_json: bool = False) -> EdgewrightError:
    """Write an error on standard error, or as JSON on standard output.

    Args:
        error: Any error. One that is not the suite's own and not about a missing package is a
            bug, which is logged with its traceback.
        as_json: Whether to print ``{"error": ErrorInfo}``.

    Returns:
        The error that was written.
    """
    from edgewright.tools.errors import EdgewrightError, StorageError

    reported = _missing_extra(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        reported = StorageError(f"writing failed ({error.strerror}); free some space")
    if reported is None and isinstance(error, EdgewrightError):
        reported = error
    elif reported is None:
        import logging

        logging.getLogger(__name__).error("a defect", exc_info=error)
        hint = "set EDGEWRIGHT_DEBUG=1 to see where, and report it"
        reported = EdgewrightError(
            f"a defect in the program ({type(error).__name__}: {error}); {hint}"
        )
    info = reported.info()
    if as_json:
        print_json({"error": info.model_dump(mode="json")})
    else:
        # A message may quote a parser's, which can have several lines.
        say(f"error: {' '.join(info.message.split())} [{info.code}]", err=True)
    return reported


def _missing_extra(error: Exception) -> EdgewrightError | None:
    """Return the error for a package that an extra brings; None if it is not about one."""
    from edgewright.tools.errors import UnavailableError

    # A node is a process of its own, and has only words for it.
    quoted = _MISSING.search(str(error))
    name = error.name if isinstance(error, ModuleNotFoundError) else quoted and quoted[1]
    if not name or not (extra := extra_with(name)):
        return None
    return UnavailableError(
        f"{name} is not installed; pip install 'edgewright[{extra}]' "
        "('edgewright doctor' lists everything that is missing)",
        code="extra_missing",
    )


def _exit_code(error: EdgewrightError) -> int:
    from edgewright.tools.errors import InputError, NotFoundError

    return WRONG_INPUT if isinstance(error, InputError | NotFoundError) else FAILED
