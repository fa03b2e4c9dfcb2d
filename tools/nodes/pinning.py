"""Trusting one certificate by its fingerprint, whoever issued it."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from pathlib import Path

from edgewright.tools.errors import InputError

#: Begin of the error of a connection whose certificate is another one.
MISMATCH = "the certificate's fingerprint is"


def fingerprint_of(certificate: Path) -> str:
    """Return the SHA-256 of a certificate, hexadecimal.

    Args:
        certificate: PEM file; of a chain, the first certificate counts.

    Raises:
        InputError: It cannot be read (``invalid_config``).
    """
    end = ssl.PEM_FOOTER
    try:
        text = certificate.read_text("ascii")
        first = text[text.index(ssl.PEM_HEADER) : text.index(end) + len(end)]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()
    except (OSError, ValueError) as error:
        raise InputError(
            f"the certificate {certificate} cannot be read: {error}; correct 'tls.certificate'",
            code="invalid_config",
        ) from None


def pinned_context(fingerprint: str) -> ssl.SSLContext:
    """Return a context that accepts one certificate, and sends nothing to any other.

    Neither the name in it nor its issuer counts, so it fits a node that was found by its address.

    Args:
        fingerprint: SHA-256 of the certificate, hexadecimal; colons are allowed.
    """
    expected = fingerprint.replace(":", "").lower()

    class Pinned(ssl.SSLObject):
        """The TLS of a connection, which compares the certificate before anything is sent."""

        def do_handshake(self) -> None:
            super().do_handshake()
            shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
            if not hmac.compare_digest(shown, expected):
                raise ssl.SSLCertVerificationError(f"{MISMATCH} {shown}, not the pinned one")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.sslobject_class = Pinned
    return context


def tls_context(url: str, ca: Path | None, fingerprint: str | None) -> ssl.SSLContext:
    """Return what decides which certificates of a node to trust.

    Args:
        url: URL of the node.
        ca: Certificate to trust besides the system's; None for none.
        fingerprint: SHA-256 of the only certificate to trust; None for no pin.

    Raises:
        InputError: A certificate is pinned, and the URL is not encrypted (``invalid_url``).
    """
    if fingerprint:
        if not url.startswith("https:"):
            raise InputError(
                f"{url} is not encrypted, so no fingerprint can be checked; use https://",
                code="invalid_url",
            )
        return pinned_context(fingerprint)
    if url.startswith("https:"):
        return ssl.create_default_context(cafile=ca)
    # Loading the system's certificates takes longer than a whole call to a nearby node.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
