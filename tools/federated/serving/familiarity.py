"""Whether an image is like those that a model was trained for, or "not one of its classes".

A classifier names one of its classes for any image. Descriptions of an image are compared with
those of the validation images: by the distance from their mean along their principal directions,
and by what lies outside these; once from the mean of all images, once from that of the nearest
class, and once from that of the nearest group of images that look alike. The threshold keeps a
chosen share of validation images that took no part in their own comparison. Nothing of this looks
at test images or at the model.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.federated.serving.described import Floats, described

#: Minimum number of images to learn from; with fewer, no threshold would mean anything.
MIN_IMAGES = 40
MAX_IMAGES = 1000
#: Share of its own images that a model accepts at least, and with which confidence: the threshold
#: comes from few images, so more of them have to be kept.
KEPT, _CONFIDENCE = 0.95, 0.9
#: Number of images that weigh as much as all images for the mean of a class, and the minimum for it
#: to have one: the mean of fewer would show them.
_SHRINKAGE, _MIN_OF_CLASS = 1.0, 5
#: Mean number of images in a group that looks alike, and the directions in which groups are found.
_OF_GROUP, _GROUP_DIRECTIONS = 12, 20
_FOLDS = 5
_MAX_DIRECTIONS = 40
_VARIANCE = 0.95
_PARTS = ("mean", "scale", "centres", "axes", "variances", "outside")


@dataclass(frozen=True)
class _Cloud:
    """What descriptions of one kind look like: their centres, the axes around them, and the rest.

    Attributes:
        mean: Mean of all, ``[D]``.
        scale: What each number is divided by, ``[D]``.
        centres: Scaled centres of the groups, ``[K, D]``.
        axes: Principal directions around the centres, ``[A, D]``.
        variances: Variance along each, ``[A]``.
        outside: Mean variance of a number outside of them, ``[1]``.
    """

    mean: Floats
    scale: Floats
    centres: Floats
    axes: Floats
    variances: Floats
    outside: Floats

    @classmethod
    def fit(cls, rows: Floats, groups: NDArray[np.int64]) -> _Cloud:
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        scale = deviation + 0.1 * deviation.mean() + 1e-4
        scaled = (rows - mean) / scale
        found, places, counts = np.unique(groups, return_inverse=True, return_counts=True)
        centres = np.zeros((len(found), rows.shape[1]))
        for place in np.flatnonzero(counts >= _MIN_OF_CLASS):
            total = scaled[places == place].sum(axis=0)
            centres[place] = total / (counts[place] + _SHRINKAGE)
        _, values, axes = np.linalg.svd(scaled - centres[places], full_matrices=False)
        variances = values**2 / len(rows)
        needed = int(np.searchsorted(np.cumsum(variances), _VARIANCE * variances.sum())) + 1
        count = max(1, min(needed, _MAX_DIRECTIONS, max(2, len(rows) // 5), rows.shape[1] - 1))
        left = rows.shape[1] - count
        outside = np.array([max(variances[count:].sum() / left, 1e-3)])
        variances = np.maximum(variances[:count], 1e-6)
        parts = (mean, scale, centres, axes[:count], variances, outside)
        return cls(*(part.astype(np.float32) for part in parts))

    def distances(self, rows: Floats) -> NDArray[np.float64]:
        """Return the logarithms of the distances along the axes and outside, ``[N, 2]``.

        They are from the centre that is nearest by both.
        """
        scaled = ((rows - self.mean) / self.scale).astype(np.float64)
        centres, axes = self.centres.astype(np.float64), self.axes.astype(np.float64)
        along = ((scaled @ axes.T)[:, np.newaxis] - centres @ axes.T) ** 2  # [N, K, A]
        whole = (scaled**2).sum(axis=1)[:, np.newaxis] - 2 * scaled @ centres.T
        rest = np.maximum(whole + (centres**2).sum(axis=1) - along.sum(axis=2), 0)
        left = rows.shape[1] - len(axes)
        both = np.stack(
            [(along / self.variances).mean(axis=2), rest / self.outside[0] / left], axis=2
        )
        nearest = (both @ np.array([len(axes), left])).argmin(axis=1)
        logarithms: NDArray[np.float64] = np.log(both[np.arange(len(rows)), nearest] + 1e-9)
        return logarithms


@dataclass(frozen=True)
class Familiarity:
    """What the images of a model look like, and how far an image may be from that.

    Attributes:
        clouds: What each kind of description looks like, by its name and "all", "classes" or
            "groups".
        typical: Mean and standard deviation of the distances of validation images, ``[2, D]``.
        threshold: Score above which an image is unfamiliar.
    """

    clouds: Mapping[str, _Cloud]
    typical: NDArray[np.float64]
    threshold: float

    def margins(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return how far images are above the threshold, as logarithms; above 0: unfamiliar.

        Args:
            images: uint8 ``[N, H, W, C]``, of the size and channels of the training images.
        """
        scores = _scores(_distances(self.clouds, described(images)), self.typical)
        return np.asarray(np.log(scores + 1e-9) - np.log(self.threshold + 1e-9))

    def to_bytes(self) -> bytes:
        """Return it as an ``.npz`` file."""
        arrays: dict[str, NDArray[np.generic]] = {
            f"{name}.{part}": getattr(cloud, part)
            for name, cloud in self.clouds.items()
            for part in _PARTS
        }
        arrays |= {"typical": self.typical, "threshold": np.array(self.threshold)}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Familiarity:
        """Read what ``to_bytes`` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            if not zipfile.is_zipfile(io.BytesIO(data)):
                raise ValueError("it describes no images")
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                names = {key.split(".")[0] for key in arrays.files if "." in key}
                clouds = {
                    name: _Cloud(*(arrays[f"{name}.{part}"] for part in _PARTS))
                    for name in sorted(names)
                }
                return cls(clouds, arrays["typical"], float(arrays["threshold"]))
        except (KeyError, OSError, TypeError, zipfile.BadZipFile) as error:
            raise ValueError(f"it describes no images ({error})") from None


def learn_familiarity(
    images: NDArray[np.uint8], labels: NDArray[np.int64], seed: int = 0
) -> Familiarity | None:
    """Learn what the images of a model look like.

    Args:
        images: Validation images, uint8 ``[N, H, W, C]``; ``MAX_IMAGES`` of them are used.
        labels: Their classes, ``[N]``.
        seed: Determines which, and which are compared with which.

    Returns:
        What they look like; None if there are fewer than ``MIN_IMAGES``.
    """
    if len(images) < MIN_IMAGES:
        return None
    order = np.random.default_rng(seed).permutation(len(images))[:MAX_IMAGES]
    rows, labels = described(images[order]), labels[order]
    folds = np.arange(len(order)) % _FOLDS
    # Each image is compared with the others alone, as a new one will be.
    apart = np.concatenate([
        _distances(_fitted(rows, labels, folds != fold), _part(rows, folds == fold))
        for fold in range(_FOLDS)
    ])  # fmt: skip
    typical = np.stack([apart.mean(axis=0), apart.std(axis=0) + 1e-6])
    threshold = float(np.sort(_scores(apart, typical))[_rank(len(order))])
    return Familiarity(_fitted(rows, labels, folds >= 0), typical, threshold)


def _rank(count: int) -> int:
    """Return the index of the sorted score that enough images stay below, confidently."""
    from scipy.stats import binom

    return min(count - 1, int(binom.ppf(_CONFIDENCE, count, KEPT)))


def _fitted(
    rows: Mapping[str, Floats], labels: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> dict[str, _Cloud]:
    """Fit clouds to each kind of description: of all images, their classes, and their groups."""
    found = {}
    for name, each in _part(rows, chosen).items():
        found[f"{name}/all"] = _Cloud.fit(each, np.zeros(len(each), np.int64))
        found[f"{name}/classes"] = _Cloud.fit(each, labels[chosen])
        found[f"{name}/groups"] = _Cloud.fit(each, _groups(each))
    return found


def _groups(rows: Floats) -> NDArray[np.int64]:
    """Divide descriptions into groups that look alike: a class may consist of several kinds."""
    from scipy.cluster.vq import kmeans2

    deviation = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / (deviation + 0.1 * deviation.mean() + 1e-4)
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    low = (scaled @ axes[:_GROUP_DIRECTIONS].T).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # equal images leave groups empty
        _, found = kmeans2(low, max(2, len(rows) // _OF_GROUP), iter=20, minit="points", rng=0)
    return np.asarray(found, np.int64)


def _part(rows: Mapping[str, Floats], chosen: NDArray[np.bool_]) -> dict[str, Floats]:
    return {name: each[chosen] for name, each in rows.items()}


def _distances(clouds: Mapping[str, _Cloud], rows: Mapping[str, Floats]) -> NDArray[np.float64]:
    parts = [clouds[name].distances(rows[name.split("/")[0]]) for name in sorted(clouds)]
    return np.concatenate(parts, axis=1)


def _scores(distances: NDArray[np.float64], typical: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of squares of what is farther than typical; closer is never worse."""
    excess = np.clip((distances - typical[0]) / typical[1], 0, None)
    return np.asarray((excess**2).sum(axis=1))
