"""The error family: each error has a code to act on and says whether a retry can help.

Errors that a person can fix are ``ValueError``s as well: servers of other frameworks, LangGraph's
among them, show the text of those and hide that of others.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel


class ErrorInfo(BaseModel):
    """An error in the form that crosses process and network boundaries.

    Attributes:
        code: Stable snake_case name that a caller can act on.
        message: One sentence for a person: what is wrong and how to fix it. Never contains a path
            on the node or a traceback.
        retryable: Whether the unchanged call may succeed later.
        status: HTTP status code of the response that carries it.
    """

    code: str
    message: str
    retryable: bool
    status: int


class EdgewrightError(Exception):
    """Base class of every error that Edgewright raises deliberately.

    Args:
        message: What is wrong and how to fix it.
        code: A more specific code than the class's own.
        retry_after_s: Seconds to wait before a retry, if known.
    """

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    status: ClassVar[int] = 500

    def __init__(
        self, message: str, *, code: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s
        self._code = code

    def info(self) -> ErrorInfo:
        """Return the error in the form that is sent to other processes."""
        return ErrorInfo(
            code=self._code or self.code,
            message=self.message,
            retryable=self.retryable,
            status=self.status,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self._code, self.retry_after_s)


def _rebuild(
    cls: type[EdgewrightError], message: str, code: str | None, retry_after_s: float | None
) -> EdgewrightError:
    return cls(message, code=code, retry_after_s=retry_after_s)


class InputError(EdgewrightError, ValueError):
    """The input cannot be used: not an image, a wrong argument, a missing file."""

    code = "invalid_input"
    status = 422


class MediaTypeError(InputError):
    """The declared or detected media type of a body is not accepted."""

    code = "unsupported_media_type"
    status = 415


class TooLargeError(InputError):
    """More bytes or pixels than the limit allows."""

    code = "too_large"
    status = 413


class FrameError(InputError):
    """A frame failed one of its checks; none of it was decoded."""

    code = "frame_invalid"


class NotFoundError(EdgewrightError, ValueError):
    """No such card, model, sensor or file."""

    code = "not_found"
    status = 404


class RefusedError(EdgewrightError, ValueError):
    """An expert refuses a request that it cannot answer, instead of guessing."""

    code = "refused"
    status = 422


class AuthenticationError(EdgewrightError, ValueError):
    """The API key is missing or unknown."""

    code = "unauthorised"
    status = 401


class ScopeError(EdgewrightError, ValueError):
    """The API key is known but lacks the scope that the route requires."""

    code = "forbidden"
    status = 403


class UnavailableError(EdgewrightError, ValueError):
    """A required model, service or store is not available."""

    code = "unavailable"
    status = 503


class StorageError(UnavailableError):
    """The disk is full or the store is not writable."""

    code = "storage_full"
    status = 507


class TransientError(EdgewrightError):
    """A failure that a retry may overcome."""

    code = "transient"
    retryable = True
    status = 503


class OverloadedError(TransientError):
    """All workers are busy."""

    code = "overloaded"
    status = 429


class LinkError(TransientError):
    """The other node cannot be reached, or the transfer was interrupted."""

    code = "link_down"
    status = 502


class DeadlineError(TransientError):
    """The work did not finish within its deadline."""

    code = "deadline_exceeded"
    status = 504


class WorkerLostError(TransientError):
    """The worker process died; a new one replaces it."""

    code = "worker_lost"
    status = 503


def from_info(info: ErrorInfo) -> EdgewrightError:
    """Rebuild an error received from another process.

    Args:
        info: The error as the other process sent it.

    Returns:
        An instance of the class with that code, otherwise of a class with the same status and
        retryability. It carries the received code in either case.
    """
    family = _family(EdgewrightError)
    same_code = [cls for cls in family if cls.code == info.code]
    # Packages narrow these classes for codes of their own; what has another code is none of those.
    same_kind = [
        cls
        for cls in family
        if cls.__module__ == __name__
        and (cls.status, cls.retryable) == (info.status, info.retryable)
    ]
    base = TransientError if info.retryable else EdgewrightError
    cls = next(iter([*same_code, *same_kind]), base)
    return cls(info.message, code=info.code)


def _family(cls: type[EdgewrightError]) -> list[type[EdgewrightError]]:
    """List all subclasses, each before its own subclasses."""
    found: list[type[EdgewrightError]] = []
    for child in cls.__subclasses__():
        found.append(child)
        found.extend(_family(child))
    return found
