"""Reading a configuration: explicit argument > environment > file > default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from edgewright.tools.errors import InputError
from edgewright.tools.settings import variable
from edgewright.tools.storage.documents import DocumentError, parse_yaml
from edgewright.tools.storage.reading import decode, read_file

#: Maximum size of a configuration, in bytes.
_MAX_BYTES = 1_000_000

#: Fields whose variable holds YAML, as in the file.
_YAML_FIELDS = (("keys",), ("peers",))
_Config = TypeVar("_Config", bound=BaseModel)


def read_config(
    model: type[_Config],
    path: Path | None,
    variables: Mapping[str, tuple[str | int, ...]],
    overrides: Mapping[str, Any],
    environ: Mapping[str, str],
) -> _Config:
    """Read a configuration of any kind.

    Args:
        model: Its model.
        path: YAML file; None means defaults.
        variables: Environment variables that override the file, and the fields they set.
        overrides: Explicit values of top-level fields; None values are ignored.
        environ: The environment.

    Raises:
        InputError: The file, or a variable's file, cannot be read, or a field is invalid; the
            message names it.
    """
    values = _read(path) if path is not None else {}
    for name, field in variables.items():
        if (text := variable(name, environ)) is not None:
            _put(values, field, _parsed(text, name) if field in _YAML_FIELDS else text)
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return model.model_validate({**values, **given})
    except ValidationError as error:
        raise InputError(_first_fault(error), code="invalid_config") from None


def _first_fault(error: ValidationError) -> str:
    """Say what is wrong without the value, which may be a key."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key {where!r} in the configuration; check its spelling"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _read(path: Path) -> dict[str, Any]:
    try:
        values = parse_yaml(decode(read_file(path, _MAX_BYTES)))
    except DocumentError:
        raise InputError(
            f"the configuration {str(path)!r} is not valid YAML", code="invalid_config"
        ) from None
    except InputError as error:
        raise InputError(f"the configuration: {error.message}", code="invalid_config") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(
            f"the configuration {str(path)!r} must hold 'field: value' lines", code="invalid_config"
        )
    return values


def _parsed(text: str, name: str) -> Any:
    try:
        return parse_yaml(text)
    except DocumentError:
        raise InputError(f"{name} is not valid YAML", code="invalid_config") from None


def _put(values: dict[str, Any], field: tuple[str | int, ...], value: Any) -> None:
    """Set a field; one with a number belongs to an item of a list, which is added if missing."""
    if len(field) == 1:
        values[str(field[0])] = value
        return
    name, place, inner = field
    given = values.get(str(name))
    items = list(given) if isinstance(given, list) else []
    if not items:
        items.append({})
    assert isinstance(place, int)
    if isinstance(items[place], dict):
        items[place] = {**items[place], str(inner): value}
    values[str(name)] = items
