"""JSON schemas as short outlines, for prompts that small models read too."""

from __future__ import annotations

import json
from typing import Any

_Schema = dict[str, Any]
#: Bounds of a schema, as signs.
_BOUNDS = {
    "minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<",
    "maxItems": "at most", "minItems": "at least",
}  # fmt: skip


def outline(schema: _Schema) -> str:
    """Return a JSON schema as one line: names, types, bounds and defaults, without descriptions.

    A "?" follows the name of a field that may be left out.

    Args:
        schema: JSON schema as Pydantic writes it; references may not be circular.
    """
    return _outline(schema, schema.get("$defs", {}))


def _outline(schema: _Schema, definitions: dict[str, _Schema]) -> str:
    if "$ref" in schema:
        return _outline(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "const" in schema or "enum" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        return " | ".join(json.dumps(each) for each in allowed)
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " | ".join(_outline(each, definitions) for each in schema[several])
    return _of_type(schema, definitions) + _bounds(schema)


def _of_type(schema: _Schema, definitions: dict[str, _Schema]) -> str:
    kind = schema.get("type", "any")
    if kind == "array":
        return f"[{_outline(schema.get('items', {}), definitions)}, ...]"
    if kind != "object" or "properties" not in schema:
        return str(kind)
    required = schema.get("required", ())
    fields = [
        f"{json.dumps(name)}{'' if name in required or 'const' in part else '?'}: "
        f"{_outline(part, definitions)}{_default(part)}"
        for name, part in schema["properties"].items()
    ]
    return "{" + ", ".join(fields) + "}"


def _bounds(schema: _Schema) -> str:
    found = [f" {sign} {schema[name]:g}" for name, sign in _BOUNDS.items() if name in schema]
    return "".join(found)


def _default(schema: _Schema) -> str:
    default = schema.get("default")
    if "const" in schema or default in (None, "", [], ()):
        return ""
    return f" (default {json.dumps(default)})"
