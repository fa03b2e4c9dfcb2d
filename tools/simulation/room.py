"""A room with a loudspeaker, a microphone beside it, a person, walls, things and noise.

Each path from the loudspeaker to the microphone has a length that may change with time; the sound
arrives delayed by it, so Doppler shift and multipath follow without further modelling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.simulation.chest import RATE, ChestMotion

Array = NDArray[np.float64]

#: Metres a second, at 20 degrees Celsius.
SPEED_OF_SOUND = 343.2
#: Steps between two samples when a waveform is read between them.
_FINENESS = 16
_FULL_SCALE = 32767


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a recording is made.

    Attributes:
        distance_m: From the loudspeaker to the person.
        snr_db: Power of the chest's echo over the power of the noise, both at the microphone and
            within the band of the sound that is sent.
    """

    distance_m: float
    snr_db: float


def record(
    rng: np.random.Generator,
    scene: Scene,
    motion: ChestMotion,
    period: Array,
    sample_rate: int,
) -> NDArray[np.int16]:
    """Record what the microphone hears while the loudspeaker repeats a waveform.

    Args:
        rng: Source of randomness: furniture, walls, clutter, noise.
        scene: Distance and noise.
        motion: The person.
        period: One period of the waveform that is sent [P].
        sample_rate: Samples a second.

    Returns:
        The recording [T], of the motion's length.
    """
    seconds = len(motion.breath_m) / RATE
    count = int(seconds * sample_rate)
    echo = np.zeros(count)
    fine = _between_samples(period)
    for gain, length in _person(rng, scene, motion):
        echo += gain * _delayed(fine, len(period), length, count, sample_rate)
    chest_power = float(np.mean(echo**2))
    heard = echo + _clutter(rng, period, count, sample_rate)
    heard += rng.standard_normal(count) * _noise_sd(period, chest_power, scene.snr_db)
    heard = np.roll(heard, rng.integers(len(period)))  # the recording starts at any moment
    scaled = heard * (0.5 * _FULL_SCALE / np.abs(heard).max())
    return np.asarray(np.round(scaled), dtype=np.int16)


def _person(
    rng: np.random.Generator, scene: Scene, motion: ChestMotion
) -> list[tuple[float, Array]]:
    """Return the paths by way of the person: gains, and lengths in metres over time.

    The chest itself has gain 1. The abdomen breathes with a lag and hardly shows the heart. Sound
    that also meets a wall or the ceiling arrives later, weaker and at another angle.
    """
    toward = motion.body_m + motion.breath_m + motion.heart_m
    chest = 2 * (scene.distance_m - toward)
    lag = round(rng.uniform(0, 0.3) * RATE)
    belly_breath = np.roll(motion.breath_m, lag) * rng.uniform(0.4, 1.2)
    belly = 2 * (
        scene.distance_m
        + rng.uniform(0.03, 0.15)
        - motion.body_m
        - belly_breath
        - 0.3 * motion.heart_m
    )
    paths = [(1.0, chest), (rng.uniform(0.3, 0.7), belly)]
    for _ in range(rng.integers(2, 5)):
        extra, angle = rng.uniform(0.3, 2.5), rng.uniform(0.2, 1.2)
        length = 2 * scene.distance_m + extra - toward * (1 + np.cos(angle))
        paths.append((rng.uniform(0.1, 0.45), length))
    return paths


def _clutter(rng: np.random.Generator, period: Array, count: int, sample_rate: int) -> Array:
    """Return what reaches the microphone directly and by way of what stands still."""
    lengths = [0.1, *rng.uniform(0.6, 12.0, size=rng.integers(10, 21))]
    gains = [10 ** rng.uniform(1.0, 1.75), *10 ** rng.uniform(-0.6, 0.5, size=len(lengths) - 1)]
    spectrum = np.fft.rfft(period)
    omega = 2 * np.pi * np.fft.rfftfreq(len(period), 1 / sample_rate)
    total = sum(
        gain * np.exp(-1j * omega * length / SPEED_OF_SOUND)
        for gain, length in zip(gains, lengths, strict=True)
    )
    once = np.fft.irfft(spectrum * total, len(period))
    return np.resize(once, count)


def _between_samples(period: Array) -> Array:
    """Return one period with ``_FINENESS`` values a sample, and its first value again."""
    spectrum = np.fft.rfft(period)
    fine = np.fft.irfft(spectrum, len(period) * _FINENESS) * _FINENESS
    return np.append(fine, fine[0])


def _delayed(fine: Array, period: int, length_m: Array, count: int, sample_rate: int) -> Array:
    """Return the repeated waveform after a path whose length changes."""
    samples = np.arange(count)
    at_motion = np.arange(len(length_m)) * (sample_rate / RATE)
    delay = np.interp(samples, at_motion, length_m) * (sample_rate / SPEED_OF_SOUND)
    place = ((samples - delay) % period) * _FINENESS
    below = place.astype(np.int64)
    share = place - below
    return np.asarray(fine[below] * (1 - share) + fine[below + 1] * share)


def _noise_sd(period: Array, chest_power: float, snr_db: float) -> float:
    """Return the level of white noise whose part within the waveform's band gives the ratio."""
    power = np.abs(np.fft.rfft(period)) ** 2
    in_band = float(np.mean(power > power.max() / 1000))
    return float(np.sqrt(chest_power / 10 ** (snr_db / 10) / in_band))
