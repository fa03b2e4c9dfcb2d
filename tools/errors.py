"""The one family of errors: each has a code to act on and says whether trying again can help."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel


class ErrorInfo(BaseModel):
    """An error as it crosses a process or a socket.

    Attributes:
        code: Stable snake_case name that a caller can act on.
        message: One sentence for a person: what is wrong and what mends it. Never a path on the
            node nor a traceback.
        retryable: Whether the same call may succeed later without being changed.
        status: HTTP status that carries it.
    """

    code: str
    message: str
    retryable: bool
    status: int


class EdgewrightError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        message: What is wrong and what mends it.
        code: Overrides the class's code with a more exact one.
        retry_after_s: When trying again makes sense, if known.
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
        """Return the error in the form that is sent to others."""
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


class InputError(EdgewrightError):
    """What was given cannot be used: not an image, a wrong argument, a missing file."""

    code = "invalid_input"
    status = 422


class MediaTypeError(InputError):
    """The declared or the actual type of a body is not one that is accepted."""

    code = "unsupported_media_type"
    status = 415


class TooLargeError(InputError):
    """More bytes or pixels than the limit allows."""

    code = "too_large"
    status = 413


class FrameError(InputError):
    """A frame failed one of its checks; nothing of it was decoded."""

    code = "frame_invalid"


class NotFoundError(EdgewrightError):
    """No such card, model, sensor or file."""

    code = "not_found"
    status = 404


class RefusedError(EdgewrightError):
    """An expert was asked for something that it cannot know; it does not guess."""

    code = "refused"
    status = 422


class AuthenticationError(EdgewrightError):
    """No key, or a key that is not known."""

    code = "unauthorised"
    status = 401


class ScopeError(EdgewrightError):
    """A known key without the scope that the route asks for."""

    code = "forbidden"
    status = 403


class UnavailableError(EdgewrightError):
    """A model, a service or a store that is needed cannot be had."""

    code = "unavailable"
    status = 503


class StorageError(UnavailableError):
    """The disk is full or the store cannot be written."""

    code = "storage_full"
    status = 507


class TransientError(EdgewrightError):
    """Something that may work when tried again."""

    code = "transient"
    retryable = True
    status = 503


class OverloadedError(TransientError):
    """All lanes are busy."""

    code = "overloaded"
    status = 429


class LinkError(TransientError):
    """The other node cannot be reached, or the transfer broke off."""

    code = "link_down"
    status = 502


class DeadlineError(TransientError):
    """The work did not end within its deadline."""

    code = "deadline_exceeded"
    status = 504


class WorkerLostError(TransientError):
    """The process that did the work ended; a new one takes its place."""

    code = "worker_lost"
    status = 503


def from_info(info: ErrorInfo) -> EdgewrightError:
    """Rebuild an error received from another process.

    Args:
        info: What the other side sent.

    Returns:
        An instance of the class with that code, else of one with the same status and
        retryability; the code is kept either way.
    """
    family = _family(EdgewrightError)
    same_code = [cls for cls in family if cls.code == info.code]
    same_kind = [
        cls for cls in family if (cls.status, cls.retryable) == (info.status, info.retryable)
    ]
    base = TransientError if info.retryable else EdgewrightError
    cls = next(iter([*same_code, *same_kind]), base)
    return cls(info.message, code=info.code)


def _family(cls: type[EdgewrightError]) -> list[type[EdgewrightError]]:
    """List all subclasses, those defined first before their own subclasses."""
    found: list[type[EdgewrightError]] = []
    for child in cls.__subclasses__():
        found.append(child)
        found.extend(_family(child))
    return found
