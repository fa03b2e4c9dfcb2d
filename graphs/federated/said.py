"""What a person's words say about a run itself: its time, and the accuracy that is enough."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from edgewright.agents.fl_coder.constraints.limits import read_limits
from edgewright.graphs.federated.state import TrainSettings


def as_said(settings: TrainSettings, words: str, *, fixed: Set[str] = frozenset()) -> TrainSettings:
    """Return the settings with the time and the target that words state.

    Args:
        settings: The settings so far.
        words: The person's words.
        fixed: Names of settings that were given as such, which count more than the words.
    """
    limits = {each.quantity: each.value for each in read_limits(words)}
    changed: dict[str, Any] = {}
    if "accuracy" in limits and "target" not in fixed:
        changed["target"] = limits["accuracy"]
    if "seconds" in limits and "time_s" not in fixed:
        changed["time_s"] = limits["seconds"]
        if "limits" not in fixed:
            time_s = min(settings.limits.time_s, limits["seconds"])
            changed["limits"] = settings.limits.model_copy(update={"time_s": time_s})
    return settings.model_copy(update=changed)
