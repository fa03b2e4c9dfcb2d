"""Well-known tasks and how people ask for them: see ``vocabulary.yaml``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

#: Name of the task that is: what was asked for in an earlier turn, once more.
AS_BEFORE = "as-before"


class KnownTask(BaseModel):
    """A task that people ask machines for.

    Attributes:
        name: Hugging Face task name, or a name of its own.
        phrases: Ways to ask for it.
        near: Tasks that people mean when they say this one; it is not declined when a card is one
            of them.
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
