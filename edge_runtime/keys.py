"""API keys: creating one, and checking a caller's."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from edgewright.edge_runtime.config import ApiKey, Scope
from edgewright.tools.errors import AuthenticationError, ScopeError

#: What a scope lets a caller do.
_GRANTS: Mapping[Scope, str] = {
    "infer": "make requests",
    "artifacts": "fetch models",
    "train": "train",
    "admin": "manage this server",
}
#: Every scope: what whoever needs no key may do.
ALL_SCOPES: frozenset[Scope] = frozenset(get_args(Scope))


def new_key() -> tuple[str, str]:
    """Create a key of 256 random bits.

    Returns:
        The key, for the caller, and its digest, for the node's configuration.
    """
    key = secrets.token_urlsafe(32)
    return key, digest(key.encode())


def digest(key: bytes) -> str:
    """Return the digest of a key that a configuration stores."""
    return hashlib.sha256(key).hexdigest()


class Caller(NamedTuple):
    """Who calls a node, for its queues.

    Attributes:
        name: Name of the key, or the address on a node without keys.
        weight: Share of a busy model's time, relative to other callers'.
        scopes: What its key grants; all scopes where no key is needed.
    """

    name: str
    weight: float = 1.0
    scopes: frozenset[Scope] = frozenset()

    def require(self, scope: Scope) -> None:
        """Check that the caller has a scope.

        Raises:
            ScopeError: It does not (``scope_missing``).
        """
        if scope not in self.scopes:
            raise ScopeError(
                f"this key may not {_GRANTS[scope]}: it needs the scope {scope!r}; add it to the "
                "key's 'scopes'",
                code="scope_missing",
            )


#: For calls whose caller does not matter, such as the only one's.
ANONYMOUS = Caller("")


class KeyRing:
    """The keys of a node.

    Args:
        keys: The keys; an empty sequence means that callers need none.
    """

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = tuple(keys)

    def check(self, authorization: bytes | None, scope: Scope, address: str) -> Caller:
        """Identify the caller and check that its key grants a scope.

        Args:
            authorization: The ``Authorization`` header, if any.
            scope: The scope that the route requires.
            address: Address of the caller.

        Returns:
            The caller, named by its key, or by its address on a node without keys.

        Raises:
            AuthenticationError: The key is missing or unknown.
            ScopeError: The key does not grant the scope.
        """
        if not self._keys:
            return Caller(address, scopes=ALL_SCOPES)
        scheme, _, key = (authorization or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not key:
            raise AuthenticationError(
                "this node requires a key; send 'Authorization: Bearer KEY'", code="key_missing"
            )
        presented = digest(key.strip())
        # Every key is compared, so that the time does not reveal which one matches.
        matches = [entry for entry in self._keys if hmac.compare_digest(entry.sha256, presented)]
        if not matches:
            raise AuthenticationError(
                "this node does not know that key; add its digest to 'keys'", code="key_unknown"
            )
        caller = Caller(matches[0].name, matches[0].weight, matches[0].scopes)
        caller.require(scope)
        return caller
