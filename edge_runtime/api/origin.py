"""Refusing what other web sites make a browser send to a node.

A page of another site can make a browser post to any address that the browser reaches, and by a
name that resolves to that address (DNS rebinding) even read the response.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import Scope

from edgewright.edge_runtime.api.bodies import header
from edgewright.tools.errors import ScopeError

_OTHER_SITES = (b"cross-site", b"same-site")


def check_origin(scope: Scope, *, by_address: bool) -> None:
    """Check that a request does not come from another site's page.

    Args:
        scope: The request's scope.
        by_address: Whether the node may be called by its address or as ``localhost`` only.

    Raises:
        ScopeError: It does (``cross_site``), or another name was used (``host_unknown``).
    """
    host = (header(scope, b"host") or b"").decode("latin-1")
    if by_address and host and not _is_address(host):
        raise ScopeError(
            "this node needs no key, so it answers only to its address; call it as 127.0.0.1 or "
            "localhost, or set 'keys'",
            code="host_unknown",
        )
    origin = header(scope, b"origin")
    foreign = origin is not None and origin.decode("latin-1").partition("://")[2] != host
    if foreign or header(scope, b"sec-fetch-site") in _OTHER_SITES:
        raise ScopeError(
            "this request comes from another site's page; call the node from your own program",
            code="cross_site",
        )


@lru_cache(maxsize=64)
def _is_address(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
