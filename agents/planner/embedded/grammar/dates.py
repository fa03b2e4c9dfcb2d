"""Finds images by the dates and times in their names: "the noon one" for sky-12h.jpg."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

from edgewright.agents.planner.embedded.grammar.lexicon import any_of, words
from edgewright.agents.planner.embedded.grammar.times import NUMBERS, Spot, timed

#: "May" is left out of the calendar, as it is a verb as well.
_MONTHS = (*words("calendar")[7:11], "may", *words("calendar")[11:])
_MONTH = rf"(?:{'|'.join(f'{month[:3]}(?:{month[3:]})?' for month in _MONTHS)}|sept)"
_DATE = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[-_.]?(?P<m>[01]\d)[-_.]?(?P<d>[0-3]\d)(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(?P<d>[0-3]?\d)[-_.](?P<m>[01]?\d)[-_.](?P<y>(?:19|20)\d\d)(?!\d)")
#: Without the year: "0214_party.jpg".
_MONTH_DAY = re.compile(r"(?<!\d)(?P<m>0[1-9]|1[0-2])[-_.]?(?P<d>0[1-9]|[12]\d|3[01])(?!\d)")
_YEAR = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)(?!\d)")
_NAMED_MONTH = re.compile(
    rf"(?<![a-z])(?:(?P<d>\d{{1,2}})[-_ ]?)?(?P<m>{_MONTH})(?![a-z])"
    r"(?:[-_ ]?(?P<e>\d{1,2})(?!\d))?",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?<!\d)(?P<h>[01]?\d|2[0-3])(?:h(?:\d\d)?|(?P<half>am|pm)|(?<=\d\d)[0-5]0)(?![\da-z])"
)
_HALF = re.compile(r"(?<![a-z])(?P<half>am|pm)(?![a-z])", re.IGNORECASE)

_RANKS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
#: Days of the month by the words for them.
_DAYS = {
    **{word: n for n, word in enumerate(_RANKS, start=1)},
    **{f"{word.removesuffix('ve').removesuffix('e')}{'fth' if word == 'twelve' else 'th'}": n
       for word, n in NUMBERS.items() if 9 < n < 20},
    "twentieth": 20, "thirtieth": 30, "thirty-first": 31,
    **{f"twenty-{word}": 20 + n for n, word in enumerate(_RANKS, start=1)},
}  # fmt: skip
_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{'|'.join(sorted(_DAYS, key=len, reverse=True))})"
#: Days that have names, as month and day.
_FEASTS = {
    "new year's eve": (12, 31), "new year's(?: day)?": (1, 1), "valentine's(?: day)?": (2, 14),
    "st\\.? patrick's(?: day)?": (3, 17), "april fools?'?(?: day)?": (4, 1),
    "(?:independence day|(?:the )?fourth of july)": (7, 4), "hallowe'?en": (10, 31),
    "(?:guy fawkes|bonfire) night": (11, 5), "christmas eve": (12, 24),
    "christmas(?: day)?": (12, 25), "boxing day": (12, 26),
}  # fmt: skip
_WEEKDAYS = words("calendar")[:7]
_THING = rf"(?:{any_of('image_noun')}|ones?)"
_SAID_MONTH = re.compile(
    rf"\b(?:the|in|from|of|last|taken\s+in)\s+(?P<m>{_MONTH})(?:'s)?\b(?!\.?\s*\d)(?:\s+{_THING})?",
    re.IGNORECASE,
)
_SAID_WEEKDAY = re.compile(rf"\b(?P<day>{'|'.join(_WEEKDAYS)})(?:'s)?\b", re.IGNORECASE)
_SAID_DATE = re.compile(
    rf"\b(?:(?P<d>{_DAY})\s+(?:of\s+)?(?P<m>{_MONTH})|(?P<n>{_MONTH})\.?\s+(?:the\s+)?(?P<e>{_DAY}))\b(?!\s*[:h])"
    rf"|\b(?P<feast>{'|'.join(_FEASTS)})\b",
    re.IGNORECASE,
)
_SAID_TIME = re.compile(
    r"\b(?:the|that|this|my|at|by|last)\s+(?:early\s+|late\s+)?(?P<time>morning|noon|midday|afternoon|evening|night|midnight)"
    rf"(?:'s)?(?:\s+{_THING})?\b",
    re.IGNORECASE,
)
_BY_AGE = re.compile(
    rf"\b(?:the|my)\s+(?:(?P<new>newest|latest|most\s+recent|newer|more\s+recent|later)|(?P<old>oldest|earliest|older|earlier))"
    rf"(?:\s+of\s+(?:these|those|them|the\s+(?:two|three|four|{any_of('image_noun')}))|\s+{_THING}|(?=\s*(?:[.,;:?!]|$)|\s+(?:is|was|has|shows)\b))(?!\w)",
    re.IGNORECASE,
)
#: Hours of the day by the words for them.
_HOURS: dict[str, Callable[[int], bool]] = {
    "morning": lambda hour: 4 <= hour < 12,
    "noon": lambda hour: 11 <= hour <= 13,
    "midday": lambda hour: 11 <= hour <= 13,
    "afternoon": lambda hour: 12 <= hour < 19,
    "evening": lambda hour: 16 <= hour < 24,
    "night": lambda hour: hour >= 19 or hour < 5,
    "midnight": lambda hour: hour >= 23 or hour < 2,
}
#: What a name says with "am" or "pm" alone.
_AM, _PM = 8, 17


def dated(text: str, names: Sequence[str]) -> list[Spot]:
    """Find the words of a text for dates and times that are in some of the names, but not in all.

    Args:
        text: The normalised text.
        names: Names of the images.

    Returns:
        Start, end and the indices of the images.
    """
    if len(names) < 2 or not any(map(_may_be_dated, names)):
        return []
    found: list[Spot] = []
    for match in _SAID_DATE.finditer(text):
        day = _said_day(match)
        found.append((*match.span(), _where([date_of(name)[1:] == day for name in names])))
    for match in _SAID_TIME.finditer(text):
        hours = [_hour(name) for name in names]
        meant = _HOURS[match["time"].lower()]
        found.append((*match.span(), _where([hour is not None and meant(hour) for hour in hours])))
    found += timed(text, [_DATE.sub(" ", name) for name in names])
    for match in _SAID_MONTH.finditer(text):
        month = _day("0", match["m"])[0]
        found.append((*match.span(), _where([date_of(name)[1] == month for name in names])))
    for match in _SAID_WEEKDAY.finditer(text):
        weekday = _WEEKDAYS.index(match["day"].lower())
        found.append((*match.span(), _where([_weekday(name) == weekday for name in names])))
    dates = [(*date_of(name), _hour(name) or 0) for name in names]
    for match in _BY_AGE.finditer(text) if len(set(dates)) == len(names) else ():
        chosen = (max if match["new"] else min)(dates)
        found.append((*match.span(), _where([date == chosen for date in dates])))
    return [spot for spot in found if 0 < len(spot[2]) < len(names)]


def date_of(name: str) -> tuple[int, int, int]:
    """Return the year, month and day in a name, 0 for what it does not say."""
    for pattern in (_DATE, _DAY_FIRST):
        if match := pattern.search(name):
            return int(match["y"]), int(match["m"]), int(match["d"])
    if match := _MONTH_DAY.search(name):
        return 0, int(match["m"]), int(match["d"])
    year = _YEAR.search(name)
    month, day = 0, 0
    if match := _NAMED_MONTH.search(name):
        month, day = _day(match["d"] or match["e"] or "0", match["m"])
    return (int(year["y"]) if year else 0), month, day


def _may_be_dated(name: str) -> bool:
    return bool(re.search(r"\d|am\b|pm\b", name) or _NAMED_MONTH.search(name) or _HALF.search(name))


def _day(day: str, month: str) -> tuple[int, int]:
    return 1 + [each[:3] for each in _MONTHS].index(month[:3].lower()), int(day)


def _said_day(match: re.Match[str]) -> tuple[int, int]:
    """Return the month and the day of a date in a text."""
    if match["feast"]:
        said = match["feast"].lower()
        return next(day for name, day in _FEASTS.items() if re.fullmatch(name, said))
    said = (match["d"] or match["e"]).lower()
    day = _DAYS.get(said) or re.sub(r"\D", "", said)
    return _day(str(day), match["m"] or match["n"])


def _weekday(name: str) -> int | None:
    """Return the day of the week of the date in a name, from 0 on Monday."""
    try:
        return date(*date_of(name)).weekday()
    except ValueError:
        return None  # no whole date


def _hour(name: str) -> int | None:
    """Return the hour of the day in a name, if it says one."""
    stem = _DATE.sub(" ", name.rpartition(".")[0].lower())
    if match := _CLOCK.search(stem):
        return (
            int(match["h"]) % 12 + (12 if match["half"] == "pm" else 0)
            if match["half"]
            else int(match["h"])
        )
    if match := _HALF.search(stem):
        return _AM if match["half"] == "am" else _PM
    return None


def _where(holds: Sequence[bool]) -> tuple[int, ...]:
    return tuple(n for n, each in enumerate(holds) if each)
