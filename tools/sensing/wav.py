"""Reading WAV files that others wrote: bounded, one channel, 16 bits."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright.tools.errors import InputError

#: Sample rates that are read, in samples a second.
_RATES = (4_000, 384_000)
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_MAX_CHUNKS = 1_000


@dataclass(frozen=True)
class _Format:
    tag: int
    channels: int
    rate: int
    bits: int


def read_wav(data: bytes, *, seconds: float | None = None) -> tuple[NDArray[np.int16], int]:
    """Read a WAV file.

    Args:
        data: The file: PCM of 8 to 32 bits, or floating-point numbers.
        seconds: Maximum length that is read, from the beginning; None reads all.

    Returns:
        The samples of the first channel, as 16 bits [T], and the number of samples a second.

    Raises:
        InputError: It is no such file (``wav_invalid``).
    """
    if len(data) < 12 or data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
        raise _invalid("it does not begin as one")
    found: _Format | None = None
    place = 12
    for _ in range(_MAX_CHUNKS):
        if place + 8 > len(data):
            break
        name, size = data[place : place + 4], struct.unpack_from("<I", data, place + 4)[0]
        start = place + 8
        if name == b"fmt ":
            found = _format(data[start : start + size])
        elif name == b"data":
            if found is None:
                raise _invalid("its format is missing")
            # Recorders that are stopped leave a size of 0 or more than there is.
            end = len(data) if size in (0, 0xFFFFFFFF) else min(start + size, len(data))
            return _samples(data[start:end], found, seconds), found.rate
        place = start + size + size % 2
    raise _invalid("it holds no samples")


def write_wav(samples: NDArray[np.int16], sample_rate: int) -> bytes:
    """Return a WAV file of one channel.

    Args:
        samples: The samples [T].
        sample_rate: Samples a second.
    """
    body = samples.astype("<i2").tobytes()
    header = struct.pack("<HHIIHH", _PCM, 1, sample_rate, 2 * sample_rate, 2, 16)
    return b"".join(
        (b"RIFF", struct.pack("<I", 36 + len(body)), b"WAVE", b"fmt ", struct.pack("<I", 16),
         header, b"data", struct.pack("<I", len(body)), body)
    )  # fmt: skip


def _format(chunk: bytes) -> _Format:
    if len(chunk) < 16:
        raise _invalid("its format is cut off")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = struct.unpack_from("<H", chunk, 24)[0]
    known = (tag == _PCM and bits in (8, 16, 24, 32)) or (tag == _FLOAT and bits in (32, 64))
    if not known:
        raise _invalid(f"its encoding {tag} with {bits} bits is not read; convert it to 16-bit PCM")
    if not 1 <= channels <= 64 or not _RATES[0] <= rate <= _RATES[1]:
        raise _invalid(f"{channels} channels of {rate} samples a second are not read")
    return _Format(tag, channels, rate, bits)


def _samples(body: bytes, form: _Format, seconds: float | None) -> NDArray[np.int16]:
    frame = form.channels * form.bits // 8
    count = len(body) // frame
    if seconds is not None:
        count = min(count, round(seconds * form.rate))
    if count == 0:
        raise _invalid("it holds no samples")
    body = body[: count * frame]
    if form.tag == _FLOAT:
        values = np.frombuffer(body, f"<f{form.bits // 8}").reshape(count, form.channels)[:, 0]
        whole = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=1.0, neginf=-1.0)
        return np.asarray(np.clip(whole, -1, 1) * 32767, dtype=np.int16)
    if form.bits == 8:
        small = np.frombuffer(body, np.uint8).reshape(count, form.channels)[:, 0]
        return np.asarray((small.astype(np.int16) - 128) * 256, dtype=np.int16)
    # The two highest bytes of a longer sample are its 16-bit value.
    raw = np.frombuffer(body, np.uint8).reshape(count, form.channels, form.bits // 8)
    return np.ascontiguousarray(raw[:, 0, -2:]).view("<i2")[:, 0].astype(np.int16)


def _invalid(reason: str) -> InputError:
    return InputError(f"this is no WAV file that can be read: {reason}", code="wav_invalid")
