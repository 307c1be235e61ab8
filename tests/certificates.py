"""Certificates as an operator would make them: an authority, and what it has signed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_authority(folder: Path, *names: str) -> Path:
    """`ca.pem` in a new `folder`, and `<name>.pem` and `<name>.key` signed by it."""
    folder.mkdir()
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", "authority", authority_key, authority_key, is_authority=True)
    (folder / "ca.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, "authority", key, authority_key, is_authority=False)
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return folder


def configuration(folder: Path, *roles: str) -> dict[str, str]:
    """Return Dask's configuration that names the certificates of these roles."""
    files = {"ca-file": "ca.pem"}
    for role in roles:
        files |= {f"{role}.cert": f"{role}.pem", f"{role}.key": f"{role}.key"}
    return {f"distributed.comm.tls.{name}": str(folder / file) for name, file in files.items()}


def environment(folder: Path, *roles: str) -> dict[str, str]:
    """Return `configuration` as environment variables."""
    return {
        f"DASK_{name.upper().replace('.', '__').replace('-', '_')}": value
        for name, value in configuration(folder, *roles).items()
    }


def _certificate(
    name: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signed_by: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(signed_by, hashes.SHA256())
    )
