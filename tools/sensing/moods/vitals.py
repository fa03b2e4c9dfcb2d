"""From a recording of the smart speaker's inaudible sound to a mood, by breath and heartbeat."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright.tools.errors import InputError, RefusedError
from edgewright.tools.sensing import fitted
from edgewright.tools.sensing.acoustic.probe import Probe
from edgewright.tools.sensing.expert import SIMULATED, Estimate
from edgewright.tools.sensing.forest import Forest
from edgewright.tools.sensing.moods.own import OwnMoods
from edgewright.tools.sensing.protocol import Audio, Window

if TYPE_CHECKING:
    from edgewright.tools.sensing.acoustic.vital_signs import VitalSigns

#: A shorter recording shows too few breaths.
MIN_SECONDS = 20.0
#: Features with their usual values and spreads at rest, so that a network gets values near 1.
_SCALES = {
    "breath_per_min": (16.0, 4.0),
    "breath_variability": (0.08, 0.04),
    "heart_per_min": (75.0, 15.0),
    "heart_variability": (0.05, 0.03),
}
#: Values of the chest's motion that go with the answer, for a plot.
_PLOTTED = 240


class VitalMood:
    """Reads a mood from breath and heartbeat in a microphone's window; a ``SensingExpert``."""

    id = "vital-signs-forest"
    card = "mood-from-acoustic-signals"
    approximate = False
    kinds: tuple[str, ...] = ("microphone",)
    window_s = 60.0
    argument = "recording"

    @property
    def own(self) -> OwnMoods:
        """The labels that the node has for this card, and what was trained on them."""
        return OwnMoods(self.card, _SCALES)

    @property
    def model(self) -> str:
        """Name and revision of what it was fitted to."""
        return f"vital-signs-forest@{fitted.revision()}"

    def obstacle(self) -> str:
        """Return what is missing to process the signal; empty if nothing is."""
        return "" if find_spec("scipy") else "scipy is missing: pip install 'edgewright[sensing]'"

    def check(self, args: Mapping[str, str]) -> None:
        """Accept any sensor."""

    def features(self, window: Window) -> dict[str, float]:
        """Return the rates and their variability; without a heartbeat only those of the breath."""
        return _features(self._signs(window))

    def estimate(self, window: Window | None, args: Mapping[str, str]) -> dict[str, Any]:
        """Return the mood that goes with the vital signs."""
        assert window is not None
        signs = self._signs(window)
        features = _features(signs)
        ranked, basis = self.own.estimate(features) or (_by_forest(features), SIMULATED)
        evidence = _evidence(signs)
        found = Estimate(source="acoustic signals", labels=ranked, evidence=evidence, basis=basis)
        return found.output(_sentence(found, signs))

    def _signs(self, window: Window) -> VitalSigns:
        """Return vital signs, the breath's at least."""
        assert isinstance(window.values, Audio)
        signs = read_signs(window.values)
        if signs.breath is None:
            raise RefusedError(
                f"neither breath nor heartbeat can be told from {window.seconds:.0f} s of sound, "
                f"{signs.still_s:.0f} s of it without motion; sit still within 4 m of the speaker",
                code="cannot_tell",
            )
        return signs


def read_signs(audio: Audio) -> VitalSigns:
    """Read the vital signs from a window of sound.

    Args:
        audio: The window.

    Raises:
        InputError: Its sample rate cannot carry the probe (``sample_rate``).
        RefusedError: It is too short (``too_short``).
    """
    from edgewright.tools.sensing.acoustic.heart import HeartNetwork
    from edgewright.tools.sensing.acoustic.vital_signs import vital_signs

    probe = Probe(sample_rate=audio.sample_rate)
    if audio.sample_rate < 2.1 * probe.high_hz or audio.sample_rate % round(1 / probe.period_s):
        raise InputError(
            f"{audio.sample_rate} samples a second cannot carry the inaudible probe; record at "
            "48000",
            code="sample_rate",
        )
    seconds = len(audio.samples) / audio.sample_rate
    if seconds < MIN_SECONDS:
        raise RefusedError(
            f"the recording has {seconds:.0f} s; at least {MIN_SECONDS:.0f} s are needed",
            code="too_short",
        )
    limits = fitted.manifest()["thresholds"]
    network = HeartNetwork(fitted.part("heart."))
    return vital_signs(audio.samples, probe, network, (limits["breath"], limits["heart"]))


def _features(signs: VitalSigns) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, rate in (("breath", signs.breath), ("heart", signs.heart)):
        if rate is not None:
            found |= {f"{name}_per_min": rate.per_min, f"{name}_variability": rate.variability}
    return found


def _by_forest(features: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the moods by the forests that were fitted to simulated people."""
    which = "vitals." if len(features) == len(_SCALES) else "breath."
    rows = np.array([[features[name] for name in _SCALES if name in features]])
    scores = Forest.from_tensors(fitted.tensors(), which).probabilities(rows)[0]
    moods = fitted.manifest()["moods"]
    return sorted(zip(moods, scores.tolist(), strict=True), key=lambda one: -one[1])


def _evidence(signs: VitalSigns) -> dict[str, Any]:
    found: dict[str, Any] = {"still_seconds": round(signs.still_s, 1)}
    for name, rate in (("breath", signs.breath), ("heart", signs.heart)):
        found[f"{name}_per_min"] = round(rate.per_min, 1) if rate else None
        found[f"{name}_variability"] = round(rate.variability, 3) if rate else None
    step = max(1, len(signs.wave_m) // _PLOTTED)
    wave = signs.wave_m[::step] - signs.wave_m.mean() if len(signs.wave_m) else signs.wave_m
    found["chest_mm"] = [round(float(value) * 1000, 2) for value in wave[:_PLOTTED]]
    found["chest_rate_hz"] = round(signs.wave_rate / step, 3)
    return found


def _sentence(found: Estimate, signs: VitalSigns) -> str:
    mood, score = found.best
    assert signs.breath is not None
    heart = (
        f"{signs.heart.per_min:.0f} heartbeats"
        if signs.heart
        else "a heartbeat that cannot be told"
    )
    return (
        f"the acoustic signals point to {mood} ({round(score * 100)} %): "
        f"{signs.breath.per_min:.0f} breaths and {heart} a minute ({found.basis})"
    )
