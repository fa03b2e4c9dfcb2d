"""Well-known tasks and how people request them; the data is in ``vocabulary.yaml``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

#: Name of the task "repeat what an earlier turn requested".
AS_BEFORE = "as-before"


class KnownTask(BaseModel):
    """A task that people request of machines.

    Attributes:
        name: Hugging Face task name, or another name if it has none.
        phrases: Example requests.
        near: Tasks that people also mean by these phrases. If a card serves one of them, requests
            for this task are not declined.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    phrases: tuple[str, ...]
    near: tuple[str, ...] = ()


@cache
def known_tasks() -> tuple[KnownTask, ...]:
    """Return the vocabulary that ships with the package."""
    text = (files("edgewright.agents.planner.embedded") / "vocabulary.yaml").read_text("utf-8")
    entries = yaml.load(text, Loader=yaml.CSafeLoader)
    return tuple(KnownTask.model_validate(entry) for entry in entries)
