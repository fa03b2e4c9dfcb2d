"""The heart rate: which frequency, in each window, is that of the heart.

Breathing is thirty times as strong as the heart and has harmonics in its range, and of the heart's
stroke the second harmonic is often stronger than the first. So each candidate is described by how
far its multiples stand out, and a small network, fitted to simulated chests, says how probable it
is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from edgewright.tools.sensing.acoustic.echo import Still
from edgewright.tools.sensing.acoustic.filters import band, power, without_breath

Array = NDArray[np.float64]

#: Candidates, in hertz.
STEP_HZ = 0.02
GRID = np.arange(0.75, 2.25, STEP_HZ)
WINDOW_S = 10.0
HOP_S = 2.5
_FINE = np.arange(0.36, 9.2, 0.02)
#: The multiples of a candidate that describe it: halves are there if it is a multiple itself.
_MULTIPLES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
_FLOOR_HZ = 0.9
#: Above the heart's harmonics, below half the rate of the chirps.
_NOISE_HZ = (10.0, 12.0)


def describe(still: Still, rate: float, breath_hz: float) -> tuple[Array, Array]:
    """Describe every candidate in every window of a still stretch.

    Args:
        still: The stretch.
        rate: Samples a second of its displacement.
        breath_hz: The respiration rate.

    Returns:
        The middles of the windows in seconds [W], and features [W, candidates, F].
    """
    moved = still.displacement_m
    clean = np.array([without_breath(one, rate, breath_hz) for one in moved])
    raw = band(moved, rate, 0.5, 9.0)
    weights = still.weights**2
    share = weights / max(1e-9, float(weights.sum()))
    sources = [_common(clean, still.weights), clean, _common(raw, still.weights)]
    shares = [np.ones(1), share, np.ones(1)]
    width, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    middles, rows = [], []
    for start in range(0, moved.shape[1] - width + 1, hop):
        columns = []
        for source, of in zip(sources, shares, strict=True):
            spectrum = power(source[:, start : start + width], rate, _FINE) * _FINE**2
            floor = uniform_filter1d(spectrum, round(_FLOOR_HZ / 0.02), axis=1)
            above = of @ np.log((spectrum + 1e-30) / (floor + 1e-30))
            columns += [np.interp(multiple * GRID, _FINE, above) for multiple in _MULTIPLES]
        order = GRID / breath_hz
        columns += [np.abs(order - np.round(order)), np.minimum(order, 12.0) / 4, GRID]
        middles.append(still.start_s + (start + width / 2) / rate)
        rows.append(np.clip(np.stack(columns, axis=1), -6.0, 6.0))
    return np.array(middles), np.array(rows)


def noise_m(stills: Sequence[Still], rate: float) -> float:
    """Return the noise of the displacement, in metres: what moves faster than any chest.

    Args:
        stills: Still stretches, at least one.
        rate: Samples a second.
    """
    fast = [band(one.displacement_m, rate, *_NOISE_HZ).std(axis=1).min() for one in stills]
    return float(min(fast))


def best_path(scores: Array, cost_per_hz: float) -> tuple[NDArray[np.intp], float]:
    """Return the path of candidates with the highest sum of scores, less what its steps cost.

    Args:
        scores: Scores [W, candidates].
        cost_per_hz: Cost of a change of 1 Hz from a window to the next.
    """
    reach = np.arange(scores.shape[1])
    cost = cost_per_hz * np.abs(reach[:, None] - reach[None, :]) * STEP_HZ
    best, came = scores[0], list[NDArray[np.intp]]()
    for row in scores[1:]:
        options = best[:, None] - cost
        came.append(np.argmax(options, axis=0))
        best = options[came[-1], reach] + row
    path = [int(np.argmax(best))]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1], dtype=np.intp), float(best.max())


def _common(signals: Array, weights: Array) -> Array:
    """Return what the cells have in common: their first principal component [1, T]."""
    scaled = signals / (signals.std(axis=1, keepdims=True) + 1e-12) * weights[:, None]
    rows: Array = np.linalg.svd(scaled, full_matrices=False)[2][:1]
    return rows


def stretches_with_windows(stills: Sequence[Still], rate: float) -> list[Still]:
    """Return the stretches that are long enough for a window."""
    return [one for one in stills if one.displacement_m.shape[1] >= round(WINDOW_S * rate)]


class HeartNetwork:
    """A network of one hidden layer over a candidate's description.

    Args:
        tensors: ``mean``, ``deviation`` [F], ``hidden`` [F, H], ``hidden_bias`` [H], ``output``
            [H, 1], ``output_bias`` [1].
    """

    def __init__(self, tensors: Mapping[str, NDArray[np.generic]]) -> None:
        self._tensors = {name: np.asarray(value, np.float64) for name, value in tensors.items()}

    def log_odds(self, features: Array) -> Array:
        """Return the log odds that a candidate is the heart rate, limited to likely values.

        Args:
            features: Descriptions [W, candidates, F].
        """
        own = self._tensors
        scaled = (features - own["mean"]) / own["deviation"]
        hidden = np.maximum(scaled @ own["hidden"] + own["hidden_bias"], 0.0)
        odds = (hidden @ own["output"])[..., 0] + own["output_bias"][0]
        return np.asarray(np.clip(odds, -9.2, 9.2))
