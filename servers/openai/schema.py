"""Answers in the form that a client's JSON schema describes, filled from results alone.

A property is filled with what the results say under its name or about its words. One that they say
nothing about is null where the schema allows that, otherwise the plainest value of its type, and
is reported as unanswered: nothing is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright.graphs.assistant.session import Reply
from edgewright.servers.openai.errors import RequestError
from edgewright.servers.openai.facts import facts_of, words_of

Json = dict[str, Any]

_MAX_DEPTH = 12
_MAX_ITEMS = 50
_SHORT = 60
_TITLES = frozenset({"title", "headline", "subject", "label", "name", "object", "category", "type"})
_STATEMENTS = frozenset(
    {"answer", "response", "result", "text", "message", "content", "description", "caption"}
    | {"summary", "scene", "observation", "explanation", "reason", "analysis", "report", "details"}
)
_CERTAINTIES = frozenset({"confidence", "certainty", "probability", "score"})
_COUNTS = frozenset({"count", "number", "amount", "many", "total", "quantity"})
#: Words of a property that say nothing about what it is about.
_PLAIN = frozenset(
    {"is", "are", "was", "has", "have", "there", "any", "a", "an", "the", "in", "on", "at", "of"}
    | {"it", "if", "detected", "present", "visible", "found", "seen", "exists", "contains"}
    | {"whether", "true", "false", "image", "picture", "photo", "scene"}
)


class _UnansweredError(Exception):
    """The results say nothing about a property."""


def answer_schema(schema: Json, reply: Reply) -> tuple[Any, list[str]]:
    """Return a value that a schema describes, and the paths of what the results do not say.

    Args:
        schema: The JSON schema.
        reply: The reply.

    Raises:
        RequestError: The schema is nested too deeply, or refers to what it does not define.
    """
    filler = _Filler(schema, reply)
    value = filler.fill(schema, "", 0)
    return value, filler.unanswered


class _Filler:
    """Fills one schema.

    Args:
        root: The whole schema, which references refer to.
        reply: The reply.
    """

    def __init__(self, root: Json, reply: Reply) -> None:
        self._root = root
        self._answer = reply.answer
        self._facts = facts_of(reply)
        self.unanswered: list[str] = []

    def fill(self, schema: Any, path: str, depth: int) -> Any:
        """Return the value for a part of the schema at a path such as ``scene.title``."""
        if depth > _MAX_DEPTH:
            raise _wrong("is nested too deeply")
        if not isinstance(schema, Mapping):
            schema = {}
        schema, nullable = self._resolved(schema)
        kind = schema.get("type")
        if kind == "object" or (kind is None and "properties" in schema) or not path:
            return self._object(schema, path, depth)
        try:
            return self._value(schema, kind, path, nullable=nullable)
        except _UnansweredError:
            if nullable:
                return None
            self.unanswered.append(path)
            return _plainest(schema, kind)

    def _resolved(self, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
        """Follow references and choices; return whether null is allowed, too."""
        nullable = False
        for _ in range(_MAX_DEPTH):
            choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            kind = schema.get("type")
            if isinstance(reference := schema.get("$ref"), str):
                schema = self._referred(reference)
            elif isinstance(choices, list) and choices:
                nullable |= any(_is_null(each) for each in choices)
                rest = [each for each in choices if not _is_null(each)]
                schema = rest[0] if rest and isinstance(rest[0], Mapping) else {}
            elif isinstance(kind, list):
                nullable |= "null" in kind
                rest = [each for each in kind if each != "null"]
                schema = {**schema, "type": rest[0] if rest else "string"}
            else:
                return schema, nullable
        raise _wrong("refers to itself")

    def _referred(self, reference: str) -> Mapping[str, Any]:
        found: Any = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(part) if part and isinstance(found, Mapping) else found
        if not isinstance(found, Mapping):
            raise _wrong(f"refers to {reference[:100]!r}, which it does not define")
        return found

    def _object(self, schema: Mapping[str, Any], path: str, depth: int) -> Json:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or not properties:
            return {"answer": self._answer} if not path else {}
        return {
            name: self.fill(part, f"{path}.{name}".lstrip("."), depth + 1)
            for name, part in properties.items()
        }

    def _value(self, schema: Mapping[str, Any], kind: Any, path: str, *, nullable: bool) -> Any:
        name = path.rpartition(".")[2]
        if "const" in schema:
            return schema["const"]
        if isinstance(options := schema.get("enum"), list) and options:
            return self._option(options, schema, name)
        if kind == "boolean":
            return self._boolean(name, schema)
        if kind in ("number", "integer"):
            return _limited(self._number(name, schema, kind), schema, kind)
        if kind == "array":
            return self._array(schema, name, nullable=nullable)
        return self._text(name, schema, nullable=nullable)

    def _option(self, options: list[Any], schema: Mapping[str, Any], name: str) -> Any:
        """Choose the option that the results name."""
        if set(options) <= {True, False}:
            return self._boolean(name, schema)
        said = {*words_of(" ".join([self._answer, *self._facts.texts, *self._facts.labels]))}
        for option in options:
            if isinstance(option, str) and (words := words_of(option)) and said.issuperset(words):
                return option
        raise _UnansweredError

    def _boolean(self, name: str, schema: Mapping[str, Any]) -> bool:
        facts = self._facts
        if isinstance(value := facts.named(name), bool):
            return value
        about = {word for word in words_of(name) if word not in _PLAIN}
        if about and facts.labels:
            seen = {word for label in facts.labels for word in words_of(label)}
            if about <= seen:
                return True
        if facts.answer is not None:
            return facts.answer
        said = {*words_of(" ".join(facts.texts))}
        if about and about <= said:
            return True
        raise _UnansweredError

    def _number(self, name: str, schema: Mapping[str, Any], kind: Any) -> float:
        facts, words = self._facts, {*words_of(name)}
        value = facts.named(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if words & _CERTAINTIES and facts.certainty is not None:
            return facts.certainty
        if words & _COUNTS and facts.objects:
            about = words - _COUNTS - _PLAIN
            found = [each for several in facts.objects.values() for each in several]
            named = [each for each in found if about & {*words_of(str(each["label"]))}]
            return float(len(named if about else found))
        raise _UnansweredError

    def _text(self, name: str, schema: Mapping[str, Any], *, nullable: bool) -> str:
        value = self._facts.named(name)
        if value is None and nullable and not {*words_of(name)} & (_TITLES | _STATEMENTS):
            raise _UnansweredError
        text = value if isinstance(value, str) else self._answer
        if not self._facts.texts and not text:
            raise _UnansweredError
        limit = schema.get("maxLength")
        if {*words_of(name)} & _TITLES and not isinstance(value, str):
            text = _short(self._facts.texts[0] if self._facts.texts else text)
        return text[:limit] if isinstance(limit, int) and limit > 0 else text

    def _array(self, schema: Mapping[str, Any], name: str, *, nullable: bool) -> list[Any]:
        facts = self._facts
        items, _ = self._resolved(schema.get("items") or {})
        most = schema.get("maxItems")
        limit = min(most, _MAX_ITEMS) if isinstance(most, int) and most >= 0 else _MAX_ITEMS
        if items.get("type") == "object" or "properties" in items:
            found = [each for several in facts.objects.values() for each in several]
            if not found:
                raise _UnansweredError
            return [_as_object(items, each) for each in found[:limit]]
        value = facts.named(name)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value[:limit]
        if nullable or items.get("type", "string") != "string":
            raise _UnansweredError
        listed = {"objects", "labels", "tags", "items", "things"} & {*words_of(name)}
        texts = [*facts.labels] if listed and facts.labels else [*facts.texts]
        if not texts:
            raise _UnansweredError
        return texts[:limit]


def _as_object(schema: Mapping[str, Any], found: Mapping[str, Any]) -> Json:
    """Return an object that was recognised under the names that a schema gives its properties."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return dict(found)
    values: Json = {}
    for name, part in properties.items():
        words = {*words_of(name)}
        value = found.get(name)
        if value is None and words & _TITLES:
            value = found["label"]
        if value is None and words & _CERTAINTIES:
            value = found.get("score")
        kind = part.get("type") if isinstance(part, Mapping) else None
        values[name] = _plainest(part, kind) if value is None else value
    return values


def _limited(value: float, schema: Mapping[str, Any], kind: Any) -> float | int:
    low, high = schema.get("minimum"), schema.get("maximum")
    value = max(value, low) if isinstance(low, int | float) else value
    value = min(value, high) if isinstance(high, int | float) else value
    return round(value) if kind == "integer" else value


def _plainest(schema: Any, kind: Any) -> Any:
    """Return the plainest value of a type."""
    if not isinstance(schema, Mapping):
        return ""
    if "default" in schema:
        return schema["default"]
    if isinstance(options := schema.get("enum"), list) and options:
        unsure = (each for each in options if str(each).lower() in ("unknown", "none", "other"))
        return next(unsure, options[0])
    if kind in ("number", "integer"):
        return _limited(0.0, schema, kind)
    return {"boolean": False, "array": [], "object": {}, "null": None}.get(str(kind), "")


def _short(text: str) -> str:
    """Return the first statement of a text, without the score behind it."""
    first = text.strip().partition(". ")[0].partition(" (")[0].rstrip(".")
    return first if len(first) <= _SHORT else f"{first[:_SHORT].rpartition(' ')[0]}…"


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def _wrong(reason: str) -> RequestError:
    return RequestError(
        f"the JSON schema {reason}; simplify it", param="response_format", code="schema_invalid"
    )
