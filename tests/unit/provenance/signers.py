"""Keys, certificates and signed directories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Signer:
    """Files in PEM: a private key and the public one."""

    key: Path
    public: Path


def new_signer(folder: Path, name: str = "signer") -> Signer:
    """A key of P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = Signer(folder / f"{name}.pem", folder / f"{name}.pub.pem")
    signer.key.write_bytes(private_pem(key))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    signer.public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    return signer


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, form, serialization.NoEncryption())


@dataclass(frozen=True)
class Authority:
    """A root's certificate, and a key with a certificate that the root gave it."""

    root: Path
    key: Path
    certificate: Path


def new_authority(folder: Path, name: str = "authority") -> Authority:
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("root", "root", root_key, root_key, ca=True)
    leaf = _certificate("signer", "root", key, root_key, ca=False)
    made = Authority(folder / f"{name}.root.pem", folder / f"{name}.key.pem", folder / f"{name}.crt.pem")
    made.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(private_pem(key))
    return made


def _certificate(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    called = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
    start = datetime(2026, 1, 1, tzinfo=UTC)
    usage = x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        **dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
        ),
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(by, hashes.SHA256())
    )
