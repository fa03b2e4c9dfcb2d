"""Reads times of day: "half past four p.m." in a text, and 1630 in the name of an image."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgewright.agents.planner.condition import NUMBERS as SPOKEN

#: Minutes of a day.
DAY = 24 * 60
#: A time in words is met by an image that is at most so many minutes off.
_NEAR = 25

_TENS = {word: n for word, n in SPOKEN.items() if 20 <= n < 60 and not n % 10}
_ONES = {word: n for word, n in SPOKEN.items() if 1 <= n < 10}
#: Numbers from 1 to 59 by their words.
NUMBERS = {word: n for word, n in SPOKEN.items() if 1 <= n < 60} | {
    f"{ten}-{one}": tens + ones for ten, tens in _TENS.items() for one, ones in _ONES.items()
}
_NUMBER = "|".join(sorted(NUMBERS, key=len, reverse=True))
_HOUR = rf"(?:{'|'.join(word for word, n in NUMBERS.items() if n <= 12)}|1[0-2]|0?\d)"
#: The half of the day, close to a time.
_PART = (
    r"(?:\s*(?P<half>[ap])\.?m\b\.?|\s+(?:in\s+the\s+(?P<part>morning|afternoon|evening)"
    r"|at\s+(?P<night>night)))"
)
_PARTED = re.sub(r"\?P<\w+>", "?:", _PART)
_END = r"(?=\s*(?:[.,;:?!]|$)|\s+(?:and|is|one)\b"
_SAID = re.compile(
    r"(?<![\w.:/-])(?:"
    r"(?P<h>[01]?\d|2[0-4])[:.](?P<m>[0-5]\d)(?![:.]?\d)"
    rf"|(?P<shift>half|quarter|(?:{_NUMBER}|\d{{1,2}})(?:\s+minutes?)?)\s+(?P<way>past|to|after|before)\s+(?P<near>{_HOUR})\b"
    rf"|half\s+(?P<halfway>{_HOUR})\b"
    rf"|(?P<hour>{_HOUR})[\s-](?:oh[\s-])?(?P<minute>{_NUMBER})\b{_END}|{_PARTED})"
    rf"|(?P<sharp>{_HOUR})(?:\s+o'clock|(?={_PARTED}))"
    rf"|(?<=\bat\s)(?P<alone>{_HOUR}){_END})"
    rf"){_PART}?",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?<![\d])(?P<h>[01]\d|2[0-3])[-_.:h]?(?P<m>[0-5]\d)(?:[-_.:]?[0-5]\d)?(?!\d)"
    r"|(?<!\d)(?P<hour>[01]?\d|2[0-3])(?:h|(?P<half>am|pm))(?![\da-z])",
    re.IGNORECASE,
)

Spot = tuple[int, int, tuple[int, ...]]


def timed(text: str, names: Sequence[str]) -> list[Spot]:
    """Find times of day in a text, and the images whose names say them.

    Args:
        text: The normalised text.
        names: Names of the images, without their dates.

    Returns:
        Start, end and the indices of the images that are nearest.
    """
    found: list[Spot] = []
    known = [_clock(name) for name in names]
    for match in _SAID.finditer(text) if any(known) else ():
        exact, said = _minutes(match)
        away = [min((_apart(a, b) for a in said for b in each), default=DAY) for each in known]
        nearest = min(away)
        if nearest <= (0 if exact else _NEAR):
            images = tuple(n for n, each in enumerate(away) if each == nearest)
            found.append((*match.span(), images))
    return found


def _minutes(match: re.Match[str]) -> tuple[bool, frozenset[int]]:
    """Return whether a time is exact, and the minutes of the day that it can mean."""
    hours, minutes = 0, 0
    if match["h"]:
        hours, minutes = int(match["h"]), int(match["m"])
    elif match["shift"]:
        word = match["shift"].lower().split()[0]
        minutes = {"half": 30, "quarter": 15}.get(word) or _number(word)
        hours = _number(match["near"])
        if match["way"].lower() in ("to", "before"):
            minutes = -minutes
    elif match["halfway"]:
        hours, minutes = _number(match["halfway"]), 30
    elif match["hour"]:
        hours, minutes = _number(match["hour"]), _number(match["minute"])
    else:
        hours = _number(match["sharp"] or match["alone"])
    time = hours * 60 + minutes
    halves = _halves(match, hours)
    return bool(match["h"]), frozenset((time % 720 + half) % DAY for half in halves) or frozenset(
        {time % DAY}
    )


def _halves(match: re.Match[str], hours: int) -> tuple[int, ...]:
    """Return what is added to a time on a twelve-hour clock; nothing if it is on another one."""
    if hours > 12:
        return ()
    if half := match["half"]:
        return (720,) if half.lower() == "p" else (0,)
    if part := match["part"]:
        return (0,) if part.lower() == "morning" else (720,)
    if match["night"]:
        return (0, 720)
    return () if match["h"] else (0, 720)


def _number(word: str) -> int:
    return int(word) if word.isdecimal() else NUMBERS[word.lower()]


def _clock(name: str) -> frozenset[int]:
    """Return the minutes of the day that the numbers of a name may say."""
    found: set[int] = set()
    for match in _CLOCK.finditer(name.rpartition(".")[0]):
        if match["hour"]:
            half = {"am": 0, "pm": 12}.get((match["half"] or "").lower())
            hour = int(match["hour"])
            found.add(60 * (hour if half is None else hour % 12 + half))
        else:
            found.add(60 * int(match["h"]) + int(match["m"]))
    return frozenset(found)


def _apart(one: int, other: int) -> int:
    """Return the minutes between two times of day, over midnight if that is shorter."""
    return min((one - other) % DAY, (other - one) % DAY)
