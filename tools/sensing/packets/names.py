"""Names that a network shows before anything is encrypted: DNS answers, TLS server names.

The readers are bounded: each loop advances, each length is checked, and a pointer of DNS leads only
backwards.
"""

from __future__ import annotations

import re
import struct

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,20}")
_MAX_ANSWERS = 64
_A, _AAAA = 1, 28


def tls_server_name(record: memoryview) -> str:
    """Return the server name of a TLS ClientHello; empty if there is none.

    Args:
        record: The beginning of a TLS record (RFC 8446, RFC 6066).
    """
    try:
        if record[0] != 22 or record[5] != 1:
            return ""
        place = 43
        place += 1 + record[place]  # session
        place += 2 + struct.unpack_from(">H", record, place)[0]  # cipher suites
        place += 1 + record[place]  # compression
        end = place + 2 + struct.unpack_from(">H", record, place)[0]
        place += 2
        while place + 4 <= min(end, len(record)):
            kind, size = struct.unpack_from(">HH", record, place)
            if kind == 0:
                length = struct.unpack_from(">H", record, place + 7)[0]
                return _checked(bytes(record[place + 9 : place + 9 + length]))
            place += 4 + size
    except (struct.error, IndexError):
        pass
    return ""


def dns_answers(message: memoryview) -> tuple[tuple[bytes, str], ...]:
    """Return the addresses in a DNS answer, each with the name that was asked for.

    Args:
        message: A DNS message (RFC 1035).
    """
    found: list[tuple[bytes, str]] = []
    try:
        flags, questions, answers = struct.unpack_from(">HHH", message, 2)
        if not flags & 0x8000 or questions != 1:
            return ()
        asked, place = _dns_name(message, 12)
        place += 4
        for _ in range(min(answers, _MAX_ANSWERS)):
            _, place = _dns_name(message, place)
            kind, _, _, size = struct.unpack_from(">HHIH", message, place)
            place += 10
            if (kind, size) in ((_A, 4), (_AAAA, 16)) and place + size <= len(message) and asked:
                found.append((bytes(message[place : place + size]), asked))
            place += size
    except (struct.error, IndexError):
        pass
    return tuple(found)


def _dns_name(message: memoryview, place: int) -> tuple[str, int]:
    """Return a name and the place behind it."""
    labels: list[bytes] = []
    behind, limit = 0, len(message)
    for _ in range(64):
        size = message[place]
        if size >= 0xC0:
            target = struct.unpack_from(">H", message, place)[0] & 0x3FFF
            behind = behind or place + 2
            if target >= min(limit, place):
                break
            place = limit = target
        elif size == 0:
            return _checked(b".".join(labels)), behind or place + 1
        else:
            labels.append(bytes(message[place + 1 : place + 1 + size]))
            place += 1 + size
    raise IndexError("a name of DNS that does not end")


def _checked(name: bytes) -> str:
    text = name.decode("ascii", "replace").lower().rstrip(".")
    return text if _NAME.fullmatch(text) else ""
