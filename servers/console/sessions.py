"""Sign-ins of browsers: a random token in a cookie stands for the key that was entered once."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie

from starlette.types import Scope

from edgewright.edge_runtime.api.bodies import header
from edgewright.servers.console.pages import API_PREFIX, PREFIX

COOKIE = "edgewright_console"
_LASTS_S = 12 * 3600.0
_SIZE = 1000


class SignIns:
    """The sign-ins of a server; they end with it.

    Args:
        secure: Whether the server uses TLS, so that cookies must not travel without it.
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._known: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def authorization(self, scope: Scope) -> bytes | None:
        """Return what authorises a request: its own header, or on the console's routes its cookie.

        Args:
            scope: The request's scope.
        """
        given = header(scope, b"authorization")
        if given is not None or not scope["path"].startswith(f"{API_PREFIX}/"):
            return given
        return self._signed_in(scope)

    def knows(self, scope: Scope) -> bool:
        """Return whether a request's cookie is that of a sign-in."""
        return self._signed_in(scope) is not None

    def _signed_in(self, scope: Scope) -> bytes | None:
        ends, value = self._known.get(self._token(scope), (0.0, b""))
        return value if time.monotonic() < ends else None

    def begin(self, authorization: bytes) -> str:
        """Remember a key that was checked, and return the ``Set-Cookie`` header for it."""
        token = secrets.token_urlsafe(32)
        self._known[token] = (time.monotonic() + _LASTS_S, authorization)
        while len(self._known) > _SIZE:
            self._known.popitem(last=False)
        return self._cookie(token)

    def end(self, scope: Scope) -> str:
        """Forget the sign-in of a request, and return the header that removes its cookie."""
        self._known.pop(self._token(scope), None)
        return f"{self._cookie('')}; Max-Age=0"

    def _token(self, scope: Scope) -> str:
        try:
            cookies = SimpleCookie((header(scope, b"cookie") or b"").decode("latin-1"))
        except CookieError:
            return ""
        return cookies[COOKIE].value if COOKIE in cookies else ""

    def _cookie(self, value: str) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{COOKIE}={value}; Path={PREFIX}; HttpOnly; SameSite=Strict{secure}"
