"""The two object detectors: what goes in, and what their outputs mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.vision.perception.boxes import Detections, Floats, suppressed

if TYPE_CHECKING:
    from PIL import Image

#: ``PIL.Image.Resampling.BILINEAR``; a light client that lists experts does not load Pillow.
_BILINEAR = 2

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]

#: Names in COCO's order. Two differ from COCO's own: "computer mouse" and "table".
_COCO_NAMES = (
    "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant "
    "stop_sign parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe "
    "backpack umbrella handbag tie suitcase frisbee skis snowboard sports_ball kite baseball_bat "
    "baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup fork knife spoon bowl "
    "banana apple sandwich orange broccoli carrot hot_dog pizza donut cake chair couch "
    "potted_plant bed table toilet tv laptop computer_mouse remote keyboard cell_phone microwave "
    "oven toaster sink refrigerator book clock vase scissors teddy_bear hair_drier toothbrush"
)
#: Names of the second detector's classes, by the first one's names where both know the thing.
_OPEN_IMAGES_NAMES = (
    "bicycle boot laptop person chair cow desk cat computer_mouse monitor box cup cup "
    "stationary_bicycle table bottle high_heels vehicle footwear dog book camera car"
)

_NANODET_SIZE, _NANODET_STRIDES, _NANODET_BINS = 416, (8, 16, 32), 11
_SSD_SIZE, _SSD_MAPS, _SSD_SCALES = 300, (19, 10, 5, 3, 2, 1), (0.2, 0.95)
_SSD_RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
#: Divisors of the encodings of centre and size.
_SSD_CENTRE, _SSD_SIDE = 10.0, 5.0
#: Lower scores are not even candidates.
_CANDIDATE = 0.1
_SAME_OBJECT = 0.6


def pixels_of(image: Image.Image) -> Floats:
    """Return an RGB image as float32 ``[1, 3, H, W]``, from 0 to 255."""
    pixels = np.asarray(image, dtype=np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis])


def nanodet(run: Network, image: Image.Image) -> Detections:
    """Find objects of 80 kinds with NanoDet (RangiLyu, 2020).

    The network scores each cell of three grids, and gives the distance to each side of the box as a
    distribution (generalised focal loss, Li et al., 2020).

    Args:
        run: float32 ``[1, 3, 416, 416]``, red, green and blue from 0 to 255, to ``[1, N, 80 + 4 *
            11]``.
        image: RGB image.

    Returns:
        Objects in pixels of the image.
    """
    size = (_NANODET_SIZE, _NANODET_SIZE)
    output = run(pixels_of(image.resize(size, _BILINEAR, reducing_gap=3)))[0]
    return nanodet_output(output, image.size)


def nanodet_output(output: Floats, size: tuple[int, int]) -> Detections:
    """Interpret NanoDet's output.

    Args:
        output: float32 ``[N, 80 + 4 * 11]``.
        size: Width and height of the image; coordinates are scaled to them.
    """
    names = coco_names()
    scores, sides = output[:, : len(names)], output[:, len(names) :]
    centres, strides = _nanodet_cells()
    rows, classes = np.nonzero(scores > _CANDIDATE)
    logits = sides[rows].reshape(-1, 4, _NANODET_BINS)
    shares = np.exp(logits - logits.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    distance = (shares @ np.arange(_NANODET_BINS, dtype=np.float32)) * strides[rows, np.newaxis]
    middle = centres[rows]
    boxes = np.concatenate([middle - distance[:, :2], middle + distance[:, 2:]], axis=1)
    return _in_image(boxes / _NANODET_SIZE, scores[rows, classes], names[classes], size)


def ssd(run: Network, image: Image.Image) -> Detections:
    """Find objects of 23 kinds with a single-shot detector (Liu et al., 2016).

    Args:
        run: float32 ``[1, 3, 300, 300]``, red, green and blue from 0 to 255, to ``[1, 1917, 4 +
            24]``: box encodings, and a logit for each class after that of the background.
        image: RGB image.

    Returns:
        Objects in pixels of the image.
    """
    size = (_SSD_SIZE, _SSD_SIZE)
    output = run(pixels_of(image.resize(size, _BILINEAR, reducing_gap=3)))[0]
    return ssd_output(output, image.size)


def ssd_output(output: Floats, size: tuple[int, int]) -> Detections:
    """Interpret the single-shot detector's output.

    Args:
        output: float32 ``[1917, 4 + 24]``.
        size: Width and height of the image; coordinates are scaled to them.
    """
    scores = 1 / (1 + np.exp(-output[:, 5:]))
    rows, classes = np.nonzero(scores > _CANDIDATE)
    codes, anchors = output[rows, :4], _ssd_anchors()[rows]
    centre = anchors[:, :2] + codes[:, :2] / _SSD_CENTRE * anchors[:, 2:]
    half = anchors[:, 2:] * np.exp(np.clip(codes[:, 2:] / _SSD_SIDE, None, 5)) / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)[:, [1, 0, 3, 2]]
    names = _names(_OPEN_IMAGES_NAMES)
    return _in_image(boxes, scores[rows, classes], names[classes], size)


def _in_image(
    relative: Floats, scores: Floats, labels: NDArray[np.str_], size: tuple[int, int]
) -> Detections:
    """Return detections scaled to an image's width and height, one for each object."""
    scale = np.array([*size, *size], dtype=np.float32)
    boxes = (np.clip(relative, 0, 1) * scale).astype(np.float32)
    return suppressed(Detections(boxes, scores, labels), max_iou=_SAME_OBJECT)


@cache
def detected_names() -> frozenset[str]:
    """Return the labels of both detectors."""
    return frozenset(map(str, [*coco_names(), *_names(_OPEN_IMAGES_NAMES)]))


def coco_names() -> NDArray[np.str_]:
    """Return the names of the first detector's classes."""
    return _names(_COCO_NAMES)


@cache
def _names(text: str) -> NDArray[np.str_]:
    return np.array([name.replace("_", " ") for name in text.split()])


@cache
def _nanodet_cells() -> tuple[Floats, Floats]:
    """Return the centre (x, y) and the stride of each cell."""
    centres, strides = [], []
    for stride in _NANODET_STRIDES:
        steps = (np.arange(_NANODET_SIZE // stride, dtype=np.float32) + 0.5) * stride
        ys, xs = np.meshgrid(steps, steps, indexing="ij")
        centres.append(np.stack([xs.ravel(), ys.ravel()], axis=1))
        strides.append(np.full(xs.size, stride, dtype=np.float32))
    return np.concatenate(centres), np.concatenate(strides)


@cache
def _ssd_anchors() -> Floats:
    """Return the anchors as centre y, centre x, height and width, relative to the image."""
    layers = len(_SSD_MAPS)
    low, high = _SSD_SCALES
    scales = [low + (high - low) * layer / (layers - 1) for layer in range(layers)] + [1.0]
    anchors = []
    for layer, side in enumerate(_SSD_MAPS):
        if layer == 0:  # fewer boxes in the finest grid
            shapes = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)]
        else:
            shapes = [(scales[layer], ratio) for ratio in _SSD_RATIOS]
            shapes.append(((scales[layer] * scales[layer + 1]) ** 0.5, 1.0))
        for row in range(side):
            for column in range(side):
                y, x = (row + 0.5) / side, (column + 0.5) / side
                anchors += [
                    (y, x, scale / ratio**0.5, scale * ratio**0.5) for scale, ratio in shapes
                ]
    return np.array(anchors, dtype=np.float32)
