"""Problems: error bodies as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from pydantic import BaseModel


class Problem(BaseModel):
    """An error body, ``application/problem+json`` (RFC 9457).

    Attributes:
        type: ``urn:edgewright:problem:<code>``.
        title: Reason phrase of the status.
        status: HTTP status code.
        detail: One sentence for a person.
        code: The same code as in ``ErrorInfo``.
        retryable: Whether the unchanged call may succeed later.
        request_id: Identifies the call in the node's log.
        error: The same as ``detail``, where clients of the Open Inference Protocol look for it.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    request_id: str = ""
    error: str = ""
