"""Writes a small HEIC photograph, as telephones do: one HEVC picture in a HEIF file.

The picture is one block whose samples are stored as they are (ITU-T H.265, 7.3.8.7), so that
almost nothing of an encoder is needed.
"""

import struct
from collections.abc import Callable

import numpy as np
import pytest

SIDE = 32


class _Bits:
    def __init__(self) -> None:
        self.bits = ""

    def u(self, width: int, value: int) -> "_Bits":
        self.bits += format(value, f"0{width}b")
        return self

    def ue(self, *values: int) -> "_Bits":
        """Append numbers as Exp-Golomb codes; 0 is also the signed 0."""
        for value in values:
            code = format(value + 1, "b")
            self.bits += "0" * (len(code) - 1) + code
        return self

    def end(self) -> bytes:
        """Append a 1, and zeros up to the end of the byte."""
        self.bits += "1"
        self.bits += "0" * (-len(self.bits) % 8)
        return int(self.bits, 2).to_bytes(len(self.bits) // 8, "big")


def _nal(kind: int, payload: bytes) -> bytes:
    escaped, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes([kind << 1, 1]) + bytes(escaped)


#: Profile Main Still Picture, level 1.
_PROFILE = struct.pack(">BI", 3, 0x70000000) + bytes([0x90, 0, 0, 0, 0, 0, 30])


def _profile(bits: _Bits) -> _Bits:
    for byte in _PROFILE:
        bits.u(8, byte)
    return bits


def _parameter_sets() -> list[tuple[int, bytes]]:
    video = _profile(_Bits().u(4, 0).u(2, 3).u(6, 0).u(3, 0).u(1, 1).u(16, 0xFFFF))
    video.u(1, 1).ue(0, 0, 0).u(6, 0).ue(0).u(2, 0)
    sequence = _profile(_Bits().u(4, 0).u(3, 0).u(1, 1)).ue(0, 1, SIDE, SIDE).u(1, 0)
    # Blocks of 32, transforms of 4 to 32; samples of 8 bits may be stored in blocks of 32.
    sequence.ue(0, 0, 0).u(1, 1).ue(0, 0, 0).ue(2, 0, 0, 3, 0, 0).u(3, 0)
    sequence.u(1, 1).u(4, 7).u(4, 7).ue(2, 0).u(1, 1).ue(0).u(5, 0)
    picture = _Bits().ue(0, 0).u(7, 0).ue(0, 0, 0).u(3, 0).ue(0, 0).u(7, 0)
    picture.u(1, 1).u(1, 0).u(1, 1).u(2, 0).ue(0).u(2, 0)
    return [
        (kind, _nal(kind, bits.end()))
        for kind, bits in ((32, video), (33, sequence), (34, picture))
    ]


class _Arithmetic:
    """An encoder of context-adaptive binary arithmetic codes (9.3.5), for what is needed here."""

    def __init__(self) -> None:
        self.out = _Bits()
        self._low, self._range, self._first, self._outstanding = 0, 510, True, 0

    def probable(self) -> "_Arithmetic":
        """Code the more probable symbol of a context whose symbols are almost equally so."""
        self._range -= (128, 176, 208, 240)[self._range >> 6 & 3]
        self._renormalise()
        return self

    def end(self) -> bytes:
        """Code a terminating symbol, and fill the byte."""
        self._range -= 2
        self._low += self._range
        self._range = 2
        self._renormalise()
        self._put(self._low >> 9 & 1)
        bits = self.out.u(2, self._low >> 7 & 3 | 1).bits
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big")

    def _renormalise(self) -> None:
        while self._range < 256:
            if self._low < 256:
                self._put(0)
            elif self._low >= 512:
                self._low -= 512
                self._put(1)
            else:
                self._low -= 256
                self._outstanding += 1
            self._range <<= 1
            self._low <<= 1

    def _put(self, bit: int) -> None:
        if not self._first:
            self.out.u(1, bit)
        self._first = False
        self.out.bits += str(1 - bit) * self._outstanding
        self._outstanding = 0


def _slice(samples: bytes) -> bytes:
    header = _Bits().u(1, 1).u(1, 0).ue(0, 2, 0).end()
    # "Not divided", then "samples as they are"; after them, the end of the picture.
    unit = _Arithmetic().probable().end() + samples + _Arithmetic().end()
    return _nal(19, header + unit)


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full(kind: bytes, *content: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]), *content)


def _heic(rgb: np.ndarray, *, quarter_turns: int = 0) -> bytes:
    """Return a HEIC file.

    Args:
        rgb: uint8 ``[32, 32, 3]``.
        quarter_turns: Number of turns against the clock with which it is to be shown.
    """
    r, g, b = np.moveaxis(rgb.astype(np.float64), 2, 0)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    cb, cr = 128 + (b - y) / 1.772, 128 + (r - y) / 1.402
    halves = [plane.reshape(16, 2, 16, 2).mean(axis=(1, 3)) for plane in (cb, cr)]
    samples = b"".join(
        np.rint(plane).clip(0, 255).astype(np.uint8).tobytes() for plane in (y, *halves)
    )
    sets = _parameter_sets()
    configuration = bytes([1]) + _PROFILE + bytes([0xF0, 0, 0xFC, 0xFD, 0xF8, 0xF8, 0, 0, 0x0F])
    configuration += bytes([len(sets)])
    for kind, unit in sets:
        configuration += bytes([0x80 | kind]) + struct.pack(">HH", 1, len(unit)) + unit
    picture = _slice(samples)
    picture = struct.pack(">I", len(picture)) + picture
    kind = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    properties = [
        _box(b"hvcC", configuration),
        _full(b"ispe", struct.pack(">II", SIDE, SIDE)),
        _box(b"colr", b"nclx", struct.pack(">HHHB", 1, 13, 5, 0x80)),
        _box(b"irot", bytes([quarter_turns])),
    ]
    used = bytes(0x80 | number for number in range(1, len(properties) + 1))

    def meta(offset: int) -> bytes:
        return _full(
            b"meta",
            _full(b"hdlr", bytes(4), b"pict", bytes(13)),
            _full(b"pitm", struct.pack(">H", 1)),
            _full(b"iloc", struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(picture))),
            _full(
                b"iinf",
                struct.pack(">H", 1),
                _full(b"infe", struct.pack(">HH", 1, 0), b"hvc1\0", version=2),
            ),
            _box(
                b"iprp",
                _box(b"ipco", *properties),
                _full(b"ipma", struct.pack(">IHB", 1, 1, len(used)), used),
            ),
        )

    offset = len(kind) + len(meta(0)) + 8
    return kind + meta(offset) + _box(b"mdat", picture)


@pytest.fixture(scope="session")
def heic() -> Callable[..., bytes]:
    """Return the function that writes a HEIC file."""
    return _heic
