"""The motion of a person's chest, as a loudspeaker's sound meets it: breath, heartbeat, sway.

Amplitudes: the chest wall moves 4 to 12 mm with each breath and 0.2 to 0.5 mm with each beat (De
Groote, Wantier, Cheron, Estenne and Paiva, "Chest wall motion during tidal breathing", Journal of
Applied Physiology 83, 1997; Ramachandran and Singh, "Three-dimensional reconstruction of cardiac
displacement patterns on the chest wall", Medical & Biological Engineering & Computing 27, 1989).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Samples a second of all motions.
RATE = 100.0


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """The vital signs that a person is given.

    Attributes:
        breaths_per_min: Mean respiration rate.
        breath_cv: Coefficient of variation of the breaths' lengths.
        beats_per_min: Mean heart rate.
        sdnn_ms: Standard deviation of the beats' intervals, in milliseconds.
    """

    breaths_per_min: float
    breath_cv: float
    beats_per_min: float
    sdnn_ms: float


@dataclass(frozen=True, kw_only=True)
class ChestMotion:
    """The motion during a recording, at ``RATE``.

    Attributes:
        breath_m: Displacement by breathing, in metres [T].
        heart_m: Displacement by the heart, in metres [T].
        body_m: Displacement of the whole body, in metres [T].
        breaths_per_min: True mean rate: breaths that fit into the recording.
        beats_per_min: True mean rate, likewise.
        beat_starts_s: When each beat begins, in seconds; the first ones before the recording.
        moved: Whether the body moved.
    """

    breath_m: Array
    heart_m: Array
    body_m: Array
    breaths_per_min: float
    beats_per_min: float
    beat_starts_s: Array
    moved: bool


def chest_motion(
    rng: np.random.Generator, vitals: Vitals, seconds: float, *, moves: bool
) -> ChestMotion:
    """Simulate the motion of a chest.

    Args:
        rng: Source of randomness.
        vitals: The person's vital signs.
        seconds: Length of the recording.
        moves: Whether the person changes position one to three times.

    Returns:
        The motion and the rates that it really had.
    """
    times = np.arange(round(seconds * RATE)) / RATE
    breaths = breath_starts(rng, vitals, seconds)
    breath = _breath_shape(rng, times, breaths)
    beats = beat_starts(rng, vitals, seconds, breaths)
    return ChestMotion(
        breath_m=breath,
        heart_m=_heart_shape(rng, times, beats),
        body_m=_sway(rng, len(times)) + (_shifts(rng, times) if moves else 0.0),
        breaths_per_min=_mean_rate(breaths, seconds),
        beats_per_min=_mean_rate(beats, seconds),
        beat_starts_s=beats,
        moved=moves,
    )


def breath_starts(rng: np.random.Generator, vitals: Vitals, seconds: float) -> Array:
    """Return when each breath begins, in seconds; neighbours have similar lengths.

    Args:
        rng: Source of randomness.
        vitals: The person's vital signs.
        seconds: Length of the recording, which the first and last breaths exceed.
    """
    mean = 60.0 / vitals.breaths_per_min
    starts, deviation = [-rng.uniform(0.2, 1.0) * mean], 0.0
    while starts[-1] < seconds + mean:
        deviation = 0.5 * deviation + np.sqrt(0.75) * vitals.breath_cv * rng.standard_normal()
        starts.append(starts[-1] + mean * max(0.5, 1.0 + deviation))
    return np.array(starts)


def _breath_shape(rng: np.random.Generator, times: Array, starts: Array) -> Array:
    """Return the displacement: inhaling is quicker than exhaling, with a pause between breaths."""
    inhale, pause = rng.uniform(0.34, 0.44), rng.uniform(0.05, 0.2)
    depth = rng.uniform(4e-3, 9e-3)
    depths = depth * np.clip(1.0 + 0.15 * rng.standard_normal(len(starts)), 0.4, 1.6)
    index = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, len(starts) - 2)
    phase = (times - starts[index]) / (starts[index + 1] - starts[index])
    rising = 0.5 - 0.5 * np.cos(np.pi * np.clip(phase / inhale, 0, 1))
    exhale = 1.0 - inhale - pause
    falling = 0.5 - 0.5 * np.cos(np.pi * np.clip((phase - inhale) / exhale, 0, 1))
    shape: Array = depths[index] * (rising - falling)
    return shape


def beat_starts(rng: np.random.Generator, vitals: Vitals, seconds: float, breaths: Array) -> Array:
    """Return when each beat begins, in seconds: beats follow breathing, a 0.1 Hz wave and chance.

    Args:
        rng: Source of randomness.
        vitals: The person's vital signs.
        seconds: Length of the recording, which the first and last beats exceed.
        breaths: When each breath begins.
    """
    mean, sd = 60.0 / vitals.beats_per_min, vitals.sdnn_ms / 1000
    share = rng.dirichlet((3.0, 3.0, 2.0))
    phase = rng.uniform(0, 2 * np.pi)
    starts = [-rng.uniform(0, 1) * mean]
    while starts[-1] < seconds + mean:
        now = starts[-1]
        place = max(0, int(np.searchsorted(breaths, now, side="right")) - 1)
        begin, end = breaths[place], breaths[place + 1]
        sinus = -np.sin(2 * np.pi * (now - begin) / (end - begin))
        wave = np.sin(2 * np.pi * 0.1 * now + phase)
        change = np.sqrt(2 * share[0]) * sinus + np.sqrt(2 * share[1]) * wave
        change += np.sqrt(share[2]) * rng.standard_normal()
        starts.append(now + max(0.3, mean + sd * change))
    return np.array(starts)


def _heart_shape(rng: np.random.Generator, times: Array, starts: Array) -> Array:
    """Return the displacement: a stroke outward in systole, and a weaker one back."""
    peak_to_peak = rng.uniform(0.2e-3, 0.5e-3)
    delay, back = rng.uniform(0.10, 0.15), rng.uniform(0.25, 0.6)
    moved = np.zeros(len(times))
    for start in starts:
        since = times - start
        near = (since > -0.3) & (since < 0.9)
        after = since[near]
        stroke = np.exp(-(((after - delay) / 0.07) ** 2))
        recoil = np.exp(-(((after - delay - 0.22) / 0.09) ** 2))
        moved[near] += rng.normal(1.0, 0.08) * (stroke - back * recoil)
    return moved * peak_to_peak / (1.0 + back)


def _sway(rng: np.random.Generator, count: int) -> Array:
    """Return slow sway of about a millimetre, and tremor of the muscles."""
    keep = np.exp(-1.0 / (8.0 * RATE))
    steps = rng.standard_normal(count) * 1e-3 * np.sqrt(1 - keep**2)
    tremor_steps = rng.standard_normal(count)
    sway, tremor = np.zeros(count), np.zeros(count)
    for index in range(1, count):
        sway[index] = keep * sway[index - 1] + steps[index]
        tremor[index] = 0.85 * tremor[index - 1] + tremor_steps[index]
    smooth = np.convolve(sway, np.hanning(51) / np.hanning(51).sum(), mode="same")
    shaking: Array = tremor / tremor.std() * rng.uniform(5e-6, 2e-5)
    return np.asarray(smooth + shaking)


def _shifts(rng: np.random.Generator, times: Array) -> Array:
    """Return one to three changes of position by 1 to 8 cm, within 0.8 to 2.5 seconds each."""
    moved = np.zeros(len(times))
    for _ in range(rng.integers(1, 4)):
        start, length = rng.uniform(0, times[-1] - 3), rng.uniform(0.8, 2.5)
        part = np.clip((times - start) / length, 0, 1)
        moved += rng.choice([-1, 1]) * rng.uniform(0.01, 0.08) * (0.5 - 0.5 * np.cos(np.pi * part))
        wobble = np.sin(2 * np.pi * rng.uniform(1, 3) * (times - start))
        moved += rng.uniform(2e-3, 1e-2) * wobble * np.sin(np.pi * part) ** 2
    return moved


def _mean_rate(starts: Array, seconds: float) -> float:
    """Return cycles a minute from 0 to the end, with the parts of the first and last ones."""
    cycles = np.interp([0.0, seconds], starts, np.arange(len(starts)))
    return float((cycles[1] - cycles[0]) * 60.0 / seconds)
