"""The tool card: the description of a tool that planners, nodes and people share."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

DataType = Literal["text", "image", "audio", "video", "label", "signal", "model", "dataset"]

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class ArgumentSpec(BaseModel):
    """One argument of a card.

    Attributes:
        type: Type of data the argument takes.
        description: What it is, for planners and people.
        required: Whether the card needs it to run.
        default: Value used when a request gives none.
        max_length: Maximum length of the text, in characters.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: DataType
    description: str
    required: bool = True
    default: str | None = None
    max_length: int = Field(default=2000, gt=0, le=100_000)


class Demonstration(BaseModel):
    """An example request that a card serves, with the expected arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: str = Field(min_length=1, max_length=500)
    args: dict[str, str] = Field(default_factory=dict)


class ToolCard(BaseModel):
    """Description of one capability that can be requested.

    Attributes:
        id: Unique kebab-case name, e.g. ``image-classification``.
        task_type: The Hugging Face task name, e.g. ``visual-question-answering``.
        title: Two or three words for a table.
        description: What it does and when to use it, in one to three sentences.
        inputs: Types of data consumed.
        outputs: Types of data produced.
        arguments: Specifications by argument name.
        demonstrations: Requests that the card serves; data for planners, never instructions.
        sensors: Kinds of sensor that can feed it (``camera``, ``microphone``, ``wifi`` …).
        experts: Ids of experts that can carry it out, best first; empty when none exists yet.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    task_type: str
    title: str = Field(min_length=1, max_length=60)
    description: str = Field(min_length=10, max_length=1000)
    inputs: tuple[DataType, ...]
    outputs: tuple[DataType, ...]
    arguments: dict[str, ArgumentSpec] = Field(default_factory=dict)
    demonstrations: tuple[Demonstration, ...] = ()
    sensors: tuple[str, ...] = ()
    experts: tuple[str, ...] = ()

    @field_validator("id", "task_type")
    @classmethod
    def _kebab(cls, value: str) -> str:
        if not _ID.fullmatch(value):
            raise ValueError(f"{value[:100]!r} must be kebab-case, such as 'image-classification'")
        return value

    @model_validator(mode="after")
    def _demonstrations_fit(self) -> ToolCard:
        for demonstration in self.demonstrations:
            unknown = set(demonstration.args) - set(self.arguments)
            if unknown:
                raise ValueError(
                    f"demonstration {demonstration.request!r} gives {sorted(unknown)}, "
                    f"but the card's arguments are {sorted(self.arguments)}"
                )
        return self

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the card's arguments, for tool-calling interfaces."""
        properties: dict[str, Any] = {}
        for name, spec in self.arguments.items():
            entry: dict[str, Any] = {
                "type": "string",
                "description": spec.description,
                "maxLength": spec.max_length,
            }
            if spec.default is not None:
                entry["default"] = spec.default
            properties[name] = entry
        required = [name for name, spec in self.arguments.items() if spec.required]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }


class ExpertStatus(BaseModel):
    """Whether an expert can run on this machine.

    Attributes:
        expert: Expert id.
        model: Id of the model it uses.
        available: Whether it can run.
        approximate: Whether it stands in for a better expert.
        reason: Why it cannot run and how to fix that, or what would improve it.
    """

    model_config = ConfigDict(frozen=True)

    expert: str
    model: str
    available: bool
    approximate: bool = False
    reason: str = ""


class CardStatus(BaseModel):
    """A card and the expert that would carry it out on this machine.

    Attributes:
        card: The card.
        available: Whether any expert can run it.
        expert: The first expert that can run it; None if there is none.
        reason: Why it is not available, or why better experts were skipped.
    """

    model_config = ConfigDict(frozen=True)

    card: ToolCard
    available: bool
    expert: ExpertStatus | None
    reason: str
