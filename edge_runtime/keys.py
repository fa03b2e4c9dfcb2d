"""API keys: making one, and finding out who a caller is."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from edgewright.edge_runtime.config import ApiKey, Scope
from edgewright.tools.errors import AuthenticationError, ScopeError


def new_key() -> tuple[str, str]:
    """Make a key of 256 random bits.

    Returns:
        The key, for the caller to keep, and its digest, for the node's configuration.
    """
    key = secrets.token_urlsafe(32)
    return key, digest(key.encode())


def digest(key: bytes) -> str:
    """Return what a configuration keeps of a key."""
    return hashlib.sha256(key).hexdigest()


class KeyRing:
    """The keys that a node knows.

    Args:
        keys: None of them means that the node asks for none.
    """

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = tuple(keys)

    def check(self, authorization: bytes | None, scope: Scope) -> str:
        """Find out whose key was presented and whether it allows a scope.

        Args:
            authorization: The ``Authorization`` header, if there was one.
            scope: What the route asks for.

        Returns:
            The name of the key; empty on a node without keys.

        Raises:
            AuthenticationError: No key, or an unknown one.
            ScopeError: A known key without the scope.
        """
        if not self._keys:
            return ""
        scheme, _, key = (authorization or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not key:
            raise AuthenticationError(
                "this node asks for a key: send 'Authorization: Bearer KEY'", code="key_missing"
            )
        presented = digest(key.strip())
        # Every key is compared, so that the time taken tells nothing about which one was near.
        matches = [entry for entry in self._keys if hmac.compare_digest(entry.sha256, presented)]
        if not matches:
            raise AuthenticationError("this node does not know that key", code="key_unknown")
        if scope not in matches[0].scopes:
            raise ScopeError(f"this key does not have the scope {scope!r}", code="scope_missing")
        return matches[0].name
