"""Writes the results of a benchmark: raw figures and their circumstances, a table and a plot."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PACKAGES = (
    "edgewright",
    "torch",
    "numpy",
    "fastapi",
    "starlette",
    "uvicorn",
    "h11",
)


#: Enough for every published digit of a table, and few enough for small files.
SIGNIFICANT_DIGITS = 8
_FLAT_LIST = re.compile(r"\[[^\[\]{}]*\]")


def circumstances() -> dict[str, Any]:
    """Return the machine, versions and revision of the code that figures depend on."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "revision": _revision(),
    }


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table.

    Args:
        columns: Headings.
        rows: Lines, each with a value for every heading.
    """
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def write_results(
    folder: Path,
    name: str,
    figures: Mapping[str, Any],
    markdown: str,
    draw: Callable[[Axes], None],
) -> None:
    """Write ``NAME.json``, ``NAME.md`` and ``NAME.png``.

    Args:
        folder: Folder to write to; created if it does not exist.
        name: Name of the benchmark.
        figures: JSON values.
        markdown: The table, in Markdown.
        draw: Draws the plot.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    content = {"benchmark": name, "circumstances": circumstances(), **figures}
    (folder / f"{name}.json").write_text(as_json(content), "utf-8")
    (folder / f"{name}.md").write_text(markdown, "utf-8")
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    draw(axes)
    figure.savefig(folder / f"{name}.png", dpi=120)
    pyplot.close(figure)


def as_json(figures: Mapping[str, Any]) -> str:
    """Return figures as compact JSON: rounded, and with lists of plain values on one line each.

    Args:
        figures: JSON values.
    """
    text = json.dumps(_rounded(figures), indent=1)
    return _FLAT_LIST.sub(lambda found: re.sub(r"\n *", "", found[0]), text) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> str:
    """Return the commit, with ``+`` when files differ from it; empty outside a checkout."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+"],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
