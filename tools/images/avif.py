"""The size of an AVIF picture, from its boxes and from the AV1 stream inside of them.

The decoder allocates what the stream says, whatever size the container claims, so both are read
here and must agree. Accepted is what encoders write for one still picture: items of one coded
frame each, all of one size, in the form of stream that cannot change it from frame to frame. Grids,
sequences, layers and whatever else an AVIF may be are refused: each is another way to ask for
memory.

Sources: ISO/IEC 14496-12 and 23008-12 for the boxes; the AV1 specification, 5.3 to 5.5, for the
stream.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgewright.tools.errors import MediaTypeError

Size = tuple[int, int]

_FILE_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"free"})
_META_BOXES = frozenset({b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp", b"iref", b"dinf", b"free"})
_CODED = b"av01"
#: Coded frames, of colours or of transparency, and what a camera notes about them.
_ITEMS = frozenset({_CODED, b"Exif", b"mime"})
#: Size, the decoder's configuration, and what changes neither.
_PROPERTIES = frozenset(
    {b"ispe", b"av1C", b"pixi", b"colr", b"pasp", b"irot", b"imir", b"auxC", b"clli", b"mdcv"}
)

_SEQUENCE_HEADER = 1
_FRAMES = frozenset({3, 6})  # a frame's header alone, or with its tiles
_OTHER_UNITS = frozenset({2, 4, 5, 15})  # temporal delimiter, tiles, metadata, padding


# A picture's boxes have a few dozen parts; a walk through millions is an attack.
_MOST_PARTS = 10_000
_MOST_CODED = 2  # colours and transparency


class _Reader:
    """Reads big-endian numbers and parts; ``IndexError`` where the bytes end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._parts = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, length: int) -> bytes:
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise IndexError
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise _unusual("more parts than a picture needs")
        return self._data[start : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")


def is_avif(data: bytes) -> bool:
    """Whether a file says of itself that it is AVIF."""
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    return data[4:8] == b"ftyp" and b"avif" in {brands[at : at + 4] for at in range(0, 256, 4)}


def avif_size(data: bytes) -> Size:
    """Return width and height in pixels.

    Args:
        data: The file.

    Raises:
        MediaTypeError: It is not one still picture, or its parts disagree about the size.
        IndexError: It breaks off.
    """
    meta = _distinct(data, _FILE_BOXES).get(b"meta", b"")
    parts = _distinct(meta[4:], _META_BOXES)
    coded = _coded_items(parts.get(b"iinf", b""))
    places = _places(_Reader(parts.get(b"iloc", b"")))
    properties = _properties(parts.get(b"iprp", b""))
    sizes: set[Size] = set()
    for item in coded:
        start, length = places.get(item, (0, 0))
        if start + length > len(data):
            raise IndexError
        sizes |= _claimed_sizes(properties.get(item, []))
        sizes |= _stream_sizes(data[start : start + length])
    if len(sizes) != 1:
        raise _unusual("parts that disagree about its size")
    return sizes.pop()


# -- boxes ----------------------------------------------------------------------------------------


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of the boxes that follow each other."""
    reader = _Reader(data)
    while reader:
        length, kind = reader.number(4), reader.take(4)
        if length < 8:
            raise _unusual("a box without a length of its own")
        yield kind, reader.take(length - 8)


def _distinct(data: bytes, known: frozenset[bytes]) -> dict[bytes, bytes]:
    """Return boxes by type; of two alike, a decoder might read the other one."""
    found: dict[bytes, bytes] = {}
    for kind, content in _boxes(data):
        if kind not in known or (kind in found and kind != b"free"):
            raise _unusual("unusual boxes, such as those of a sequence")
        found[kind] = content
    return found


def _coded_items(iinf: bytes) -> set[int]:
    """Return the numbers of the items that are coded frames."""
    coded: set[int] = set()
    for box, content in _boxes(iinf[6:]):
        entry = _Reader(content)
        version, item = entry.number(4) >> 24, entry.number(2)
        entry.take(2)
        kind = entry.take(4)
        if (box, version) != (b"infe", 2) or kind not in _ITEMS:
            raise _unusual("a grid, or items of an unusual kind")
        if kind == _CODED:
            coded.add(item)
    if len(coded) > _MOST_CODED:
        raise _unusual("more than one picture")
    return coded


def _places(iloc: _Reader) -> dict[int, tuple[int, int]]:
    """Return where in the file each item starts, and its length."""
    version = iloc.number(4) >> 24
    widths = iloc.number(2)
    places: dict[int, tuple[int, int]] = {}
    for _ in range(iloc.number(2)):
        item = iloc.number(2)
        inside_a_box = iloc.number(2) if version == 1 else 0
        elsewhere = iloc.number(2)
        start = iloc.number(widths >> 4 & 15)
        pieces = iloc.number(2)
        if version > 1 or widths & 15 or inside_a_box or elsewhere or pieces != 1 or item in places:
            raise _unusual("items at an unusual place")
        places[item] = (start + iloc.number(widths >> 12), iloc.number(widths >> 8 & 15))
    return places


def _properties(iprp: bytes) -> dict[int, list[tuple[bytes, bytes]]]:
    """Return type and content of each item's properties."""
    parts = _distinct(iprp, frozenset({b"ipco", b"ipma"}))
    known = list(_boxes(parts.get(b"ipco", b"")))
    links = _Reader(parts.get(b"ipma", b""))
    version_and_flags = links.number(4)
    if version_and_flags > 1:
        raise _unusual("properties of an unusual kind")
    width = 2 if version_and_flags else 1
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    for _ in range(links.number(4)):
        item = links.number(2)
        indices = [
            links.number(width) & (0x7FFF if width == 2 else 0x7F) for _ in range(links.number(1))
        ]
        if item in found or 0 in indices:
            raise _unusual("properties of an unusual kind")
        found[item] = [known[index - 1] for index in indices]
    return found


def _claimed_sizes(properties: list[tuple[bytes, bytes]]) -> set[Size]:
    """Return the sizes that an item's properties name."""
    sizes: set[Size] = set()
    for kind, content in properties:
        if kind not in _PROPERTIES:
            raise _unusual("properties of an unusual kind")
        reader = _Reader(content)
        if kind == b"ispe":
            reader.take(4)
            sizes.add((reader.number(4), reader.number(4)))
    return sizes


# -- the stream -----------------------------------------------------------------------------------


def _stream_sizes(stream: bytes) -> set[Size]:
    """Return the sizes that a stream of one frame names."""
    sizes: set[Size] = set()
    frames = 0
    for kind, content in _units(_Reader(stream)):
        if kind == _SEQUENCE_HEADER:
            sizes.add(_sequence_size(content))
        elif kind in _FRAMES:
            frames += 1
        elif kind not in _OTHER_UNITS:
            raise _unusual("an unusual stream")
    if frames != 1 or not sizes:
        raise _unusual("a stream of more or less than one frame")
    return sizes


def _units(stream: _Reader) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of the units of a stream ("OBUs")."""
    while stream:
        header = stream.number(1)
        # Nothing but a type and the flag that a length follows.
        if header & 0b1000_0111 != 0b010:
            raise _unusual("an unusual stream")
        yield header >> 3, stream.take(_variable_length(stream))


def _variable_length(stream: _Reader) -> int:
    """Read a little-endian number of seven bits a byte ("leb128")."""
    value = 0
    for position in range(8):
        byte = stream.number(1)
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            break
    return value


def _sequence_size(header: bytes) -> Size:
    """Read the largest frame size off a sequence header, which here is that of every frame."""
    bits = int.from_bytes(header[:8].ljust(8, b"\0"), "big")
    left = 64

    def read(count: int) -> int:
        nonlocal left
        left -= count
        return bits >> left & ((1 << count) - 1)

    read(3)
    # Without the short header for still pictures, a frame may be of any size it likes.
    if read(2) != 0b11:
        raise _unusual("a stream made for videos")
    read(5)
    width_bits, height_bits = read(4) + 1, read(4) + 1
    return read(width_bits) + 1, read(height_bits) + 1


def _unusual(what: str) -> MediaTypeError:
    return MediaTypeError(
        f"the AVIF picture has {what}; save it anew as one still picture, or as PNG, JPEG or WebP"
    )
