"""The data that trainings may use: named sets, and what the server's owner allows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgewright.tools.datasets.sources import NAMED_SETS
from edgewright.tools.errors import ScopeError
from edgewright.tools.storage.paths import existing_path


def list_data(allowed: Sequence[Path]) -> list[dict[str, Any]]:
    """List the data that can be chosen.

    Args:
        allowed: Folders and files that the server's owner allows.
    """
    named = [{"source": name, "title": f"{name}: {what}"} for name, what in NAMED_SETS.items()]
    own = [{"source": str(path), "title": path.name} for path in allowed if path.exists()]
    return [*named, *own]


def check_source(source: str, allowed: Sequence[Path] | None) -> None:
    """Check that data may be used. Blocks.

    Words can name any path of this machine, so what they name is checked as well.

    Args:
        source: A named set or a path, as ``load_source`` takes it.
        allowed: As for ``list_data``; None allows everything, for this machine's own user.

    Raises:
        ScopeError: They may not (``data_not_allowed``).
    """
    if allowed is None or source in NAMED_SETS:
        return
    path = existing_path(source).resolve()
    if not any(path.is_relative_to(each.expanduser().resolve()) for each in allowed):
        raise ScopeError(
            f"{source[:200]!r} is not among the data of this server; choose other data, or start "
            f"the server with --data {source[:200]}",
            code="data_not_allowed",
        )
