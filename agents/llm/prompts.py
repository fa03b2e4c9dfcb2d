"""Prompt files: ``prompts/*.md`` in the packages of the agents."""

from __future__ import annotations

import json
from importlib.resources import files
from string import Template
from typing import Any


def fill_prompt(package: str, name: str, **values: str) -> str:
    """Return ``prompts/<name>.md`` of a package with its ``$placeholders`` filled in."""
    text = (files(package) / "prompts" / f"{name}.md").read_text("utf-8")
    return Template(text).substitute(values).strip()


def to_json(value: Any) -> str:
    """Return a value as JSON. As a JSON string, text from outside cannot pass for instructions."""
    return json.dumps(value, ensure_ascii=False)
