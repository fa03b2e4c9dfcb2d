"""Reading the size of an AVIF image from its boxes and its AV1 bitstream.

The decoder allocates memory for the size in the bitstream, whatever the container declares, so both
are read here and must agree. Only the form that encoders write for a single still image is
accepted: items of one coded frame each, all of the same size, in the bitstream profile that cannot
change the size between frames. Grids, sequences, layers and other AVIF features are rejected, since
each is another way to make the decoder allocate memory.

Sources: ISO/IEC 14496-12 and 23008-12 for the boxes; sections 5.3 to 5.5 of the AV1 specification
for the bitstream.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgewright.tools.errors import MediaTypeError

Size = tuple[int, int]

_FILE_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"free"})
_META_BOXES = frozenset({b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp", b"iref", b"dinf", b"free"})
_CODED = b"av01"
#: Coded frames (colour or alpha) and metadata.
_ITEMS = frozenset({_CODED, b"Exif", b"mime"})
#: The size, the decoder configuration, and properties that affect neither.
_PROPERTIES = frozenset(
    {b"ispe", b"av1C", b"pixi", b"colr", b"pasp", b"irot", b"imir", b"auxC", b"clli", b"mdcv"}
)

_SEQUENCE_HEADER = 1
_FRAMES = frozenset({3, 6})  # a frame header alone, or a frame with its tiles
_OTHER_UNITS = frozenset({2, 4, 5, 15})  # temporal delimiter, tiles, metadata, padding


# A real file has a few dozen fields; iterating over millions would be an attack.
_MAX_FIELDS = 10_000
_MAX_CODED_ITEMS = 2  # colour and alpha


class _Reader:
    """Reads byte strings and big-endian integers; raises ``IndexError`` at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._fields = 0

    def __bool__(self) -> bool:
        return self._position < len(self._data)

    def take(self, length: int) -> bytes:
        start, self._position = self._position, self._position + length
        if self._position > len(self._data):
            raise IndexError
        self._fields += 1
        if self._fields > _MAX_FIELDS:
            raise _unsupported("more fields than an image needs")
        return self._data[start : self._position]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")


def is_avif(data: bytes) -> bool:
    """Return whether a file declares itself as AVIF."""
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    return data[4:8] == b"ftyp" and b"avif" in {brands[at : at + 4] for at in range(0, 256, 4)}


def avif_size(data: bytes) -> Size:
    """Return width and height in pixels.

    Args:
        data: The contents of the file.

    Raises:
        MediaTypeError: It is not a single still image, or its parts declare different sizes.
        IndexError: It is truncated.
    """
    meta = _distinct(data, _FILE_BOXES).get(b"meta", b"")
    parts = _distinct(meta[4:], _META_BOXES)
    coded = _coded_items(parts.get(b"iinf", b""))
    locations = _locations(_Reader(parts.get(b"iloc", b"")))
    properties = _properties(parts.get(b"iprp", b""))
    sizes: set[Size] = set()
    for item in coded:
        start, length = locations.get(item, (0, 0))
        if start + length > len(data):
            raise IndexError
        sizes |= _declared_sizes(properties.get(item, []))
        sizes |= _stream_sizes(data[start : start + length])
    if len(sizes) != 1:
        raise _unsupported("parts that declare different sizes")
    return sizes.pop()


# -- boxes ----------------------------------------------------------------------------------------


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of consecutive boxes."""
    reader = _Reader(data)
    while reader:
        length, kind = reader.number(4), reader.take(4)
        if length < 8:
            raise _unsupported("a box without an explicit length")
        yield kind, reader.take(length - 8)


def _distinct(data: bytes, known: frozenset[bytes]) -> dict[bytes, bytes]:
    """Return boxes by type; reject duplicates, of which a decoder might read the other one."""
    found: dict[bytes, bytes] = {}
    for kind, content in _boxes(data):
        if kind not in known or (kind in found and kind != b"free"):
            raise _unsupported("unsupported boxes, such as those of a sequence")
        found[kind] = content
    return found


def _coded_items(iinf: bytes) -> set[int]:
    """Return the ids of the items that are coded frames."""
    coded: set[int] = set()
    for box, content in _boxes(iinf[6:]):
        entry = _Reader(content)
        version, item = entry.number(4) >> 24, entry.number(2)
        entry.take(2)
        kind = entry.take(4)
        if (box, version) != (b"infe", 2) or kind not in _ITEMS:
            raise _unsupported("a grid, or items of an unsupported type")
        if kind == _CODED:
            coded.add(item)
    if len(coded) > _MAX_CODED_ITEMS:
        raise _unsupported("more than one image")
    return coded


def _locations(iloc: _Reader) -> dict[int, tuple[int, int]]:
    """Return each item's offset in the file and its length."""
    version = iloc.number(4) >> 24
    field_sizes = iloc.number(2)
    locations: dict[int, tuple[int, int]] = {}
    for _ in range(iloc.number(2)):
        item = iloc.number(2)
        construction_method = iloc.number(2) if version == 1 else 0
        data_reference = iloc.number(2)
        start = iloc.number(field_sizes >> 4 & 15)
        extent_count = iloc.number(2)
        if (
            version > 1
            or field_sizes & 15
            or construction_method
            or data_reference
            or extent_count != 1
            or item in locations
        ):
            raise _unsupported("items at an unsupported location")
        locations[item] = (
            start + iloc.number(field_sizes >> 12),
            iloc.number(field_sizes >> 8 & 15),
        )
    return locations


def _properties(iprp: bytes) -> dict[int, list[tuple[bytes, bytes]]]:
    """Return type and content of each item's properties, by item id."""
    parts = _distinct(iprp, frozenset({b"ipco", b"ipma"}))
    known = list(_boxes(parts.get(b"ipco", b"")))
    links = _Reader(parts.get(b"ipma", b""))
    version_and_flags = links.number(4)
    if version_and_flags > 1:
        raise _unsupported("properties of an unsupported type")
    width = 2 if version_and_flags else 1
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    for _ in range(links.number(4)):
        item = links.number(2)
        indices = [
            links.number(width) & (0x7FFF if width == 2 else 0x7F) for _ in range(links.number(1))
        ]
        if item in found or 0 in indices:
            raise _unsupported("properties of an unsupported type")
        found[item] = [known[index - 1] for index in indices]
    return found


def _declared_sizes(properties: list[tuple[bytes, bytes]]) -> set[Size]:
    """Return the sizes that an item's properties declare."""
    sizes: set[Size] = set()
    for kind, content in properties:
        if kind not in _PROPERTIES:
            raise _unsupported("properties of an unsupported type")
        reader = _Reader(content)
        if kind == b"ispe":
            reader.take(4)
            sizes.add((reader.number(4), reader.number(4)))
    return sizes


# -- the stream -----------------------------------------------------------------------------------


def _stream_sizes(stream: bytes) -> set[Size]:
    """Return the sizes that the sequence headers of a one-frame bitstream declare."""
    sizes: set[Size] = set()
    frames = 0
    for kind, content in _units(_Reader(stream)):
        if kind == _SEQUENCE_HEADER:
            sizes.add(_sequence_size(content))
        elif kind in _FRAMES:
            frames += 1
        elif kind not in _OTHER_UNITS:
            raise _unsupported("an unsupported bitstream")
    if frames != 1 or not sizes:
        raise _unsupported("a bitstream that does not hold exactly one frame")
    return sizes


def _units(stream: _Reader) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of the open bitstream units (OBUs)."""
    while stream:
        header = stream.number(1)
        # Only the type and the has-size flag may be set.
        if header & 0b1000_0111 != 0b010:
            raise _unsupported("an unsupported bitstream")
        yield header >> 3, stream.take(_variable_length(stream))


def _variable_length(stream: _Reader) -> int:
    """Read a LEB128 integer: little-endian, seven bits per byte."""
    value = 0
    for position in range(8):
        byte = stream.number(1)
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            break
    return value


def _sequence_size(header: bytes) -> Size:
    """Read the maximum frame size from a sequence header; for a still image it is the frame's."""
    bits = int.from_bytes(header[:8].ljust(8, b"\0"), "big")
    left = 64

    def read(count: int) -> int:
        nonlocal left
        left -= count
        return bits >> left & ((1 << count) - 1)

    read(3)
    # Without the reduced still-picture header, a frame may override the size.
    if read(2) != 0b11:
        raise _unsupported("a video bitstream")
    read(5)
    width_bits, height_bits = read(4) + 1, read(4) + 1
    return read(width_bits) + 1, read(height_bits) + 1


def _unsupported(what: str) -> MediaTypeError:
    return MediaTypeError(
        f"the AVIF image has {what}; save it again as a single still image, or as PNG, JPEG or WebP"
    )
