"""Who can reach a server: this machine alone, or others too."""

from __future__ import annotations

import ipaddress


def check_exposure(host: str, *, secured: bool) -> None:
    """Check that a server can be reached from other machines only if it is secured.

    Args:
        host: Address to listen on.
        secured: Whether it has keys or TLS.

    Raises:
        ValueError: It can be reached, and has neither.
    """
    if not (secured or is_loopback(host)):
        raise ValueError(
            f"host {host!r} can be reached from other machines; set 'keys' or 'tls', "
            "or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself, by its address or as ``localhost``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
