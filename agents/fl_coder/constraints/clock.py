"""Reads a duration that is written like a clock, or between two times of a day."""

from __future__ import annotations

import re

from edgewright.agents.fl_coder.constraints.places import Place, place_of_match

_DURATION = re.compile(r"\b(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)\b")
_HOURS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_TIME = re.compile(
    r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s*(?P<half>[ap])\.?m\b"
    r"|\b(?P<word>\d{1,2}|"
    + "|".join(_HOURS)
    + r")(?:\s+o'?clock)?\s+(?:in\s+the\s+(?P<part>morning|"
    r"afternoon|evening)|at\s+night)\b"
    r"|\b(?P<hours>[01]?\d|2[0-4]):(?P<minutes>[0-5]\d)\b|\b(?P<name>noon|midday|midnight)\b",
    re.IGNORECASE,
)
_NAMED = {"noon": 12.0, "midday": 12.0, "midnight": 24.0}
_DAY_H = 24.0


def read_clock(sentence: str) -> tuple[float, tuple[Place, ...]] | None:
    """Return the seconds of "02:30:00", or from "8 a.m." to "noon", and where these stand."""
    if duration := _DURATION.search(sentence):
        parts = [int(duration[name]) for name in ("hours", "minutes", "seconds")]
        lasting = 3600.0 * parts[0] + 60 * parts[1] + parts[2]
        return (lasting, (place_of_match(duration),)) if lasting else None
    times = list(_TIME.finditer(sentence))
    if len(times) != 2:
        return None
    lasting = (_hour(times[1]) - _hour(times[0])) % _DAY_H * 3600
    return (lasting, tuple(map(place_of_match, times))) if lasting else None


def _hour(match: re.Match[str]) -> float:
    """Return the hour of the day."""
    if match["name"]:
        return _NAMED[match["name"].lower()]
    if match["half"]:
        hour = int(match["hour"]) % 12 + 12 * (match["half"].lower() == "p")
        return hour + int(match["minute"] or 0) / 60
    if word := (match["word"] or "").lower():
        hour = int(word) if word.isdigit() else _HOURS.index(word) + 1
        return hour % 12 + (0.0 if match["part"] == "morning" else 12.0)
    return int(match["hours"]) + int(match["minutes"]) / 60
