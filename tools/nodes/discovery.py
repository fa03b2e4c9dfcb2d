"""Nodes that announce themselves on the local network, by multicast DNS.

What is announced is a hint that anybody on the network can forge: a caller trusts a node only by
the fingerprint of its certificate, which is compared when a connection is made (``pinning.py``).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright.tools.errors import UnavailableError
from edgewright.tools.nodes.pinning import fingerprint_of

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

SERVICE = "_edgewright._tcp.local."
#: Maximum length of a value that is read of an announcement.
_MAX_VALUE = 100
_ANSWER_MS = 1500


@dataclass(frozen=True, kw_only=True)
class FoundNode:
    """A node as it announces itself; nothing of it is checked.

    Attributes:
        name: Its name.
        role: Its role.
        url: Its base URL.
        version: Version of Edgewright that it runs.
        fingerprint: SHA-256 of its certificate, hexadecimal; empty if it has none.
    """

    name: str
    role: str
    url: str
    version: str
    fingerprint: str


@asynccontextmanager
async def announced(
    name: str, role: str, address: tuple[str, int], *, certificate: Path | None
) -> AsyncIterator[None]:
    """Announce a node while the block runs.

    Args:
        name: Its name.
        role: Its role.
        address: Address and port that it listens on; an address of all interfaces announces each
            of this machine's.
        certificate: File of its certificate, if it serves HTTPS.

    Raises:
        UnavailableError: zeroconf is not installed (``discovery_missing``), or the network does
            not allow multicast (``discovery_failed``).
    """
    from_file = "" if certificate is None else fingerprint_of(certificate)
    host, port = address
    every = ipaddress.ip_address(host).is_unspecified
    zeroconf = _open([] if every else [host])
    try:
        from zeroconf.asyncio import AsyncServiceInfo

        info = AsyncServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            port=port,
            parsed_addresses=_own_addresses() if every else [host],
            server=f"{name}.local.",
            properties={
                "role": role,
                "version": version("edgewright"),
                "scheme": "https" if certificate else "http",
                "sha256": from_file,
            },
        )
        # Another node of the same name gets a number.
        await (await zeroconf.async_register_service(info, allow_name_change=True))
        try:
            yield
        finally:
            await (await zeroconf.async_unregister_service(info))
    finally:
        await zeroconf.async_close()


async def find_nodes(seconds: float, *, interfaces: list[str] | None = None) -> list[FoundNode]:
    """Return the nodes that announce themselves, by name.

    Args:
        seconds: How long to listen.
        interfaces: Addresses of this machine to listen on; None means all.

    Raises:
        UnavailableError: zeroconf is not installed (``discovery_missing``), or the network does
            not allow multicast (``discovery_failed``).
    """
    zeroconf = _open(interfaces or [])
    try:
        from zeroconf import ServiceStateChange
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo

        names: set[str] = set()

        def changed(name: str, state_change: ServiceStateChange, **_: object) -> None:
            (names.discard if state_change is ServiceStateChange.Removed else names.add)(name)

        browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[changed])
        await asyncio.sleep(seconds)
        await browser.async_cancel()
        found = []
        for name in sorted(names):
            info = AsyncServiceInfo(SERVICE, name)
            if await info.async_request(zeroconf.zeroconf, _ANSWER_MS):
                found += [node] if (node := _read(info)) is not None else []
        return found
    finally:
        await zeroconf.async_close()


def _open(interfaces: list[str]) -> AsyncZeroconf:
    try:
        from zeroconf import InterfaceChoice
        from zeroconf.asyncio import AsyncZeroconf
    except ImportError:
        raise UnavailableError(
            "discovery needs zeroconf: pip install 'edgewright[discovery]'",
            code="discovery_missing",
        ) from None
    try:
        return AsyncZeroconf(interfaces=interfaces or InterfaceChoice.All)
    except OSError as error:
        raise UnavailableError(
            f"multicast DNS cannot be used on this network: {error.strerror or error}; "
            "turn discovery off, or name nodes by their URLs",
            code="discovery_failed",
        ) from None


def _own_addresses() -> list[str]:
    import psutil

    return [
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family == socket.AF_INET and not each.address.startswith("127.")
    ]


def _read(info: AsyncServiceInfo) -> FoundNode | None:
    """Return what a node announces; None if it names no address."""
    addresses, said = info.parsed_addresses(), info.decoded_properties
    if not addresses or not info.port:
        return None
    host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    values = {
        name: str(said.get(name) or "")[:_MAX_VALUE] for name in ("role", "version", "sha256")
    }
    scheme = "https" if said.get("scheme") == "https" else "http"
    return FoundNode(
        name=info.name.removesuffix(f".{SERVICE}")[:_MAX_VALUE],
        role=values["role"],
        url=f"{scheme}://{host}:{info.port}",
        version=values["version"],
        fingerprint=values["sha256"],
    )
