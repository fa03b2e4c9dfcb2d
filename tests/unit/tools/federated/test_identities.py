"""A deployment's certificate is trusted only with the certificate of its authority."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
)

from edgewright.tools.federated.grids.identities import Identities, make_identities


def handshake(server: Identities, trusted: Path, address: str = "127.0.0.1") -> None:
    """Connect to a server with these identities as a client that trusts an authority."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(server.certificate, server.key)
    client_context = ssl.create_default_context(cafile=str(trusted))
    one, other = socket.socketpair()

    def answer() -> None:
        try:
            server_context.wrap_socket(one, server_side=True).close()
        except (ssl.SSLError, OSError):
            one.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        client_context.wrap_socket(other, server_hostname=address).close()
    finally:
        other.close()
        thread.join()


def test_a_certificate_is_trusted_only_with_its_authority(tmp_path: Path) -> None:
    ours = make_identities(tmp_path / "ours", addresses=("127.0.0.1",), nodes=0)
    others = make_identities(tmp_path / "others", addresses=("127.0.0.1",), nodes=0)
    handshake(ours, ours.authority)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ours, others.authority)
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        handshake(ours, ours.authority, address="192.0.2.1")


def test_each_node_has_its_own_key_pair(tmp_path: Path) -> None:
    identities = make_identities(tmp_path / "made", addresses=("127.0.0.1",), nodes=2)
    public = [identities.node_public_key(node).read_bytes() for node in range(2)]
    assert public[0] != public[1]
    for node in range(2):
        pair = load_ssh_private_key(identities.node_key(node).read_bytes(), password=None)
        derived = pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        assert derived == public[node]


def test_the_folder_is_accessible_only_to_its_owner(tmp_path: Path) -> None:
    identities = make_identities(tmp_path / "made", addresses=("127.0.0.1",), nodes=1)
    assert identities.folder.stat().st_mode & 0o077 == 0


def test_a_certificate_for_a_name_is_valid_on_the_machine_itself_too(tmp_path: Path) -> None:
    identities = make_identities(
        tmp_path / "made", addresses=("link.example.org", "192.0.2.7"), nodes=0
    )
    # The SuperLink's own programs connect to the loopback address, whatever its name is.
    for address in ("link.example.org", "192.0.2.7", "127.0.0.1", "localhost"):
        handshake(identities, identities.authority, address=address)
