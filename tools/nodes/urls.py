"""Checking the base URL of a node."""

from __future__ import annotations

import httpx

from edgewright.tools.errors import InputError


def checked_url(url: str) -> str:
    """Return the base URL of a node without a slash at its end.

    Raises:
        InputError: It is no URL of an HTTP server (``invalid_url``); the message says why.
    """
    reason = ""
    try:
        parsed = httpx.URL(url.strip())
        if parsed.scheme not in ("http", "https"):
            reason = "it must begin with http:// or https://"
        elif not parsed.host:
            reason = "it names no host"
        elif parsed.port is not None and not 0 < parsed.port < 65_536:
            reason = "ports are 1 to 65535"
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        reason = f"{error}; an IPv6 address stands in brackets, as in http://[::1]:8760"
    if reason:
        raise InputError(f"{url[:200]!r} is no URL of a node: {reason}", code="invalid_url")
    return url.strip().rstrip("/")
