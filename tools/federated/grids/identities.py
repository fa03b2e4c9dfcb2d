"""Identities in a deployment: a certificate for the SuperLink, a key pair per SuperNode.

They are created for a single deployment, so the private key of the certificate authority is never
written to disk.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

_VALIDITY = datetime.timedelta(days=7)
#: The SuperLink's own programs connect to it here, whatever its address is for others.
_LOCAL = ("127.0.0.1", "::1", "localhost")
_CLOCK_SKEW = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Identities:
    """Paths of a deployment's certificates and keys.

    Args:
        folder: Their folder, accessible only to its owner.
    """

    folder: Path

    @property
    def authority(self) -> Path:
        """Certificate of the authority that signs the SuperLink's."""
        return self.folder / "authority.pem"

    @property
    def certificate(self) -> Path:
        """Certificate of the SuperLink."""
        return self.folder / "superlink.pem"

    @property
    def key(self) -> Path:
        """Private key of the SuperLink."""
        return self.folder / "superlink.key"

    def node_key(self, node: int) -> Path:
        """Return the file of a SuperNode's private key."""
        return self.folder / f"node-{node}"

    def node_public_key(self, node: int) -> Path:
        """Return the file of a SuperNode's public key."""
        return self.folder / f"node-{node}.pub"


def make_identities(
    folder: Path,
    *,
    addresses: Sequence[str],
    nodes: int,
    validity: datetime.timedelta = _VALIDITY,
) -> Identities:
    """Create an authority, the SuperLink's certificate and the SuperNodes' keys.

    Args:
        folder: Folder to create, accessible only to its owner.
        addresses: IP addresses and DNS names by which SuperNodes reach the SuperLink; those of the
            local machine are added.
        nodes: Number of SuperNodes.
        validity: How long the certificates are valid.
    """
    folder.mkdir(mode=0o700)
    identities = Identities(folder)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    public = authority_key.public_key()
    authority = _certificate("authority", public, authority_key, validity=validity)
    identities.authority.write_bytes(authority.public_bytes(Encoding.PEM))
    key = ec.generate_private_key(ec.SECP256R1())
    names = tuple(dict.fromkeys((*addresses, *_LOCAL)))
    certificate = _certificate(
        "superlink", key.public_key(), authority_key, validity=validity, names=names
    )
    identities.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    identities.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for node in range(nodes):
        make_key_pair(identities.node_key(node), identities.node_public_key(node))
    return identities


def make_key_pair(private: Path, public: Path) -> None:
    """Create the key pair of a SuperNode; the private key is accessible only to its owner."""
    pair = ec.generate_private_key(ec.SECP384R1())  # the curve that Flower requires
    private.touch(mode=0o600)
    private.write_bytes(pair.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public.write_bytes(pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    validity: datetime.timedelta,
    names: Sequence[str] = (),
) -> x509.Certificate:
    """Sign a certificate for a server's names, or for the authority itself if there are none."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_common_name(name))
        .issuer_name(_common_name("authority"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + validity)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_general_name(each) for each in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
