"""Who is who in a deployment: a certificate for the SuperLink, a key pair for each SuperNode.

They are made for one deployment and end with it, so the authority's key is never written down.
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

_VALID = datetime.timedelta(days=7)
_CLOCKS_DIFFER = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Identities:
    """Where the files of a deployment's identities lie.

    Args:
        folder: Readable by nobody else.
    """

    folder: Path

    @property
    def authority(self) -> Path:
        """Certificate that all others are checked with."""
        return self.folder / "authority.pem"

    @property
    def certificate(self) -> Path:
        """The SuperLink's certificate."""
        return self.folder / "superlink.pem"

    @property
    def key(self) -> Path:
        """Its private key."""
        return self.folder / "superlink.key"

    def node_key(self, node: int) -> Path:
        """Return a SuperNode's private key; the public one has ``.pub`` appended."""
        return self.folder / f"node-{node}"

    def node_public_key(self, node: int) -> Path:
        """Return a SuperNode's public key."""
        return self.folder / f"node-{node}.pub"


def make_identities(folder: Path, *, address: str, nodes: int) -> Identities:
    """Make an authority, a SuperLink's certificate and the SuperNodes' keys.

    Args:
        folder: Where to; made, for the owner alone.
        address: IP address at which the SuperLink is reached.
        nodes: How many SuperNodes.
    """
    folder.mkdir(mode=0o700)
    made = Identities(folder)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", authority_key.public_key(), authority_key)
    made.authority.write_bytes(authority.public_bytes(Encoding.PEM))
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("superlink", key.public_key(), authority_key, address=address)
    made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for node in range(nodes):
        pair = ec.generate_private_key(ec.SECP384R1())  # the curve that Flower asks for
        secret = pair.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        made.node_key(node).write_bytes(secret)
        public = pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        made.node_public_key(node).write_bytes(public)
    return made


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    address: str = "",
) -> x509.Certificate:
    """Sign a certificate: for an address, or without one for the authority itself."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("authority"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=not address, path_length=None), critical=True)
    )
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
