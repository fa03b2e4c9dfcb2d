"""Boxes as arrays: non-maximum suppression and weighted fusion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Detections:
    """What a detector found.

    Attributes:
        boxes: float32 ``[N, 4]``: x0, y0, x1, y1 in pixels.
        scores: float32 ``[N]``.
        labels: Names, one for each box.
    """

    boxes: Floats
    scores: Floats
    labels: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.scores)

    def chosen(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Return some of them, by index or mask."""
        return Detections(self.boxes[which], self.scores[which], self.labels[which])


def joined(parts: list[Detections]) -> Detections:
    """Return all detections of several lists."""
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def iou(box: Floats, others: Floats) -> Floats:
    """Return the intersection over union of a box ``[4]`` with others ``[N, 4]``, ``[N]``."""
    overlap = overlap_area(box, others)
    either = area(box) + area(others) - overlap
    return np.divide(overlap, either, out=np.zeros_like(overlap), where=either > 0)


def overlap_area(box: Floats, others: Floats) -> Floats:
    """Return the area that a box ``[4]`` shares with each of others ``[N, 4]``, ``[N]``."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    sides = np.clip(high - low, 0, None)
    product: Floats = sides[:, 0] * sides[:, 1]
    return product


def area(boxes: Floats) -> Floats:
    """Return the areas of boxes ``[..., 4]``."""
    widths: Floats = np.subtract(boxes[..., 2], boxes[..., 0])
    heights: Floats = np.subtract(boxes[..., 3], boxes[..., 1])
    return widths * heights


def suppressed(found: Detections, *, max_iou: float) -> Detections:
    """Drop boxes that overlap a better one of the same label; see ``distinct``."""
    return found.chosen(distinct(found, max_iou=max_iou))


def distinct(found: Detections, *, max_iou: float) -> NDArray[np.intp]:
    """Return which boxes no better one of the same label overlaps (non-maximum suppression).

    Args:
        found: Detections.
        max_iou: Boxes of one label that overlap more than this show the same object.

    Returns:
        Their indices, best first.
    """
    kept: list[int] = []
    remaining = np.argsort(-found.scores, kind="stable")
    while len(remaining):
        best, others = remaining[0], remaining[1:]
        kept.append(int(best))
        same = found.labels[others] == found.labels[best]
        overlaps = iou(found.boxes[best], found.boxes[others])
        remaining = others[~same | (overlaps <= max_iou)]
    return np.array(kept, dtype=np.intp)


def fused(found: list[Detections], *, trust: float, min_iou: float) -> Detections:
    """Merge the detections of several detectors (weighted boxes fusion, Solovyev et al., 2021).

    Boxes of one label that overlap form a cluster. Its box is the mean of theirs, weighted by their
    scores. Its score is that of independent witnesses: each detector that sees an object adds to
    the certainty, and one that does not see it takes nothing away, since it may not know it.

    Args:
        found: Detections of each detector.
        trust: How far the score of a single detector is believed, 0 to 1.
        min_iou: Boxes of one label that overlap at least this much show the same object.

    Returns:
        The merged detections, best first.
    """
    every = joined(found)
    source = np.repeat(np.arange(len(found)), [len(part) for part in found])
    boxes, scores, labels = [], [], []
    remaining = np.argsort(-every.scores, kind="stable")
    while len(remaining):
        best = remaining[0]
        together = (every.labels[remaining] == every.labels[best]) & (
            iou(every.boxes[best], every.boxes[remaining]) >= min_iou
        )
        together[0] = True  # also a box without an area
        members, remaining = remaining[together], remaining[~together]
        share = every.scores[members][:, np.newaxis]
        boxes.append((every.boxes[members] * share).sum(axis=0) / share.sum())
        doubt = 1.0
        for each in np.unique(source[members]):
            doubt *= 1 - trust * every.scores[members][source[members] == each].max()
        scores.append(1 - doubt)
        labels.append(every.labels[best])
    if not boxes:
        return every
    merged = Detections(np.array(boxes, np.float32), np.array(scores, np.float32), np.array(labels))
    return merged.chosen(np.argsort(-merged.scores, kind="stable"))
