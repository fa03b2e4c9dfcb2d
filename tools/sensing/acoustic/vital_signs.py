"""From a recording to respiration and heart rates with their variability, or to "cannot tell"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.sensing.acoustic.echo import Still, range_profiles, still_stretches
from edgewright.tools.sensing.acoustic.filters import band, phase_of, power
from edgewright.tools.sensing.acoustic.heart import (
    GRID,
    HeartNetwork,
    best_path,
    describe,
    noise_m,
    stretches_with_windows,
)
from edgewright.tools.sensing.acoustic.probe import Probe

Array = NDArray[np.float64]

_BREATH_HZ = (0.1, 0.65)
#: What is slower is no breath of somebody at rest, but sway, or motion that noise has hidden.
_SLOWEST_HZ = 0.12
_STEP_HZ = 0.005
_STEP_COST = 15.0
_NEIGHBOURS_HZ = 0.07
#: Noise at about 10 dB, and what ten times as much of it takes from a heart rate's strength.
_USUAL_NOISE_M = 1.5e-5
_NOISE_COST = 2.5
#: With more noise the trust in a respiration rate falls with this power of it; chosen on simulated
#: recordings of the seeds from 40,000 to 40,241, so that none below 10 dB is wrong.
_NOISE_POWER = 0.25


@dataclass(frozen=True)
class Rate:
    """A rate with what speaks for it.

    Attributes:
        per_min: Cycles a minute.
        variability: Standard deviation of the cycles' lengths over their mean.
        trust: How far the rate can be relied on, 0 to 1.
    """

    per_min: float
    variability: float
    trust: float


@dataclass(frozen=True)
class VitalSigns:
    """What a recording shows of a person.

    Attributes:
        breath: Respiration; None if it cannot be told.
        heart: The heart; None if it cannot be told.
        still_s: Seconds without motion of the body.
        wave_m: Displacement of the chest in the longest still stretch, in metres [T].
        wave_rate: Samples a second of ``wave_m``.
    """

    breath: Rate | None
    heart: Rate | None
    still_s: float
    wave_m: Array
    wave_rate: float


def vital_signs(
    audio: NDArray[np.int16], probe: Probe, network: HeartNetwork, thresholds: tuple[float, float]
) -> VitalSigns:
    """Read a person's vital signs from a recording.

    Args:
        audio: The recording [T], at the probe's sample rate.
        probe: The sound that the loudspeaker repeats.
        network: Says how probable each candidate for the heart rate is.
        thresholds: The lowest trust at which respiration and heart rates are reported.
    """
    rate = 1 / probe.period_s
    stills = still_stretches(range_profiles(audio, probe), probe)
    breath = breath_rate(stills, rate)
    heart = heart_rate(stills, rate, breath.per_min / 60, network) if breath else None
    longest = max(stills, key=lambda one: one.displacement_m.shape[1], default=None)
    return VitalSigns(
        breath=breath if breath and breath.trust >= thresholds[0] else None,
        heart=heart if heart and heart.trust >= thresholds[1] else None,
        still_s=sum(one.displacement_m.shape[1] for one in stills) / rate,
        wave_m=longest.displacement_m[0] if longest else np.zeros(0),
        wave_rate=rate,
    )


def breath_rate(stills: Sequence[Still], rate: float) -> Rate | None:
    """Return the respiration rate over the still stretches; None if there is none.

    A rate at the lower edge of what is looked for is not trusted, and others less the more noise
    there is: noise hides motion from ``still_stretches``, and motion is slow.

    Args:
        stills: Still stretches.
        rate: Samples a second of their displacements.
    """
    grid = np.arange(*_BREATH_HZ, _STEP_HZ)
    spectra, lengths = [], []
    for still in stills:
        spectrum = power(band(still.displacement_m, rate, 0.07, 1.2), rate, grid)
        share = spectrum / (spectrum.sum(axis=1, keepdims=True) + 1e-30)
        spectra.append(still.weights**2 @ share / (np.sum(still.weights**2) + 1e-9))
        lengths.append(still.displacement_m.shape[1] / rate)
    if not spectra or not np.any(spectra):
        return None
    total = np.average(spectra, axis=0, weights=np.square(lengths))
    best = _lowest_strong(grid, total)
    counted = [
        (*_counted(signal, rate, best), weight**2 * len(signal))
        for still in stills
        for signal, weight in zip(still.displacement_m, still.weights, strict=True)
    ]
    rates, spreads, weights = (np.array(each) for each in zip(*counted, strict=True))
    value = _weighted_median(rates, weights)
    near = np.abs(grid - best) < max(0.03, 0.15 * best)
    concentration = float(total[near].sum() / total.sum())
    consensus = float(np.average(np.abs(rates - value) < 1 / 60, weights=weights))
    steady = 1.0 - min(1.0, abs(value - best) * 60 / 3)
    seen = min(1.0, sum(lengths) / 45)
    quiet = min(1.0, (_USUAL_NOISE_M / max(noise_m(stills, rate), 1e-7)) ** _NOISE_POWER)
    trust = concentration * consensus * steady * seen * quiet * (value >= _SLOWEST_HZ)
    return Rate(value * 60, _weighted_median(spreads, weights), trust)


def heart_rate(
    stills: Sequence[Still], rate: float, breath_hz: float, network: HeartNetwork
) -> Rate | None:
    """Return the heart rate over the still stretches; None if there is none.

    Args:
        stills: Still stretches.
        rate: Samples a second of their displacements.
        breath_hz: The respiration rate.
        network: Says how probable each candidate is.
    """
    described = [describe(one, rate, breath_hz)[1] for one in stretches_with_windows(stills, rate)]
    if not described:
        return None
    return heart_of(np.concatenate(described), noise_m(stills, rate), network)


def heart_of(features: Array, noise: float, network: HeartNetwork) -> Rate:
    """Return the heart rate from descriptions of the candidates.

    Args:
        features: Descriptions [W, candidates, F], at least one window.
        noise: Noise of the displacement, in metres.
        network: Says how probable each candidate is.
    """
    scores = network.log_odds(features)
    path, _ = best_path(scores, _STEP_COST)
    strength = float(scores[np.arange(len(path)), path].mean())
    # Between the candidates: the mean of the path's neighbours, weighed by their probabilities.
    near = np.abs(GRID[None, :] - GRID[path][:, None]) < _NEIGHBOURS_HZ
    weights = near / (1 + np.exp(-scores))
    rates = weights @ GRID / weights.sum(axis=1)
    seen = min(1.0, len(path) / 12)
    spread = float(np.std(1 / rates) * rates.mean())
    # The same strength means less in noise, whose peaks can be as steady as the heart's.
    strength -= _NOISE_COST * np.log10(max(noise, 1e-7) / _USUAL_NOISE_M)
    return Rate(float(rates.mean() * 60), spread, float(seen / (1 + np.exp(-strength))))


def _lowest_strong(grid: Array, spectrum: Array) -> float:
    """Return the strongest frequency, or half of it if that is nearly as strong."""
    best = int(np.argmax(spectrum))
    half = grid[best] / 2
    if half >= grid[0]:
        near = np.abs(grid - half) < 0.03
        if spectrum[near].max() > 0.6 * spectrum[best]:
            return float(grid[near][np.argmax(spectrum[near])])
    return float(grid[best])


def _counted(signal: Array, rate: float, around_hz: float) -> tuple[float, float]:
    """Count the cycles near a frequency.

    Returns:
        Mean frequency, and the standard deviation of the cycles' lengths over their mean.
    """
    phase = phase_of(signal, rate, 0.7 * around_hz, 1.3 * around_hz)
    edge = round(min(0.5 / around_hz, 1.5) * rate)
    cycles = np.maximum.accumulate(phase[edge:-edge]) / (2 * np.pi)
    if cycles[-1] - cycles[0] <= 0:
        return around_hz, 0.0
    frequency = (cycles[-1] - cycles[0]) * rate / (len(cycles) - 1)
    whole = np.arange(np.ceil(cycles[0]), cycles[-1])
    lengths = np.diff(np.interp(whole, cycles, np.arange(len(cycles)) / rate))
    spread = float(lengths.std() / lengths.mean()) if len(lengths) > 2 else 0.0
    return float(frequency), spread


def _weighted_median(values: Array, weights: Array) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
