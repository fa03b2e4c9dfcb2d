"""Bounds on the responses of a chat endpoint, which may send anything and never stop."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2

from edgewright.tools.errors import UnavailableError

#: Maximum size of a response, in bytes; the longest answer has a few kilobytes.
MAX_RESPONSE_BYTES = 1_000_000


def bounded(response: httpx2.Response) -> None:
    """Limit the body of a response; an event hook that runs before the body is read.

    Raises:
        UnavailableError: The body is compressed, which was not requested and can unpack to any
            size (``chat_model_nonsense``).
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _nonsense("it is compressed")
    response.stream = _BoundedStream(response.stream)


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, stream: object) -> None:
        assert isinstance(stream, httpx2.SyncByteStream)
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        left = MAX_RESPONSE_BYTES
        for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise _nonsense(f"it has more than {MAX_RESPONSE_BYTES} bytes")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _nonsense(reason: str) -> UnavailableError:
    return UnavailableError(
        f"the response of the chat endpoint is not used: {reason}", code="chat_model_nonsense"
    )
