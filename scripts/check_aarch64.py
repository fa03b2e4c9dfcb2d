"""Checks that a node's packages install on 64-bit ARM from wheels alone.

Run ``make check-aarch64``. For each Python, uv resolves the extras ``edge`` and ``onnx`` under
constraints.txt as a board would, with the environment markers of that board, and builds nothing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PYTHONS = ("3.11", "3.12", "3.13")
EXTRAS = ("edge", "onnx")
#: The C library of Debian 10, Ubuntu 20.04 and JetPack 5, or a later one.
PLATFORM = "aarch64-manylinux_2_28"
_TIMEOUT_S = 300


def resolve(python: str, project: Path) -> tuple[dict[str, str], str]:
    """Resolve the pins of one Python.

    Args:
        python: Version of Python on the board.
        project: Folder with ``pyproject.toml`` and ``constraints.txt``.

    Returns:
        Version by package, and what is wrong; one of them is empty.
    """
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-config"),
        *("--no-header", "--no-annotate", "--only-binary", ":all:"),
        *("--python-platform", PLATFORM, "--python-version", python),
        *("--constraint", str(project / "constraints.txt")),
        *(f"--extra={extra}" for extra in EXTRAS),
        str(project / "pyproject.toml"),
    ]
    run = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if run.returncode:
        return {}, run.stderr.strip()
    pins = (line.partition("==") for line in run.stdout.splitlines() if "==" in line)
    return {name: version.partition(" ")[0] for name, _, version in pins}, ""


def table(pins: Mapping[str, Mapping[str, str]]) -> str:
    """Return a table with a line for each package and a column for each Python.

    Args:
        pins: Version by package, by Python.
    """
    names = sorted({name for found in pins.values() for name in found})
    rows = [["package", *pins]]
    rows += [[name, *(found.get(name, "-") for found in pins.values())] for name in names]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Resolve for every Python and print the table.

    Args:
        arguments: The project's folder; the working folder by default.

    Returns:
        0, or 1 when a package has no wheel for one of the Pythons.
    """
    given = sys.argv[1:] if arguments is None else arguments
    project = Path(given[0] if given else ".")
    pins: dict[str, dict[str, str]] = {}
    errors: list[str] = []
    for python in PYTHONS:
        found, error = resolve(python, project)
        if error:
            errors.append(f"Python {python}: {error}")
        else:
            pins[python] = found
    if pins:
        print(table(pins))  # noqa: T201
    extras = ",".join(EXTRAS)
    for error in errors:
        print(f"[{extras}] does not install from wheels on {PLATFORM}; {error}", file=sys.stderr)  # noqa: T201
    if not errors:
        print(f"[{extras}] installs from wheels on {PLATFORM}, Python {', '.join(PYTHONS)}")  # noqa: T201
    return int(bool(errors))


if __name__ == "__main__":
    sys.exit(main())
