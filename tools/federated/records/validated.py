"""Validated reading of a sandbox's output: only regular files of known formats within limits."""

from __future__ import annotations

import json
import os
import stat
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.trial import RoundRecord

_RECORD_BYTES = 1_000_000
_HEADER_BYTES = 1_000_000
_WEIGHT_OVERHEAD = 1_100_000
_BYTES_PER_WEIGHT = 4


def read_file(path: Path, max_bytes: int) -> bytes:
    """Read a regular file written by a sandbox; links, devices and pipes are rejected.

    Raises:
        InputError: The file is missing, not regular or too large (``bad_result``).
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _invalid(f"{path.name} cannot be read ({error.strerror})") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise _invalid(f"{path.name} is not a regular file")
        if status.st_size > max_bytes:
            raise _invalid(f"{path.name} has {status.st_size} bytes, more than {max_bytes}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(max_bytes + 1)
    finally:
        os.close(handle)
    if len(data) > max_bytes:
        raise _invalid(f"{path.name} has more than {max_bytes} bytes")
    return data


def read_record(path: Path) -> RoundRecord:
    """Read the record of a round.

    Raises:
        InputError: It is not a valid record (``bad_result``).
    """
    try:
        return RoundRecord.model_validate_json(read_file(path, _RECORD_BYTES))
    except (ValidationError, RecursionError):
        raise _invalid(f"{path.name} is not a valid round record") from None


def read_weights(path: Path, max_parameters: int) -> bytes:
    """Read a safetensors file and validate it without loading it.

    Args:
        path: The file.
        max_parameters: Maximum number of weights.

    Returns:
        Its bytes: contiguous float32 tensors that fill the file.

    Raises:
        InputError: The file is not of this form (``bad_result``).
    """
    data = read_file(path, max_parameters * _BYTES_PER_WEIGHT + _WEIGHT_OVERHEAD)
    if len(data) < 8:
        raise _invalid(f"{path.name} is too short")
    (length,) = struct.unpack_from("<Q", data)
    if length > min(_HEADER_BYTES, len(data) - 8):
        raise _invalid(f"{path.name} has a header of invalid length")
    try:
        header = json.loads(data[8 : 8 + length])
        end = _end_of_tensors(header)
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError):
        raise _invalid(f"{path.name} has a header that is not safetensors") from None
    if end != len(data) - 8 - length:
        raise _invalid(f"{path.name} contains bytes that belong to no tensor")
    return data


def read_logits(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Read logits.

    Raises:
        InputError: The array is not float32 or has another shape (``bad_result``).
    """
    expected = shape[0] * shape[1] * _BYTES_PER_WEIGHT
    data = read_file(path, expected + 4096)
    header = _npy_header(shape)
    if data[: len(header)] != header or len(data) != len(header) + expected:
        raise _invalid(f"{path.name} is not a float32 array of shape {shape}")
    return np.frombuffer(data, dtype="<f4", offset=len(header)).reshape(shape)


def _end_of_tensors(header: dict[str, object]) -> int:
    """Return the end of the tensors, which must be contiguous."""
    tensors = [value for name, value in header.items() if name != "__metadata__"]
    offset = 0
    for tensor in sorted(tensors, key=lambda tensor: tensor["data_offsets"][0]):  # type: ignore[index]
        begin, end = tensor["data_offsets"]  # type: ignore[index]
        size = _BYTES_PER_WEIGHT
        for side in tensor["shape"]:  # type: ignore[index]
            if not isinstance(side, int) or side < 0:
                raise ValueError("invalid shape")
            size *= side
        if tensor["dtype"] != "F32" or begin != offset or end != offset + size:  # type: ignore[index]
            raise ValueError("not float32, or not contiguous")
        offset = end
    return offset


def _npy_header(shape: tuple[int, int]) -> bytes:
    """Return the exact header that NumPy writes for such an array; no other is accepted."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    padding = -(10 + len(text) + 1) % 64
    body = text.encode() + b" " * padding + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body)) + body


def _invalid(reason: str) -> InputError:
    return InputError(f"the sandbox's output was rejected: {reason}", code="bad_result")
