"""Identities in a deployment: a certificate for the SuperLink, a key pair per SuperNode.

They are created for a single deployment, so the private key of the certificate authority is never
written to disk.
"""

from __future__ import annotations

import datetime
import ipaddress
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


def make_identities(folder: Path, *, address: str, nodes: int) -> Identities:
    """Create an authority, the SuperLink's certificate and the SuperNodes' keys.

    Args:
        folder: Folder to create, accessible only to its owner.
        address: IP address of the SuperLink.
        nodes: Number of SuperNodes.
    """
    folder.mkdir(mode=0o700)
    identities = Identities(folder)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", authority_key.public_key(), authority_key)
    identities.authority.write_bytes(authority.public_bytes(Encoding.PEM))
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("superlink", key.public_key(), authority_key, address=address)
    identities.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    identities.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for node in range(nodes):
        pair = ec.generate_private_key(ec.SECP384R1())  # the curve that Flower requires
        secret = pair.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        identities.node_key(node).write_bytes(secret)
        public = pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        identities.node_public_key(node).write_bytes(public)
    return identities


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    address: str = "",
) -> x509.Certificate:
    """Sign a certificate for an address, or for the authority itself if there is none."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_common_name(name))
        .issuer_name(_common_name("authority"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALIDITY)
        .add_extension(x509.BasicConstraints(ca=not address, path_length=None), critical=True)
    )
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
