"""From network traffic to a mood, by the applications that were used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgewright.tools.errors import RefusedError
from edgewright.tools.sensing import fitted
from edgewright.tools.sensing.expert import SIMULATED, Estimate
from edgewright.tools.sensing.forest import Forest
from edgewright.tools.sensing.moods.own import OwnMoods
from edgewright.tools.sensing.protocol import Traffic, Window
from edgewright.tools.sensing.traffic.applications import Application, applications
from edgewright.tools.sensing.traffic.services import category_of

#: Less use of applications says nothing about a mood.
MIN_USE_S = 120.0


class UsageMood:
    """Reads a mood from the shares of applications in network traffic; a ``SensingExpert``."""

    id = "usage-tree"
    card = "mood-from-network-traffic"
    approximate = False
    kinds: tuple[str, ...] = ("wifi",)
    window_s = 3600.0
    argument = "traffic"

    @property
    def own(self) -> OwnMoods:
        """The labels that the node has for this card, and what was trained on them."""
        # As if all categories were equally usual; what matters is only that values are near 1.
        scales = dict.fromkeys(fitted.manifest()["categories"], (0.125, 0.15))
        return OwnMoods(self.card, scales)

    @property
    def model(self) -> str:
        """Name and revision of what it was fitted to."""
        return f"usage-tree@{fitted.revision()}"

    def obstacle(self) -> str:
        """Return an empty text: it needs nothing beyond a node's own packages."""
        return ""

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any sensor."""

    def features(self, window: Window) -> dict[str, float]:
        """Return the shares of the categories in the time of use."""
        return self._used(window)[0]

    def estimate(self, window: Window | None, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the mood that goes with the use of applications."""
        assert window is not None
        shares, used, certainty, total = self._used(window)
        ranked, basis = self.own.estimate(shares) or (_by_forest(shares), SIMULATED)
        largest = sorted(shares.items(), key=lambda one: -one[1])
        evidence = {
            "usage": {name: round(share, 4) for name, share in largest if share > 0},
            "seconds": round(total),
            "applications": len({one.name for one in used}),
            "category_certainty": round(certainty, 3),
        }
        found = Estimate(source="network traffic", labels=ranked, evidence=evidence, basis=basis)
        return found.output(_sentence(found, shares, total))

    def _used(self, window: Window) -> tuple[dict[str, float], Sequence[Application], float, float]:
        """Return shares of the use, the applications, how sure they are, and seconds of use."""
        assert isinstance(window.values, Traffic)
        used = applications(window.values.flows)
        categories, certainty = categorise(used)
        seconds = usage_seconds(used, categories)
        total = sum(seconds.values())
        if total < MIN_USE_S:
            raise RefusedError(
                f"the network shows only {total:.0f} s of use of applications in "
                f"{window.seconds:.0f} s; at least {MIN_USE_S:.0f} s are needed",
                code="too_little_use",
            )
        return {name: value / total for name, value in seconds.items()}, used, certainty, total


def categorise(used: Sequence[Application]) -> tuple[list[str], float]:
    """Return the category of each application, and the mean certainty.

    A known service decides; otherwise a forest that was fitted to generated traffic does.

    Args:
        used: The applications.
    """
    if not used:
        return [], 0.0
    names = fitted.manifest()["categories"]
    forest = Forest.from_tensors(fitted.tensors(), "categories.")
    scores = forest.probabilities(np.array([one.features for one in used]))
    found, certain = [], []
    for one, row in zip(used, scores, strict=True):
        known = category_of(one.name) if one.named else None
        found.append(known or names[int(np.argmax(row))])
        certain.append(1.0 if known else float(row.max()))
    return found, float(np.mean(certain))


def usage_seconds(used: Sequence[Application], categories: Sequence[str]) -> dict[str, float]:
    """Return the seconds of use by category; gaps within a use belong to it.

    Args:
        used: The applications.
        categories: Their categories.
    """
    seconds = dict.fromkeys(fitted.manifest()["categories"], 0.0)
    for one, category in zip(used, categories, strict=True):
        seconds[category] += one.span_s
    return seconds


def _by_forest(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the moods by the tree that was fitted to simulated people."""
    labels = fitted.manifest()["moods"]
    rows = np.array([[shares[name] for name in fitted.manifest()["categories"]]])
    scores = Forest.from_tensors(fitted.tensors(), "usage.").probabilities(rows)[0]
    return sorted(zip(labels, scores.tolist(), strict=True), key=lambda one: -one[1])


def _sentence(found: Estimate, shares: Mapping[str, float], total: float) -> str:
    mood, score = found.best
    largest = sorted(shares.items(), key=lambda one: -one[1])[:3]
    uses = ", ".join(f"{name} {share:.0%}" for name, share in largest if share > 0)
    return (
        f"the network traffic points to {mood} ({score:.0%}): {total / 60:.0f} min of use, {uses} "
        f"({found.basis})"
    ).replace("%", " %")
