"""Units of time and of size, and numbers with a unit."""

from __future__ import annotations

from edgewright.agents.fl_coder.constraints.numbers import Number, Token, numbers_of

#: Seconds of units of time, and bytes of units of size.
SECONDS: dict[str, float] = {"second": 1, "sec": 1, "s": 1, "minute": 60, "min": 60}
SECONDS |= {"hour": 3600, "hr": 3600, "h": 3600, "day": 86_400, "week": 604_800}
BYTES: dict[str, float] = {"byte": 1, "b": 1}
BYTES |= {"kbit": 125, "kilobit": 125, "mbit": 125e3, "megabit": 125e3, "gbit": 125e6}
BYTES |= {"kilobyte": 1e3, "kb": 1e3, "kib": 1024, "kibibyte": 1024}
BYTES |= {"megabyte": 1e6, "mb": 1e6, "mib": 1024**2, "mebibyte": 1024**2}
BYTES |= {"gigabyte": 1e9, "gb": 1e9, "gib": 1024**3, "gibibyte": 1024**3}


_MINUTES = frozenset({"minutes", "minute", "mins", "min", "m"})
_MINUTES_AN_HOUR = 60
#: Adjectives between a number and its unit: "two full days".
_ADJECTIVES = frozenset({"full", "whole", "entire", "complete", "short", "long", "more"})


def with_unit(
    tokens: list[Token], number: Number, units: dict[str, float]
) -> tuple[float, int] | None:
    """Return the value in the base unit of a number with a unit, and the token after it."""
    position = _unit_after(tokens, number)
    if position >= len(tokens):
        return None
    word = tokens[position].text
    scale = units.get(word, units.get(word.removesuffix("s"), 0.0) if len(word) > 2 else 0.0)
    if not scale:
        return None
    position += 1
    value = number.low
    rest = [token.text for token in tokens[position : position + 3]]
    if rest[:2] in (["and", "a"], ["and", "an"]) and rest[2:] and rest[2] in ("half", "quarter"):
        value += 0.5 if rest[2] == "half" else 0.25  # an hour and a half
        position += 3
    elif scale == SECONDS["hour"]:
        minutes, position = _minutes(tokens, position)
        value += minutes / 60
    return round(value * scale, 6), position


def _minutes(tokens: list[Token], position: int) -> tuple[float, int]:
    """Return the minutes after hours, as in "1h45" or "an hour and ten", and what follows them."""
    joined = tokens[position : position + 1] != [] and tokens[position].text == "and"
    start = position + joined
    numbers = numbers_of(tokens[start : start + 3])
    if not numbers or numbers[0].first > 0 or not 1 <= numbers[0].low < _MINUTES_AN_HOUR:
        return 0.0, position
    ends = start + numbers[0].after
    named = ends < len(tokens) and tokens[ends].text in _MINUTES
    closed = joined and (ends == len(tokens) or not tokens[ends].text.isalnum())
    bare = not joined and tokens[start].start == tokens[start - 1].end
    if not (named or closed or bare):
        return 0.0, position
    return numbers[0].low, ends + named


def _unit_after(tokens: list[Token], number: Number) -> int:
    """Return where the unit of a number stands, if it has one."""
    words = [token.text for token in tokens[number.after : number.after + 3]]
    skipped = 0
    if words[:1] and words[0] in ("-", "of"):
        skipped = 1 + (words[1:2] in (["a"], ["an"]))  # a ten-minute limit, a quarter of an hour
    elif number.share and words[:1] in (["a"], ["an"]):
        skipped = 1  # half an hour
    adjective = words[skipped : skipped + 1]
    return number.after + skipped + bool(_ADJECTIVES.intersection(adjective))
