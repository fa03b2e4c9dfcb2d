"""A deployment's certificate is believed by those who hold its authority, and by nobody else."""

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
    """Connect to a server that shows its certificate, as one who trusts an authority."""
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(server.certificate, server.key)
    theirs = ssl.create_default_context(cafile=str(trusted))
    one, other = socket.socketpair()

    def answer() -> None:
        try:
            ours.wrap_socket(one, server_side=True).close()
        except (ssl.SSLError, OSError):
            one.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        theirs.wrap_socket(other, server_hostname=address).close()
    finally:
        other.close()
        thread.join()


def test_only_its_own_authority_vouches_for_a_certificate(tmp_path: Path) -> None:
    ours = make_identities(tmp_path / "ours", address="127.0.0.1", nodes=0)
    others = make_identities(tmp_path / "others", address="127.0.0.1", nodes=0)
    handshake(ours, ours.authority)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ours, others.authority)
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        handshake(ours, ours.authority, address="192.0.2.1")


def test_each_node_has_a_key_pair_of_its_own(tmp_path: Path) -> None:
    made = make_identities(tmp_path / "made", address="127.0.0.1", nodes=2)
    public = [made.node_public_key(node).read_bytes() for node in range(2)]
    assert public[0] != public[1]
    for node in range(2):
        pair = load_ssh_private_key(made.node_key(node).read_bytes(), password=None)
        said = pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        assert said == public[node]


def test_nobody_else_can_read_the_folder(tmp_path: Path) -> None:
    made = make_identities(tmp_path / "made", address="127.0.0.1", nodes=1)
    assert made.folder.stat().st_mode & 0o077 == 0
