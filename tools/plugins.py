"""Plug-ins: what other distributions add by entry points, and which of them may.

A plug-in is code of somebody else that runs with this user's rights, in the process that needs it.
So it is loaded only where ``EDGEWRIGHT_PLUGINS`` permits its distribution. One that fails is named
in the log and by ``edgewright doctor``, and left out; the others and the suite go on.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any

from edgewright.tools.settings import permitted_plugins

_LOG = logging.getLogger(__name__)

CARDS, EXPERTS, MODELS, CODECS, SENSORS = (
    "edgewright.cards",
    "edgewright.experts",
    "edgewright.models",
    "edgewright.codecs",
    "edgewright.sensors",
)
GROUPS = (CARDS, EXPERTS, MODELS, CODECS, SENSORS)
#: What every object of a group has, if it is one.
_ATTRIBUTE = {CARDS: "demonstrations", EXPERTS: "model", MODELS: "id", CODECS: "name"}


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A distribution that adds something.

    Attributes:
        distribution: Its name.
        version: Its version.
        offers: What it adds, as ``group: name``.
        permitted: Whether it may be loaded.
        faults: What is broken in it; empty if nothing is, or if it may not be loaded.
    """

    distribution: str
    version: str
    offers: tuple[str, ...]
    permitted: bool
    faults: tuple[str, ...] = ()


def entries(group: str) -> EntryPoints:
    """Return the entry points of a group, permitted or not.

    Args:
        group: The group.
    """
    return _installed(tuple(sys.path)).get(group, EntryPoints())


@lru_cache(maxsize=1)
def _installed(path: tuple[str, ...]) -> dict[str, EntryPoints]:
    """Return the entry points on the path by group: reading them takes a file of each package."""
    found = entry_points()
    return {group: found.select(group=group) for group in found.groups}


def contributions(group: str, *arguments: Any) -> Iterator[Any]:
    """Yield what the permitted plug-ins add to a group.

    The object of an entry point is a function that returns several things; it is called with the
    arguments. What is broken is left out with a warning.

    Args:
        group: The group of entry points.
        *arguments: Arguments of each function.
    """
    for entry in entries(group):
        if not is_permitted(entry):
            continue
        try:
            added = _called(entry, *arguments)
        except Exception as error:  # noqa: BLE001 - whatever somebody else's code raises
            _LOG.warning("left out: the plug-in %s (%s)", _name(entry), _reason(error))
        else:
            yield from added


def is_permitted(entry: EntryPoint) -> bool:
    """Return whether ``EDGEWRIGHT_PLUGINS`` permits a plug-in's distribution."""
    permitted = permitted_plugins()
    return permitted is None or _distribution(entry) in permitted


def plugins() -> list[Plugin]:
    """List the distributions that add something, with what is broken in those that may be loaded.

    Functions that need no arguments are called as well.
    """
    by_distribution: dict[str, list[EntryPoint]] = {}
    for group in GROUPS:
        for entry in entries(group):
            by_distribution.setdefault(_distribution(entry), []).append(entry)
    return [
        Plugin(
            distribution=distribution,
            version=found[0].dist.version if found[0].dist else "",
            offers=tuple(_name(entry) for entry in found),
            permitted=is_permitted(found[0]),
            faults=tuple(fault for entry in found if (fault := _fault(entry))),
        )
        for distribution, found in sorted(by_distribution.items())
    ]


def _fault(entry: EntryPoint) -> str:
    if not is_permitted(entry):
        return ""
    try:
        made = entry.load()
        if entry.group in (CARDS, EXPERTS, MODELS):
            _called(entry)
        elif not callable(made):
            raise TypeError("it is no function")
    except Exception as error:  # noqa: BLE001 - whatever somebody else's code raises
        return f"{_name(entry)}: {_reason(error)}"
    return ""


def _called(entry: EntryPoint, *arguments: Any) -> tuple[Any, ...]:
    """Return what an entry point adds.

    Raises:
        TypeError: It adds something else than its group is for.
    """
    added = tuple(entry.load()(*arguments))
    for each in added:
        if not hasattr(each, _ATTRIBUTE[entry.group]):
            raise TypeError(f"it returns a {type(each).__name__}, which is not for this group")
    return added


def _name(entry: EntryPoint) -> str:
    return f"{entry.group.rpartition('.')[2]}: {entry.name}"


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value.partition(":")[0]


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
