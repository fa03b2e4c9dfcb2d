"""Filters and spectra of displacements."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, hilbert, sosfiltfilt

Array = NDArray[np.float64]

_PART_S = 12.0
_KEPT_HZ = (0.6, 9.0)
#: The breath's harmonics that are taken out; higher ones are weaker than the heart.
_HARMONICS = range(2, 7)


def band(signals: Array, rate: float, low: float, high: float) -> Array:
    """Keep what lies between two frequencies, without a shift in time [..., T]."""
    sections = butter(3, (low, high), btype="bandpass", fs=rate, output="sos")
    return np.asarray(sosfiltfilt(sections, signals, axis=-1))


def power(signals: Array, rate: float, grid: Array) -> Array:
    """Return the power of each signal at each frequency, under a Hann window [signals, grid]."""
    times = np.arange(signals.shape[1]) / rate
    waves = np.exp(-2j * np.pi * np.outer(times, grid))
    windowed = (signals - signals.mean(axis=1, keepdims=True)) * np.hanning(signals.shape[1])
    return np.asarray(np.abs(windowed @ waves) ** 2)


def phase_of(signal: Array, rate: float, low: float, high: float) -> Array:
    """Return the phase of what lies between two frequencies, in radians, unwrapped [T]."""
    return np.asarray(np.unwrap(np.angle(hilbert(band(signal, rate, low, high)))))


def without_breath(signal: Array, rate: float, breath_hz: float) -> Array:
    """Take out breathing: low frequencies, and the harmonics of each stretch of the breath.

    The harmonics follow the breath's own phase, so that they are found although no two breaths
    are equally long; their sizes may change from one ten seconds to the next.
    """
    phase = phase_of(signal, rate, 0.65 * breath_hz, 1.5 * breath_hz)
    rest = band(signal, rate, *_KEPT_HZ)
    columns = [f(k * phase) for k in _HARMONICS for f in (np.sin, np.cos)]
    basis = band(np.array(columns), rate, *_KEPT_HZ)
    width = min(round(_PART_S * rate), len(rest))
    cleaned, weight = np.zeros_like(rest), np.zeros_like(rest)
    last = len(rest) - width
    for start in sorted({*range(0, last + 1, width // 2), last}):
        part = slice(start, start + width)
        window = np.hanning(width) + 1e-3
        matrix = basis[:, part].T
        damped = matrix.T @ matrix
        damped[np.diag_indices_from(damped)] += 0.02 * np.trace(damped) / len(damped) + 1e-30
        fitted = matrix @ np.linalg.solve(damped, matrix.T @ rest[part])
        cleaned[part] += (rest[part] - fitted) * window
        weight[part] += window
    return cleaned / weight
