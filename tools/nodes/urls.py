"""Checking the base URLs of nodes, and showing URLs without the passwords in them."""

from __future__ import annotations

import re

from edgewright.tools.errors import InputError

#: User name and password, up to the last "@": where they are not encoded, any character is in them.
_CREDENTIALS = re.compile(r"(?<=//).*@", re.DOTALL)
#: Values of a query, which some services take keys in.
_QUERY = re.compile(r"(?<==)[^&#]+")
_MASK = "**********"


def shown_url(url: str) -> str:
    """Return a URL as it may be shown, logged and traced: without what may be a secret.

    Args:
        url: The URL; it may be malformed.
    """
    address, mark, query = _CREDENTIALS.sub(f"{_MASK}@", url).partition("?")
    return address + mark + _QUERY.sub(_MASK, query)


def urls_of(text: str) -> list[str]:
    """Return the URLs of nodes that a setting names, separated by commas."""
    return [url.strip() for url in text.split(",") if url.strip()]


def checked_url(url: str) -> str:
    """Return the base URL of a node without a slash at its end.

    Raises:
        InputError: It is no URL of an HTTP server (``invalid_url``); the message says why.
    """
    import httpx  # showing a URL does not need it

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
        # The parser quotes what it takes for a port, which may be a part of the password.
        reason = "characters of a password are written as %XX" if "@" in url else str(error)
        reason += "; an IPv6 address stands in brackets, as in http://[::1]:8760"
    if reason:
        raise InputError(
            f"{shown_url(url)[:200]!r} is no URL of a node: {reason}", code="invalid_url"
        )
    return url.strip().rstrip("/")
