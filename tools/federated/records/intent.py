"""The intent of a run: what it is for, written at its start, so that an interrupted run has it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.layout import RunFolder
from edgewright.tools.storage.atomic import write_file
from edgewright.tools.storage.reading import read_file

_MAX_BYTES = 1_000_000


class RunIntent(BaseModel):
    """What a run is for.

    Attributes:
        purpose: The person's words.
        data: The data source.
        clients: Requested number of clients; 0 for one per value of an attribute.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: str
    data: str
    clients: int


def write_intent(run: RunFolder, intent: RunIntent) -> None:
    """Write the intent of a run that begins."""
    run.root.mkdir(parents=True, exist_ok=True)
    write_file(run.intent, intent.model_dump_json().encode())


def read_intent(run: RunFolder) -> RunIntent | None:
    """Return the intent of a run; None if it has none."""
    try:
        return RunIntent.model_validate_json(read_file(run.intent, _MAX_BYTES))
    except (InputError, ValidationError):
        return None
