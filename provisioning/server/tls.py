"""The booth API's own keys and certificate. Booths go by the key alone (its pin), never by names or dates.

There are two keys: the one in use, and a backup of which every booth knows the pin already. Should the first be lost or
stolen, the second takes its place and no booth need be visited.
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from firmware import wire
from provisioning import intact

CERTIFICATE, KEY, BACKUP = "booth-api.pem", "booth-api.key", "booth-api-backup.key"
# A booth may believe any year: it has no clock of its own.
_BEGINS, _ENDS = datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)


def make(directory: Path) -> None:
    """Write keys and certificate where there are none; what is there stays."""
    for name in (KEY, BACKUP):
        if not (directory / name).exists():
            _write_key(directory / name)
    if not _certified(directory):
        _write_certificate(directory)


def _certified(directory: Path) -> bool:
    """Whether there is a certificate, and of the key in use: a crash may have come between the one and the other."""
    try:
        certificate = x509.load_pem_x509_certificate((directory / CERTIFICATE).read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return certificate.public_key() == _read_key(directory / KEY).public_key()


def change(directory: Path) -> None:
    """Put the backup in the place of the key in use, and make a new backup."""
    (directory / BACKUP).replace(directory / KEY)
    make(directory)


def pins(directory: Path) -> tuple[str, ...]:
    """The pins of the key in use and of the backup."""
    return tuple(_pin(_read_key(directory / name)) for name in (KEY, BACKUP))


def _write_key(path: Path) -> None:
    key = generate_private_key(SECP256R1())
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    intact.create(path, data)


def _write_certificate(directory: Path) -> None:
    key = _read_key(directory / KEY)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "boothphone")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINS)
        .not_valid_after(_ENDS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    intact.replace(directory / CERTIFICATE, certificate.public_bytes(Encoding.PEM))


def _read_key(path: Path) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)  # we wrote it
    return key


def _pin(key: EllipticCurvePrivateKey) -> str:
    return wire.pin_of(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
