"""The photographs of the benchmark, with what is asked about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edgewright.benchmarks.common.data import DATA
from edgewright.benchmarks.workloads.scenes import Half, contents, lines, listed

#: The two halves of the benchmark's photographs, and those added for development later.
Part: TypeAlias = Half | Literal["further"]


@dataclass(frozen=True)
class Photograph:
    """A photograph and what is asked about it.

    Attributes:
        name: Its name in the benchmark.
        data: The encoded file.
        things: Nouns that a caption may truthfully name.
        questions: Lines of ``questions.jsonl``.
    """

    name: str
    data: bytes
    things: tuple[str, ...]
    questions: tuple[dict[str, Any], ...]


def photographs(
    part: Part, folders: Sequence[Path], data: Path = DATA / "experts"
) -> list[Photograph]:
    """Return the photographs of one part.

    Args:
        part: Which part.
        folders: Where packages are unpacked, beside this machine's root.
        data: Folder of the benchmark's data.

    Raises:
        MissingPhotographsError: Some are not there, or are other files than those asked about.
    """
    if part == "further":
        data = data / part
        entries = lines(data / "photographs.jsonl")
    else:
        entries = listed(part, data)
    questions = lines(data / "questions.jsonl")
    return [
        Photograph(
            entry["name"],
            content,
            tuple(entry["things"]),
            tuple(each for each in questions if each["photograph"] == entry["name"]),
        )
        for entry, content in zip(entries, contents(entries, folders), strict=True)
    ]
