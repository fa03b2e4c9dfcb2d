"""Validated reading of a sandbox's output: only regular files of known formats within limits.

Everything that the host reads from a sandbox's folder is read here; what a program printed is read
by ``sandbox/programs.py``.
"""

from __future__ import annotations

import os
import stat
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from edgewright.tools.errors import InputError
from edgewright.tools.federated.records.progress import ProgressLine
from edgewright.tools.federated.records.trial import RoundRecord
from edgewright.tools.storage import reading
from edgewright.tools.storage.documents import DocumentError, parse_json

_RECORD_BYTES = 1_000_000
_HEADER_BYTES = 1_000_000
_WEIGHT_OVERHEAD = 1_100_000
_BYTES_PER_WEIGHT = 4
_MAX_TENSORS = 20_000
_MAX_DIMENSIONS = 8
_PROGRESS_BYTES = 65_536
_MAX_PROGRESS_LINE = 4096


def read_file(path: Path, max_bytes: int) -> bytes:
    """Read a regular file written by a sandbox; links, devices and pipes are rejected.

    Raises:
        InputError: The file is missing, not regular or too large (``bad_result``).
    """
    try:
        return reading.read_file(path, max_bytes, follow=False)
    except InputError as error:
        raise _invalid(error.message.replace(str(path), path.name)) from None


def read_record(path: Path, *, number: int, clients: int) -> RoundRecord:
    """Read the record of a round.

    Args:
        path: The file.
        number: Number of the round.
        clients: Number of clients of the run.

    Raises:
        InputError: It is not a valid record of this round and these clients (``bad_result``).
    """
    try:
        record = RoundRecord.model_validate_json(read_file(path, _RECORD_BYTES))
    except ValidationError:
        raise _invalid(f"{path.name} is not a valid round record") from None
    if record.round_number != number:
        raise _invalid(f"{path.name} is the record of another round")
    admitted = [each.client for each in record.clients]
    named = [*admitted, *(each.client for each in record.dropped)]
    if len(set(admitted)) != len(admitted) or len(record.dropped) > 2 * clients:
        raise _invalid(f"{path.name} has more replies than the run has clients")
    if any(client >= clients for client in named):
        raise _invalid(f"{path.name} names a client that the run does not have")
    return record


def read_progress(path: Path, start: int) -> tuple[list[ProgressLine], int]:
    """Read the next lines of a progress file; lines that are not valid are left out.

    Args:
        path: The file, which may be missing.
        start: Where to start, in bytes.

    Returns:
        The lines, and where to start the next time.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return [], start
            file.seek(start)
            data = file.read(_PROGRESS_BYTES)
    except OSError:
        return [], start
    complete, newline, _ = data.rpartition(b"\n")
    if not newline:  # a line that fills the buffer is none of ours
        return [], start + (len(data) if len(data) == _PROGRESS_BYTES else 0)
    lines = []
    for line in complete.split(b"\n"):
        if len(line) <= _MAX_PROGRESS_LINE:
            with suppress(ValidationError):
                lines.append(ProgressLine.model_validate_json(line))
    return lines, start + len(complete) + 1


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
        header = parse_json(data[8 : 8 + length])
        end = _end_of_tensors(header, len(data) - 8 - length)
    except (DocumentError, TypeError, ValueError, KeyError, AttributeError, IndexError):
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


def _end_of_tensors(header: dict[str, Any], size: int) -> int:
    """Return the end of the tensors, which must be contiguous.

    Args:
        header: The header.
        size: Bytes of all tensors; nothing larger is ever computed.
    """
    tensors = [value for name, value in header.items() if name != "__metadata__"]
    if len(tensors) > _MAX_TENSORS:
        raise ValueError("too many tensors")
    offset = 0
    for tensor in sorted(tensors, key=lambda tensor: tensor["data_offsets"]):
        begin, end = tensor["data_offsets"]
        length = _BYTES_PER_WEIGHT
        shape = tensor["shape"]
        if not isinstance(shape, list) or len(shape) > _MAX_DIMENSIONS:
            raise ValueError("invalid shape")
        for side in shape:
            if type(side) is not int or not 0 <= side <= size:
                raise ValueError("invalid shape")
            length *= side
        if tensor["dtype"] != "F32" or (begin, end) != (offset, offset + length):
            raise ValueError("not float32, or not contiguous")
        if type(begin) is not int or type(end) is not int or end > size:
            raise ValueError("beyond the end of the file")
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
