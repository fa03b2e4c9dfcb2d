"""From a recording to the displacement of whatever moves: range profiles and phase demodulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.sensing.acoustic.probe import Probe

Profiles = NDArray[np.complex128]
Array = NDArray[np.float64]

#: Metres a second in a living room; the displacement's scale depends on it, no rate does.
SPEED_OF_SOUND = 343.0
_RANGE_CELLS = 320
#: The shortest stretch without motion of the body that rates are read from, in seconds.
MIN_STILL_S = 9.0
#: Change of the echo from chirp to chirp, relative to its usual change, that means motion.
_MOTION = 6.0
#: Seconds around motion that are left out.
_MARGIN_S = 0.4
#: Range cells whose moving part is weaker than the strongest one's by more are not looked at.
_WEAKEST_DB = 14.0
_MAX_CELLS = 12


@dataclass(frozen=True)
class Still:
    """A stretch without motion of the body.

    Attributes:
        displacement_m: Displacement seen in several range cells, most moving first [cells, T].
        weights: How well each cell's echo follows a circle, 0 to 1 [cells].
        start_s: When it begins.
    """

    displacement_m: Array
    weights: Array
    start_s: float


def range_profiles(audio: NDArray[np.int16], probe: Probe) -> Profiles:
    """Compress each chirp of a recording to a range profile.

    Args:
        audio: The recording [T], at the probe's sample rate.
        probe: The sound that was sent.

    Returns:
        One profile for each whole chirp [chirps, cells]; a cell is about 2 cm.
    """
    chirps = len(audio) // probe.samples
    frames = audio[: chirps * probe.samples].reshape(chirps, probe.samples)
    lines = np.fft.rfft(frames.astype(np.float32), axis=1)[:, probe.bins]
    matched = lines * (np.conj(probe.spectrum) * np.hanning(lines.shape[1]))
    return np.asarray(np.fft.ifft(matched, _RANGE_CELLS, axis=1))


def still_stretches(profiles: Profiles, probe: Probe) -> list[Still]:
    """Find the stretches without motion of the body, and demodulate each.

    Args:
        profiles: Range profiles [chirps, cells].
        probe: The sound that was sent.
    """
    moving = _moving(profiles, probe)
    found: list[Still] = []
    edges = np.flatnonzero(np.diff(np.concatenate(([1], moving.astype(int), [1]))))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if (end - start) * probe.period_s >= MIN_STILL_S:
            found.append(_demodulated(profiles[start:end], probe, start * probe.period_s))
    return found


def _moving(profiles: Profiles, probe: Probe) -> NDArray[np.bool_]:
    """Return for each chirp whether the body moves."""
    change = np.zeros(len(profiles))
    change[1:] = np.sum(np.abs(np.diff(profiles, axis=0)) ** 2, axis=1)
    width = max(1, round(0.3 / probe.period_s))
    smooth = np.convolve(change, np.ones(width) / width, mode="same")
    usual = np.median(smooth)
    margin = round(_MARGIN_S / probe.period_s)
    wide = np.convolve(smooth > _MOTION * usual, np.ones(2 * margin + 1), mode="same") > 0
    return np.asarray(wide)


def _demodulated(profiles: Profiles, probe: Probe, start_s: float) -> Still:
    centred = profiles - profiles.mean(axis=0)
    energy = np.mean(np.abs(centred) ** 2, axis=0)
    around = np.maximum(np.roll(energy, 1), np.roll(energy, -1))
    floor = energy.max() / 10 ** (_WEAKEST_DB / 10)
    cells = np.flatnonzero((energy >= around) & (energy >= floor))
    cells = cells[np.argsort(-energy[cells])][:_MAX_CELLS]
    scale = SPEED_OF_SOUND / (4 * np.pi * probe.centre_hz)
    displacements, weights = [], []
    for cell in cells:
        centre, radius, misfit = _circle(profiles[:, cell])
        phase = np.unwrap(np.angle(profiles[:, cell] - centre))
        displacements.append(phase * scale)
        weights.append(float(np.clip(1 - misfit / radius, 0, 1)) if radius else 0.0)
    return Still(np.array(displacements), np.array(weights), start_s)


def _circle(points: NDArray[np.complex128]) -> tuple[complex, float, float]:
    """Fit a circle to points by Taubin's method.

    What stands still adds a constant to a moving echo of constant strength, so a cell's values
    lie on an arc around that constant.

    Returns:
        Centre, radius, and root mean square distance of the points from the circle.
    """
    mean = points.mean()
    x, y = (points - mean).real, (points - mean).imag
    z = x * x + y * y
    z_mean = z.mean()
    if z_mean == 0:
        return complex(mean), 0.0, 0.0
    z0 = (z - z_mean) / (2 * np.sqrt(z_mean))
    _, _, rows = np.linalg.svd(np.column_stack((z0, x, y)), full_matrices=False)
    a, b, c = rows[-1]
    a = a / (2 * np.sqrt(z_mean))
    if abs(a) < 1e-12 / np.sqrt(z_mean):  # a straight line: the centre is far away
        a = 1e-12 / np.sqrt(z_mean)
    d = -z_mean * a
    centre = complex(-b / (2 * a), -c / (2 * a))
    radius = float(np.sqrt(max(b * b + c * c - 4 * a * d, 0.0)) / (2 * abs(a)))
    misfit = float(np.sqrt(np.mean((np.abs(points - mean - centre) - radius) ** 2)))
    return complex(mean) + centre, radius, misfit
