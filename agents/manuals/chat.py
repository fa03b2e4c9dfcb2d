"""The chat-model reader of manuals: structured output, each quotation checked word for word.

The model sees the manual's lines as JSON strings, without those that speak to software, and its
facts pass the same checks as the embedded reader's. One repair round tells it what was wrong; facts
that are still wrong are left out. When nothing is left, or the endpoint is down, slow or talking
nonsense, the embedded reader takes the manual and the note says why.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from edgewright.agents.llm.client import ChatModel, InvalidAnswerError, Message
from edgewright.agents.llm.prompts import fill_prompt, to_json
from edgewright.agents.llm.structured import ask_validated, object_schema, parse
from edgewright.agents.manuals.draft import MAX_NOTE, MAX_QUOTE, Extraction, Fact, values
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
            first, *_ = error.message.splitlines()  # of all that is wrong with the facts
            return self._instead(manual, first)
        if not values(facts, "senses"):
            return self._instead(manual, "none of its facts says what the device senses")
        return Extraction(facts=tuple(facts), drafted_by="chat-model")

    def _instead(self, manual: Manual, why: str) -> Extraction:
        read = self._embedded.extract(manual)
        note = f"The chat model was not used: {why}."
        return read.model_copy(update={"note": note[:MAX_NOTE]})

    def _ask(self, manual: Manual) -> list[Fact]:
        """Ask the model, with one repair round if some of its facts are wrong.

        Returns:
            All facts if they are valid, else the valid ones of the latest answer that has any.
        """
        valid: list[Fact] = []

        def validate(answer: dict[str, Any]) -> list[Fact]:
            facts, faults = _checked(answer, manual)
            valid[:] = facts or valid
            if faults:
                raise InvalidAnswerError("\n".join(faults))
            return valid

        schema = answer_schema()
        try:
            return ask_validated(
                self._model,
                messages_for(manual, schema),
                schema,
                validate,
                repair=lambda faults: _prompt("repair", faults=faults),
            )
        except EdgewrightError:
            if not valid:
                raise
            return valid


def messages_for(manual: Manual, schema: dict[str, Any]) -> list[Message]:
    """Return what the model is told about its task and the manual."""
    known = quantities()
    rules = _prompt(
        "manual",
        quantities=", ".join(known),
        interfaces=", ".join(INTERFACES),
        max_quote=str(MAX_QUOTE),
        units=to_json({name: known[name].units for name in known}),
        schema=to_json(schema),
    )
    lines: list[str] = []
    left = MAX_CHARACTERS
    for line in manual.lines:
        row = to_json(_told(line))
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
    fact: dict[str, Any] = {
        "field": {"type": "string", "enum": ["device", "senses", "unit", "interface", "limit"]},
        "value": {"type": "string"},
        "about": {"type": "string"},
        "quote": {"type": "string"},
        "line": {"type": "integer"},
        "page": {"type": "integer"},
    }
    return object_schema(facts={"type": "array", "items": object_schema(**fact)})


def _checked(answer: dict[str, Any], manual: Manual) -> tuple[list[Fact], list[str]]:
    """Return the facts that can be used, and what is wrong with the others."""
    facts: list[Fact] = []
    faults: list[str] = []
    for number, each in enumerate(parse(_Answer, answer).facts, start=1):
        try:
            fact = _fact(each)
        except InvalidAnswerError as error:
            faults.append(f"fact {number}: {error.message}")
            continue
        if wrong := fault(fact, manual):
            faults.append(f"fact {number}: {wrong}")
        else:
            facts.append(fact)
    return facts, faults


def _fact(given: dict[str, Any]) -> Fact:
    """Read one fact; a limit is written as the program writes it."""
    fact = parse(Fact, {**given, "page": given.get("page") or None})
    written = limits(fact.value) if fact.field == "limit" else []
    return fact.model_copy(update={"value": written[0].text}) if written else fact


def _told(line: Line) -> dict[str, Any]:
    return {"page": line.page or 0, "line": line.number, "text": line.text}


def _prompt(name: str, **values: str) -> str:
    return fill_prompt("edgewright.agents.manuals", name, **values)
