"""The operations of TensorFlow's graphs, as nodes of ONNX.

Images have their channels last in the original graphs and first in ONNX. A tensor remembers in
which order its axes lie, and is transposed only where the order matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edgewright.tools.models.conversion.writer import Array, Axes, GraphWriter, Tensor

Operand = Tensor | Array
#: Where the axes of an image lie in ONNX: [N, H, W, C] is kept as [N, C, H, W].
IMAGE: Axes = (0, 2, 3, 1)


class UnconvertedError(ValueError):
    """An operation, or a form of it, that cannot be converted."""


def computed(value: Operand) -> Tensor:
    """Return an operand that is computed from the image.

    Raises:
        UnconvertedError: It is a constant.
    """
    if not isinstance(value, Tensor):
        raise UnconvertedError("an operation on constants")
    return value


def constant(value: Operand) -> Array:
    """Return an operand that is the same for all images.

    Raises:
        UnconvertedError: It is computed from the image.
    """
    if isinstance(value, Tensor):
        raise UnconvertedError("weights or a size that depend on the image")
    return value


class Operations:
    """Adds operations to a graph.

    Args:
        writer: The graph.
    """

    def __init__(self, writer: GraphWriter) -> None:
        self.writer = writer

    def convolution(
        self,
        image: Tensor,
        weights: Array,
        bias: Array | None,
        *,
        strides: tuple[int, int],
        padding: str,
        dilations: tuple[int, int] = (1, 1),
    ) -> Tensor:
        """Convolve an image.

        Args:
            image: ``[N, H, W, C]``.
            weights: ``[height, width, inputs, outputs]``, with the inputs of one group; those of a
                depthwise convolution are 1.
            bias: One number for each output; None adds none.
            strides: Vertical and horizontal step.
            padding: ``SAME`` or ``VALID``.
            dilations: Vertical and horizontal distance between weights.
        """
        source, pads = self.writer.unpadded(self.writer.ordered(image, IMAGE), 0.0)
        height, width, inputs, outputs = weights.shape
        sizes, own = _windows(image, (height, width), strides, padding, dilations)
        names = [source, self.writer.constant(weights.transpose(3, 2, 0, 1))]
        if bias is not None:
            names.append(self.writer.constant(bias))
        name = self.writer.node(
            "Conv",
            names,
            strides=strides,
            dilations=dilations,
            group=image.shape[3] // inputs,
            kernel_shape=(height, width),
            pads=_added(pads, own),
        )
        return Tensor(name, (image.shape[0], *sizes, outputs), IMAGE)

    def pool(
        self,
        kind: str,
        image: Tensor,
        *,
        kernel: tuple[int, int],
        strides: tuple[int, int],
        padding: str,
    ) -> Tensor:
        """Pool an image ``[N, H, W, C]`` with ONNX's ``MaxPool`` or ``AveragePool``."""
        name, pads = self.writer.ordered(image, IMAGE), [0, 0, 0, 0]
        if kind == "MaxPool":
            name, pads = self.writer.unpadded(name, -math.inf)
        sizes, own = _windows(image, kernel, strides, padding, (1, 1))
        name = self.writer.node(
            kind, [name], kernel_shape=kernel, strides=strides, pads=_added(pads, own)
        )
        return Tensor(name, (image.shape[0], *sizes, image.shape[3]), IMAGE)

    def pad(self, tensor: Tensor, amounts: Array, value: float = 0.0) -> Tensor:
        """Pad a tensor by ``amounts``, ``[[before, after]]`` for each of its axes."""
        original = np.argsort(tensor.axes)
        before, after = amounts[original, 0].tolist(), amounts[original, 1].tolist()
        name = self.writer.padded(tensor.name, before, after, value)
        shape = tuple(np.add(tensor.shape, amounts.sum(axis=1)).tolist())
        return Tensor(name, shape, tensor.axes)

    def resize(self, image: Tensor, size: tuple[int, int], *, half_pixels: bool) -> Tensor:
        """Resize an image bilinearly; corners are not aligned."""
        shape = (image.shape[0], *size, image.shape[3])
        sizes = self.writer.integers([shape[0], shape[3], *size])
        name = self.writer.node(
            "Resize",
            [self.writer.ordered(image, IMAGE), "", "", sizes],
            mode="linear",
            coordinate_transformation_mode="half_pixel" if half_pixels else "asymmetric",
        )
        return Tensor(name, shape, IMAGE)

    def activation(self, kind: str, tensor: Tensor) -> Tensor:
        """Apply an activation by its name in TensorFlow; none if it is empty.

        Raises:
            UnconvertedError: It is another than ``Relu`` and ``Relu6``.
        """
        if kind == "":
            return tensor
        if kind == "Relu":
            return self.unary("Relu", tensor)
        if kind != "Relu6":
            raise UnconvertedError(f"activation {kind}")
        limits = [self.writer.constant(np.float32(limit)) for limit in (0, 6)]
        return Tensor(self.writer.node("Clip", [tensor.name, *limits]), tensor.shape, tensor.axes)

    def unary(self, kind: str, tensor: Tensor, **attributes: float) -> Tensor:
        """Apply an ONNX operation to each number of a tensor."""
        name = self.writer.node(kind, [tensor.name], **attributes)
        return Tensor(name, tensor.shape, tensor.axes, tensor.integer)

    def cast(self, tensor: Tensor, *, integer: bool) -> Tensor:
        """Convert between integers and float32."""
        if tensor.integer == integer:
            return tensor
        name = self.writer.node("Cast", [tensor.name], to=7 if integer else 1)
        return Tensor(name, tensor.shape, tensor.axes, integer)

    def binary(self, kind: str, first: Operand, second: Operand) -> Tensor:
        """Combine two tensors, one of which may be an array, number by number."""
        shape = np.broadcast_shapes(first.shape, second.shape)
        tensors = [one for one in (first, second) if isinstance(one, Tensor)]
        whole = [one.axes for one in tensors if len(one.shape) == len(shape)]
        axes = whole[0] if whole else tuple(range(len(shape)))
        names = [self._operand(one, axes) for one in (first, second)]
        integer = all(one.integer for one in tensors)
        return Tensor(self.writer.node(kind, names), shape, axes, integer)

    def concatenate(self, tensors: Sequence[Tensor], axis: int) -> Tensor:
        """Concatenate tensors along an axis, which may count from the end."""
        axis %= len(tensors[0].shape)
        axes = tensors[0].axes
        names = [self.writer.ordered(one, axes) for one in tensors]
        name = self.writer.node("Concat", names, axis=axes[axis])
        shape = list(tensors[0].shape)
        shape[axis] = sum(one.shape[axis] for one in tensors)
        return Tensor(name, tuple(shape), axes, tensors[0].integer)

    def split(self, tensor: Tensor, sizes: Sequence[int], axis: int) -> list[Tensor]:
        """Split a tensor into parts of the given sizes along an axis."""
        axis %= len(tensor.shape)
        found = []
        for name, size in zip(
            self.writer.split(tensor.name, sizes, tensor.axes[axis]), sizes, strict=True
        ):
            shape = (*tensor.shape[:axis], size, *tensor.shape[axis + 1 :])
            found.append(Tensor(name, shape, tensor.axes, tensor.integer))
        return found

    def reshape(self, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """Reshape a tensor; one size may be -1."""
        known = math.prod(size for size in shape if size != -1)
        sizes = tuple(math.prod(tensor.shape) // known if size == -1 else size for size in shape)
        name = self.writer.node("Reshape", [self.writer.plain(tensor), self.writer.integers(sizes)])
        return Tensor(name, sizes, tuple(range(len(sizes))), tensor.integer)

    def transpose(self, tensor: Tensor, permutation: Sequence[int]) -> Tensor:
        """Transpose a tensor, which needs no operation before its order matters."""
        shape = tuple(tensor.shape[axis] for axis in permutation)
        axes = tuple(tensor.axes[axis] for axis in permutation)
        return Tensor(tensor.name, shape, axes, tensor.integer)

    def argmax(self, tensor: Tensor, axis: int) -> Tensor:
        """Return where a tensor is largest along an axis, which is left out."""
        axis %= len(tensor.shape)
        name = self.writer.node("ArgMax", [self.writer.plain(tensor)], axis=axis, keepdims=0)
        shape = tensor.shape[:axis] + tensor.shape[axis + 1 :]
        return Tensor(name, shape, tuple(range(len(shape))), integer=True)

    def gather(self, tensor: Tensor, places: Tensor) -> Tensor:
        """Return the entries at ``places``, ``[..., leading axes]``, like TensorFlow's GatherNd."""
        names = [self.writer.plain(tensor), self.writer.plain(places)]
        shape = places.shape[:-1] + tensor.shape[places.shape[-1] :]
        name = self.writer.node("GatherND", names)
        return Tensor(name, shape, tuple(range(len(shape))), tensor.integer)

    def tensor(self, operand: Operand) -> Tensor:
        """Return an array as a tensor of the graph; a tensor is returned unchanged."""
        if isinstance(operand, Tensor):
            return operand
        name = self.writer.constant(operand)
        axes = tuple(range(operand.ndim))
        return Tensor(name, operand.shape, axes, operand.dtype.kind in "iu")

    def _operand(self, operand: Operand, axes: Axes) -> str:
        """Return the name of an operand, aligned with a tensor of another order of axes."""
        missing = len(axes) - len(operand.shape)
        if isinstance(operand, Tensor):
            if missing:
                operand = self.reshape(operand, (*[1] * missing, *operand.shape))
            return self.writer.ordered(operand, axes)
        if operand.ndim == 0:
            return self.writer.constant(operand)
        whole = operand.reshape(*[1] * missing, *operand.shape)
        return self.writer.constant(whole.transpose(np.argsort(axes)))


def _windows(
    image: Tensor,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    dilations: tuple[int, int],
) -> tuple[list[int], list[int]]:
    """Return the height and width after sliding a window, and the padding ``[t, l, b, r]``."""
    if padding not in ("SAME", "VALID"):
        raise UnconvertedError(f"padding {padding}")
    sizes, before, after = [], [], []
    for size, window, step, gap in zip(image.shape[1:3], kernel, strides, dilations, strict=True):
        reach = (window - 1) * gap + 1
        count = -(-size // step) if padding == "SAME" else (size - reach) // step + 1
        lacking = max(0, (count - 1) * step + reach - size)
        sizes.append(count)
        before.append(lacking // 2)
        after.append(lacking - lacking // 2)
    return sizes, [*before, *after]


def _added(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip(first, second, strict=True)]
