"""Parsing JSON and YAML that others wrote, with limits on size, depth, aliases and numbers.

The parsers themselves have few limits: deep YAML crashes the process, merges of merges take
exponential time, and long numbers or impossible dates raise errors of many kinds.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

MAX_DEPTH = 60
#: Maximum number of YAML nodes, each alias counted as all that it stands for.
MAX_NODES = 100_000
MAX_YAML_CHARACTERS = 2_000_000
MAX_DIGITS = 30

_LONG_NUMBER = re.compile(
    rf"[-+]?(?:(?:0[ob])?[0-9_:]{{{MAX_DIGITS + 1},}}|0x[0-9a-fA-F_]{{{MAX_DIGITS + 1},}})"
)
_LINE_END = re.compile("\r\n|\r|\n")
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
#: What PyYAML's constructors raise for values that do not fit an explicit tag.
_VALUE_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


class DocumentError(ValueError):
    """A document is not valid, or exceeds a limit."""


def parse_json(text: str | bytes) -> Any:
    """Parse JSON; lone surrogates become U+FFFD.

    Raises:
        DocumentError: It is not JSON, nested deeper than ``MAX_DEPTH``, or has a number that is
            infinite, not a number or longer than ``MAX_DIGITS``.
    """
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant
        )
    except DocumentError:
        raise
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise DocumentError(f"not valid JSON ({error})") from None
    return _encodable(value, 0)


def parse_yaml(text: str) -> Any:
    """Parse YAML; dates remain text.

    Raises:
        DocumentError: It is not YAML, or exceeds a limit of this module.
    """
    if len(text) > MAX_YAML_CHARACTERS:
        raise DocumentError(f"more than {MAX_YAML_CHARACTERS} characters")
    try:
        _check_yaml(text)
        return _encodable(yaml.load(text, Loader=_Loader), 0)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise DocumentError(f"not valid YAML ({' '.join(str(error).split())[:300]})") from None
    except DocumentError:
        raise
    except _VALUE_ERRORS as error:
        raise DocumentError(f"a value that does not fit its type ({str(error)[:200]})") from None


def first_object(text: str) -> dict[str, Any] | None:
    """Return the first JSON object in a text; None if there is none.

    At most ``_MAX_ATTEMPTS`` places are tried, so the time is linear in the length of the text.

    Args:
        text: Text that may have prose or a code fence around the object.
    """
    start = text.find("{")
    for _ in range(_MAX_ATTEMPTS):
        if start < 0:
            return None
        try:
            value = _encodable(_DECODER.raw_decode(text, start)[0], 0)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
        else:
            return value if isinstance(value, dict) else None
    return None


def parse_rows(text: str) -> Iterator[tuple[int, Any]]:
    """Parse JSON Lines, or a JSON array with one row per element.

    Lines end where JSON Lines says they do: other separators, such as U+2028, are part of a row.

    Args:
        text: The text; blank lines are left out.

    Yields:
        The number of the line or element, from 1, and its value; a ``DocumentError`` in its place
        if it is not valid.
    """
    if text.lstrip().startswith("["):
        try:
            yield from enumerate(parse_json(text), start=1)
        except DocumentError:
            pass  # lines that begin with an array
        else:
            return
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if line.strip():
            try:
                row = parse_json(line)
            except DocumentError as error:
                row = error
            yield number, row


class _Loader(yaml.CSafeLoader):
    """The safe loader without dates."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as declared by the base class
        first: [pair for pair in pairs if pair[0] != _TIMESTAMP]
        for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _check_yaml(text: str) -> None:
    """Check the limits on the stream of events, before anything is built from it."""
    nodes = 0
    open_nodes: list[tuple[str | None, int]] = []
    sizes: dict[str, int] = {}
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise DocumentError("an alias without a complete anchor before it")
            nodes += sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            nodes += 1
            sizes |= {event.anchor: 1} if event.anchor else {}
            number = event.implicit[0] or event.tag in _NUMBERS
            if number and _LONG_NUMBER.fullmatch(event.value):
                raise DocumentError(f"a number of more than {MAX_DIGITS} digits")
        elif isinstance(event, yaml.CollectionStartEvent):
            nodes += 1
            open_nodes.append((event.anchor, nodes))
            if len(open_nodes) > MAX_DEPTH:
                raise _too_deep()
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, start = open_nodes.pop()
            sizes |= {anchor: nodes - start + 1} if anchor else {}
        if nodes > MAX_NODES:
            raise DocumentError(f"more than {MAX_NODES} values, aliases counted in full")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise DocumentError(f"a number of more than {MAX_DIGITS} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise DocumentError("a number that is not finite")
    return value


def _refuse_constant(name: str) -> float:
    raise DocumentError(f"{name} is not a JSON number")


def _encodable(value: Any, depth: int) -> Any:
    """Return a value whose texts can all be encoded, and which is not too deep."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, str):
        pairs = value.encode("utf-16", "surrogatepass")
        return pairs.decode("utf-16", "replace")
    if isinstance(value, list):
        return [_encodable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {_encodable(key, depth + 1): _encodable(v, depth + 1) for key, v in value.items()}
    return value


_MAX_ATTEMPTS = 50
_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant)


def _too_deep() -> DocumentError:
    return DocumentError(f"nested deeper than {MAX_DEPTH} levels")
