"""Validation of what callers give a run, with errors that name the value and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from edgewright.tools.errors import InputError

_Model = TypeVar("_Model", bound=BaseModel)
#: What people call values whose name has a unit.
_SPOKEN = {"time_s": "time"}


def validated(kind: type[_Model], values: Mapping[str, Any]) -> _Model:
    """Validate values.

    Args:
        kind: Their model.
        values: The values by field.

    Raises:
        InputError: One of them is outside its limits (``option_invalid``).
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(_SPOKEN.get(str(part), str(part)) for part in first["loc"]) or "the options"
        limit = first["msg"].replace("Input should be", "must be")
        given = f", not {first['input']!r}"[:100] if first["loc"] else ""
        raise InputError(f"{name} {limit}{given}", code="option_invalid") from None
