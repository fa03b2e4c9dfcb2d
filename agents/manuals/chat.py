"""The chat-model reader of manuals.

The model sees the lines of a manual as JSON strings, without those addressed to software, and its
facts are validated like the embedded reader's, each quotation word for word. Facts that are still
invalid after one repair round are left out. If none is left, or the endpoint is down or slow, the
embedded reader takes over and the note says why.
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

#: Maximum number of characters of a manual sent to the model, and of facts accepted from it.
MAX_CHARACTERS = 24_000
MAX_FACTS = 60


class _Answer(BaseModel):
    facts: list[dict[str, Any]] = Field(max_length=MAX_FACTS)


class ChatExtractor:
    """Extracts facts from manuals with an OpenAI-compatible chat model.

    Args:
        model: The chat model.
        embedded: The extractor to use when the chat model fails.
    """

    def __init__(self, model: ChatModel, embedded: EmbeddedExtractor) -> None:
        self._model = model
        self._embedded = embedded

    def extract(self, manual: Manual) -> Extraction:
        """Extract the facts of a manual. A failing endpoint does not raise."""
        try:
            facts = self._ask(manual)
        except EdgewrightError as error:
            first, *_ = error.message.splitlines()  # there may be one line per invalid fact
            return self._fall_back(manual, first)
        if not values(facts, "senses"):
            return self._fall_back(manual, "none of its facts states what the device senses")
        return Extraction(facts=tuple(facts), drafted_by="chat-model")

    def _fall_back(self, manual: Manual, why: str) -> Extraction:
        extraction = self._embedded.extract(manual)
        note = f"The chat model was not used: {why}."
        return extraction.model_copy(update={"note": note[:MAX_NOTE]})

    def _ask(self, manual: Manual) -> list[Fact]:
        """Ask the model, with one repair round if some of its facts are invalid.

        Returns:
            The valid facts of the latest answer that has any.
        """
        valid: list[Fact] = []

        def validate(answer: dict[str, Any]) -> list[Fact]:
            facts, faults = _validated(answer, manual)
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
    """Return the messages with the model's task and the lines of the manual."""
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
    remaining = MAX_CHARACTERS
    for line in manual.lines:
        row = to_json(_row(line))
        remaining -= len(row)
        if remaining < 0:
            break
        if not is_command(line.text):
            lines.append(row)
    return [
        Message(role="system", content=rules),
        Message(role="user", content=_prompt("lines", lines="\n".join(lines))),
    ]


def answer_schema() -> dict[str, Any]:
    """Return the schema of the model's answer, within what strict structured output supports."""
    fact: dict[str, Any] = {
        "field": {"type": "string", "enum": ["device", "senses", "unit", "interface", "limit"]},
        "value": {"type": "string"},
        "about": {"type": "string"},
        "quote": {"type": "string"},
        "line": {"type": "integer"},
        "page": {"type": "integer"},
    }
    return object_schema(facts={"type": "array", "items": object_schema(**fact)})


def _validated(answer: dict[str, Any], manual: Manual) -> tuple[list[Fact], list[str]]:
    """Return the valid facts, and what is wrong with the others."""
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
    """Parse a fact; a limit is normalised."""
    fact = parse(Fact, {**given, "page": given.get("page") or None})
    found = limits(fact.value) if fact.field == "limit" else []
    return fact.model_copy(update={"value": found[0].text}) if found else fact


def _row(line: Line) -> dict[str, Any]:
    return {"page": line.page or 0, "line": line.number, "text": line.text}


def _prompt(name: str, **values: str) -> str:
    return fill_prompt("edgewright.agents.manuals", name, **values)
