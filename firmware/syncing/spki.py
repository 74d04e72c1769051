"""The public key inside a certificate, cut out of its DER: enough for a pin, and 2 MB less than an X.509 library."""

_SEQUENCE, _VERSION = 0x30, 0xA0
_BEFORE_KEY = 5  # serial number, signature algorithm, issuer, validity, subject (RFC 5280, section 4.1)


class CertificateError(ValueError):
    """These bytes are no certificate."""


def public_key(certificate: bytes) -> bytes:
    """The certificate's SubjectPublicKeyInfo. Raises CertificateError."""
    try:
        return _key(certificate)
    except IndexError as problem:
        raise CertificateError("a certificate that is cut short") from problem


def _key(der: bytes) -> bytes:
    inside, _ = _enter(der, 0)
    at, _ = _enter(der, inside)
    if der[at] == _VERSION:
        at = _end(der, at)
    for _ in range(_BEFORE_KEY):
        at = _end(der, at)
    _enter(der, at)
    return der[at : _end(der, at)]


def _enter(der: bytes, at: int) -> tuple[int, int]:
    """Where the contents of the sequence at `at` begin and end."""
    if der[at] != _SEQUENCE:
        raise CertificateError("no certificate")
    return _contents(der, at)


def _end(der: bytes, at: int) -> int:
    return _contents(der, at)[1]


def _contents(der: bytes, at: int) -> tuple[int, int]:
    """Begin and end of what the element at `at` holds (X.690, section 8.1.3)."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(der[at + 2 : begin], "big")
    if begin + length > len(der):
        raise CertificateError("a certificate that is cut short")
    return begin, begin + length
