"""The chat-model reader of manuals: structured output, each quotation checked word for word.

The model sees the manual's lines as JSON strings, without those that speak to software, and its
facts pass the same checks as the embedded reader's. One repair round tells it what was wrong; facts
that are still wrong are left out. When nothing is left, or the endpoint is down, slow or talking
nonsense, the embedded reader takes the manual and the note says why.
"""

from __future__ import annotations

import json
import time
from importlib.resources import files
from string import Template
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from edgewright.agents.llm.client import ChatModel, Message, NonsenseError
from edgewright.agents.manuals.draft import MAX_QUOTE, Extraction, Fact, values
from edgewright.agents.manuals.embedded import EmbeddedExtractor
from edgewright.agents.manuals.facts import fault
from edgewright.agents.manuals.findings import is_command, limits
from edgewright.agents.manuals.vocabulary import INTERFACES, quantities
from edgewright.tools.errors import EdgewrightError
from edgewright.tools.manuals.manual import Line, Manual

#: Most characters of a manual that are sent to a model, and most facts that are taken from it.
MAX_CHARACTERS = 24_000
MAX_FACTS = 60


class _Answer(BaseModel):
    facts: list[dict[str, Any]] = Field(max_length=MAX_FACTS)


class ChatExtractor:
    """Reads manuals with an OpenAI-compatible chat model.

    Args:
        model: The chat model.
        embedded: Who reads when the model cannot.
    """

    def __init__(self, model: ChatModel, embedded: EmbeddedExtractor) -> None:
        self._model = model
        self._embedded = embedded

    def extract(self, manual: Manual) -> Extraction:
        """Read the facts of a manual; never raises for what the endpoint is like."""
        try:
            facts = self._ask(manual)
        except EdgewrightError as error:
            return self._instead(manual, error.message)
        if not values(facts, "senses"):
            return self._instead(manual, "none of its facts says what the device senses")
        return Extraction(facts=tuple(facts), drafted_by="chat-model")

    def _instead(self, manual: Manual, why: str) -> Extraction:
        read = self._embedded.extract(manual)
        return read.model_copy(update={"note": f"The chat model was not used: {why}."})

    def _ask(self, manual: Manual) -> list[Fact]:
        """Ask the model, once more if some of its facts are wrong, all under one deadline."""
        deadline = time.monotonic() + self._model.settings.timeout_s
        schema = answer_schema()
        messages = messages_for(manual, schema)
        try:
            answer = self._model.ask(messages, schema, deadline=deadline)
            said = json.dumps(answer)
            facts, faults = _checked(answer, manual)
        except NonsenseError as error:
            said, facts, faults = error.answer, [], [error.message]
        if not faults:
            return facts
        messages += [
            Message(role="assistant", content=said[:MAX_CHARACTERS]),
            Message(role="user", content=_prompt("repair", faults="\n".join(faults))),
        ]
        try:
            answer = self._model.ask(messages, schema, deadline=deadline)
        except EdgewrightError:
            if facts:
                return facts
            raise
        repaired, _ = _checked(answer, manual)
        return repaired or facts


def messages_for(manual: Manual, schema: dict[str, Any]) -> list[Message]:
    """Return what the model is told about its task and the manual."""
    known = quantities()
    rules = _prompt(
        "manual",
        quantities=", ".join(known),
        interfaces=", ".join(INTERFACES),
        max_quote=str(MAX_QUOTE),
        units=json.dumps({name: known[name].units for name in known}, ensure_ascii=False),
        schema=json.dumps(schema, ensure_ascii=False),
    )
    lines: list[str] = []
    left = MAX_CHARACTERS
    for line in manual.lines:
        row = json.dumps(_told(line), ensure_ascii=False)
        left -= len(row)
        if left < 0:
            break
        if not is_command(line.text):
            lines.append(row)
    return [
        Message(role="system", content=rules),
        Message(role="user", content=_prompt("lines", lines="\n".join(lines))),
    ]


def answer_schema() -> dict[str, Any]:
    """Return the schema of the model's answer, in what strict structured output takes of it."""
    fact = {
        "field": {"type": "string", "enum": ["device", "senses", "unit", "interface", "limit"]},
        "value": {"type": "string"},
        "about": {"type": "string"},
        "quote": {"type": "string"},
        "line": {"type": "integer"},
        "page": {"type": "integer"},
    }
    return _object({"facts": {"type": "array", "items": _object(fact)}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _checked(answer: dict[str, Any], manual: Manual) -> tuple[list[Fact], list[str]]:
    """Return the facts that can be used, and what is wrong with the others."""
    try:
        given = _Answer.model_validate(answer).facts
    except ValidationError:
        return [], [f"the answer is no object with a list 'facts' of at most {MAX_FACTS} objects"]
    facts: list[Fact] = []
    faults: list[str] = []
    for number, each in enumerate(given, start=1):
        try:
            fact = _fact(each)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            faults.append(f"fact {number}, {where}: {first['msg']}")
            continue
        if wrong := fault(fact, manual):
            faults.append(f"fact {number}: {wrong}")
        else:
            facts.append(fact)
    return facts, faults


def _fact(given: dict[str, Any]) -> Fact:
    """Read one fact; a limit is written as the program writes it."""
    fact = Fact.model_validate({**given, "page": given.get("page") or None})
    written = limits(fact.value) if fact.field == "limit" else []
    return fact.model_copy(update={"value": written[0].text}) if written else fact


def _told(line: Line) -> dict[str, Any]:
    return {"page": line.page or 0, "line": line.number, "text": line.text}


def _prompt(name: str, **filled: str) -> str:
    folder = files("edgewright.agents.manuals") / "prompts"
    return Template((folder / f"{name}.md").read_text("utf-8")).substitute(filled).strip()
