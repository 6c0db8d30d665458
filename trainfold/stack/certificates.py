"""A certificate by which the parts of one server recognise each other, and nobody else."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from trainfold.stack.home import write_private
from trainfold.stack.loopback import LOOPBACK

CERTIFICATE = "peers.crt"
KEY = "peers.key"
# A server writes a new one whenever it starts, so this is longer than any of them runs.
_LIFETIME = timedelta(days=3650)
_CLOCK_TOLERANCE = timedelta(days=1)
_UNUSED = (
    "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "encipher_only", "decipher_only",
)  # fmt: skip


def write_certificate(folder: Path) -> None:
    """Write a new key and its self-signed certificate, which is also the only trusted authority.

    Whoever cannot read the key can neither connect to the server nor pose as it.
    """
    # Importing this takes a moment that commands without a server to start need not spend.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "trainfold")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=False, **dict.fromkeys(_UNUSED, False)
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _CLOCK_TOLERANCE)
        .not_valid_after(now + _LIFETIME)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(folder / KEY, private)
    write_private(folder / CERTIFICATE, certificate.public_bytes(encoding))


def peer_context(folder: Path) -> ssl.SSLContext:
    """Return how a client that may read the key connects."""
    context = ssl.create_default_context(cafile=folder / CERTIFICATE)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    return context
