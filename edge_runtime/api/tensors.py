"""Tensors of the Open Inference Protocol: JSON, and values as bytes."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from edgewright.tools.errors import InputError
from edgewright.tools.images.encoded import from_base64

Tensor = NDArray[np.float32]

_LENGTH = struct.Struct("<I")
#: Parameter with the length of an input's values, if they are not in the request itself.
BINARY_SIZE = "binary_data_size"
_BINARY = "binary_data"
#: Maximum number of samples of one request.
MAX_BATCH = 64


class _Fields(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


#: Parameters of extensions that are not here; without them a result would be another one.
_EXTENSIONS = frozenset({"classification", "shared_memory_region"})


def _without_extensions(parameters: dict[str, Any]) -> dict[str, Any]:
    if missing := _EXTENSIONS & parameters.keys():
        raise ValueError(f"there is no extension for {min(missing)!r} here")
    return parameters


_Parameters = Annotated[dict[str, Any], AfterValidator(_without_extensions)]


class RequestInput(_Fields):
    """A tensor of a request.

    Attributes:
        name: Its name.
        shape: Its shape.
        datatype: ``FP32`` or ``BYTES``.
        parameters: ``binary_data_size`` if it follows the JSON.
        data: Its values, nested or flat; bytes as base64.
    """

    name: str = Field(max_length=100)
    shape: list[int] = Field(min_length=1, max_length=8)
    datatype: Literal["FP32", "BYTES"]
    parameters: _Parameters = Field(default_factory=dict)
    data: list[Any] | None = None


class RequestOutput(_Fields):
    """An output that a request names.

    Attributes:
        name: Its name.
        parameters: ``binary_data`` if it is wanted after the JSON.
    """

    name: str = Field(max_length=100)
    parameters: _Parameters = Field(default_factory=dict)


class InferenceRequest(_Fields):
    """A request for inference.

    Attributes:
        id: Returned with the response.
        parameters: ``binary_data_output`` for all outputs; ``timeout`` in microseconds.
        inputs: The tensors; here exactly one.
        outputs: Outputs to return; empty means all.
    """

    id: str | None = Field(default=None, max_length=200)
    parameters: dict[str, Any] = Field(default_factory=dict)
    inputs: list[RequestInput] = Field(min_length=1, max_length=1)
    outputs: list[RequestOutput] = Field(default_factory=list, max_length=8)

    @property
    def timeout_s(self) -> float | None:
        """Maximum time for the call in seconds; None if it names none."""
        timeout = self.parameters.get("timeout")
        if isinstance(timeout, int | float) and 0 < timeout < math.inf:
            return timeout / 1e6
        return None

    def is_binary(self, output: str) -> bool:
        """Return whether an output is wanted after the JSON."""
        default = self.parameters.get("binary_data_output", False)
        named = {each.name: each.parameters.get(_BINARY, default) for each in self.outputs}
        return named.get(output, default) is True


def read_images(given: RequestInput, binary: bytes) -> list[bytes]:
    """Return the encoded images of a ``BYTES`` tensor.

    Args:
        given: The tensor.
        binary: What follows the JSON.

    Raises:
        InputError: Shape and data do not match, or an element is not base64 (``invalid_body``).
    """
    if given.data is None:
        images = list(_elements(_own_bytes(given, binary)))
    else:
        texts = list(_flat(given.data))
        if not all(isinstance(text, str) for text in texts):
            raise _invalid(f"the data of {given.name!r} must be base64 texts")
        images = [from_base64(text, f"{given.name!r}", code="invalid_body") for text in texts]
    _check_shape(given, len(images))
    return images


def read_values(given: RequestInput, binary: bytes, shape: tuple[int, ...]) -> Tensor:
    """Return an ``FP32`` tensor.

    Args:
        given: The tensor.
        binary: What follows the JSON.
        shape: Shape of one sample.

    Raises:
        InputError: Shape and data do not match the model, or a value is not finite
            (``invalid_body``).
    """
    if tuple(given.shape[1:]) != shape or not 0 < given.shape[0] <= MAX_BATCH:
        raise _invalid(
            f"the shape of {given.name!r} must be {[-1, *shape]}, with at most {MAX_BATCH} samples"
        )
    if given.data is None:
        data = _own_bytes(given, binary)
        if len(data) != 4 * math.prod(given.shape):
            raise _invalid(f"{given.name!r} has {len(data)} bytes, which is not its shape")
        values = np.frombuffer(data, "<f4").astype(np.float32)
    else:
        values = _numbers(given)
    if values.size != math.prod(given.shape) or not np.isfinite(values).all():
        raise _invalid(f"{given.name!r} must hold one finite number for each place of its shape")
    return values.reshape(given.shape)


def response_body(
    head: dict[str, Any], name: str, output: Tensor, *, binary: bool
) -> tuple[bytes, int | None]:
    """Return the body of a response.

    Args:
        head: Its fields without the outputs.
        name: Name of the output.
        output: The output.
        binary: Whether the output follows the JSON.

    Returns:
        The body, and the length of its JSON if something follows it.
    """
    described: dict[str, Any] = {"name": name, "datatype": "FP32", "shape": list(output.shape)}
    if not binary:
        described["data"] = output.ravel().tolist()
        return json.dumps({**head, "outputs": [described]}, allow_nan=False).encode(), None
    data = np.ascontiguousarray(output, "<f4").tobytes()
    described["parameters"] = {BINARY_SIZE: len(data)}
    text = json.dumps({**head, "outputs": [described]}).encode()
    return text + data, len(text)


def _own_bytes(given: RequestInput, binary: bytes) -> bytes:
    if given.parameters.get(BINARY_SIZE) != len(binary):
        raise _invalid(
            f"{given.name!r} needs 'data', or the parameter {BINARY_SIZE!r} with the number of "
            "bytes after the JSON"
        )
    return binary


def _elements(data: bytes) -> Iterator[bytes]:
    """Yield the elements of a binary ``BYTES`` tensor, each with its length before it."""
    offset = 0
    while offset < len(data):
        end = offset + _LENGTH.size
        length = _LENGTH.unpack_from(data, offset)[0] if end <= len(data) else len(data)
        offset = end + length
        if offset > len(data):
            raise _invalid("an element is longer than the bytes of its tensor")
        yield data[end:offset]


def _flat(data: list[Any], depth: int = 0) -> Iterator[Any]:
    for each in data:
        if isinstance(each, list) and depth < 8:
            yield from _flat(each, depth + 1)
        else:
            yield each


def _numbers(given: RequestInput) -> Tensor:
    try:
        return np.asarray(list(_flat(given.data or [])), np.float32)
    except (TypeError, ValueError, OverflowError):
        raise _invalid(f"the data of {given.name!r} must be numbers") from None


def _check_shape(given: RequestInput, elements: int) -> None:
    if not 0 < elements <= MAX_BATCH or math.prod(given.shape) != elements:
        raise _invalid(
            f"{given.name!r} holds {elements} elements, which is not its shape, or not 1 to "
            f"{MAX_BATCH}"
        )


def _invalid(reason: str) -> InputError:
    return InputError(f"{reason}; correct the request", code="invalid_body")
