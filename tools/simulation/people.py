"""Simulated people: a mood, and the vital signs and use of applications that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml

from edgewright.tools.simulation.apps import CATEGORIES
from edgewright.tools.simulation.chest import Array, Vitals

MOODS = ("calm", "happy", "tense", "sad")
_LOWEST = {"interval_ms": 500.0, "sdnn_ms": 8.0, "breaths_per_min": 7.0, "breath_cv": 0.02}


@dataclass(frozen=True)
class Person:
    """A person for the length of a measurement.

    Attributes:
        mood: One of ``MOODS``.
        vitals: The vital signs.
        shares: Share of the time of use by category of application.
    """

    mood: str
    vitals: Vitals
    shares: dict[str, float]


@cache
def statistics() -> dict[str, Any]:
    """Return what people are drawn from, and where it was published."""
    text = (files("edgewright.tools.simulation") / "people.yaml").read_text("utf-8")
    values: dict[str, Any] = yaml.safe_load(text)
    return values


def draw_person(rng: np.random.Generator, mood: str | None = None) -> Person:
    """Draw a person.

    Args:
        rng: Source of randomness.
        mood: The mood; None draws one.
    """
    mood = mood or MOODS[rng.integers(len(MOODS))]
    noise = dict(zip(statistics()["rest"], rng.standard_normal(4), strict=True))
    means = _mean_shares(mood)
    drawn = rng.dirichlet(statistics()["concentration"] * means)
    return _person(mood, noise, drawn)


def typical_person(mood: str) -> Person:
    """Return the person that is the mean of all in a mood.

    Args:
        mood: The mood.
    """
    return _person(mood, dict.fromkeys(statistics()["rest"], 0.0), _mean_shares(mood))


def _mean_shares(mood: str) -> Array:
    known = statistics()
    factors = known["moods"][mood]["factors"]
    means = np.array([known["shares"][name] * factors.get(name, 1.0) for name in CATEGORIES])
    return np.asarray(means / means.sum())


def _person(mood: str, noise: Mapping[str, float], shares: Array) -> Person:
    known = statistics()
    values = {
        name: max(_LOWEST[name], mean + deviation * (noise[name] + shift))
        for (name, (mean, deviation)), shift in (
            (item, known["moods"][mood]["shifts"][item[0]]) for item in known["rest"].items()
        )
    }
    vitals = Vitals(
        breaths_per_min=min(values["breaths_per_min"], 30.0),
        breath_cv=values["breath_cv"],
        beats_per_min=60_000.0 / values["interval_ms"],
        sdnn_ms=values["sdnn_ms"],
    )
    return Person(mood, vitals, dict(zip(CATEGORIES, shares.tolist(), strict=True)))
