"""Asking the user on the terminal whether to train a proposal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markdown import Markdown

if TYPE_CHECKING:
    from edgewright.cli.views.training import TrainingView

_QUESTION = "train this? [a]ccept, [e]dit, [r]espond, [i]gnore and end"


class Asker:
    """Shows a proposal and reads the user's answer; an ``Approve`` of the session.

    Args:
        console: Where to show it.
        view: The live view, which pauses for the question.
    """

    def __init__(self, console: Console, view: TrainingView) -> None:
        self._console = console
        self._view = view

    def __call__(self, interrupt: dict[str, Any]) -> dict[str, Any]:
        """Ask until the answer is valid.

        Raises:
            InputError: There is no terminal (``approval_needed``).
        """
        from edgewright.tools.errors import InputError

        if not sys.stdin.isatty():
            raise InputError(
                "the proposal needs your approval, and this is no terminal; resume the run in one",
                code="approval_needed",
            )
        with self._view.paused():
            self._console.print(Markdown(interrupt["description"]))
            while True:
                answer = typer.prompt(_QUESTION, default="a", err=True).strip().lower()[:1]
                if answer == "a":
                    return {"type": "accept"}
                if answer == "i":
                    return {"type": "ignore"}
                if answer == "r":
                    return {"type": "response", "args": typer.prompt("to the coder", err=True)}
                if answer == "e" and (edited := self._edited(interrupt["action_request"])):
                    return {"type": "edit", "args": edited}

    def _edited(self, action: dict[str, Any]) -> dict[str, Any] | None:
        """Open the candidate in the user's editor; None if it is unchanged or invalid."""
        from pydantic import ValidationError

        from edgewright.tools.federated.records.candidate import Candidate

        text = typer.edit(json.dumps(action["args"], indent=2), extension=".json")
        if text is None:
            return None
        try:
            candidate = Candidate.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            self._console.print(f"{where or 'the file'}: {first['msg']}", markup=False)
            return None
        return {"action": action["action"], "args": candidate.model_dump(mode="json")}
