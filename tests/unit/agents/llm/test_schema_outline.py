"""Outlines of JSON schemas: short, but with every name, bound and default."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from edgewright.agents.fl_coder.chat import answer_schema
from edgewright.agents.llm.schema_outline import outline


class Round(BaseModel):
    """A form that does not matter."""

    name: Literal["round"] = "round"
    sides: int = Field(ge=0, lt=3)


class Square(BaseModel):
    name: Literal["square"] = "square"
    tone: Literal["dark", "light"] = "dark"


class Answer(BaseModel):
    form: Annotated[Round | Square, Field(discriminator="name")]
    share: float = Field(default=0.5, gt=0, le=1)
    words: tuple[str, ...] = Field(default=(), max_length=2)
    note: str = ""


def test_an_outline_has_names_types_bounds_and_defaults() -> None:
    assert outline(Answer.model_json_schema()) == (
        '{"form": {"name": "round", "sides": integer >= 0 < 3} | {"name": "square", '
        '"tone"?: "dark" | "light" (default "dark")}, "share"?: number > 0 <= 1 (default 0.5), '
        '"words"?: [string, ...] at most 2, "note"?: string}'
    )


def test_the_coders_schema_is_a_fraction_of_its_length_and_complete() -> None:
    schema = answer_schema()
    text = outline(schema)
    assert len(text) < 0.25 * len(json.dumps(schema))
    for definition in schema["$defs"].values():
        assert all(f'"{name}"' in text for name in definition.get("properties", {}))
