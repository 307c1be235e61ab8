"""The certificates of a cluster: from Dask's own configuration, or made for this one cluster."""

import os
from pathlib import Path
from typing import Any

from distributed.security import Security

from forecasting.contracts.errors import OptionError


def configured() -> Security | None:
    """The certificates that Dask's configuration names (`distributed.comm.tls`, files or environment), if any."""
    security: Any = Security(require_encryption=True)
    return security if security.tls_ca_file and security.tls_client_cert else None


def for_existing(address: str) -> Security:
    """What it takes to connect to a scheduler of somebody else's.

    Raises:
        OptionError: the address is that of an encrypted one, and no certificates are configured.
    """
    if not address.startswith("tls://"):
        return Security()
    if (security := configured()) is None:
        raise OptionError(
            f"cluster={address}",
            "needs certificates, and Dask's configuration names none",
            "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and "
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY to their files",
        )
    return security


def make(pem: Path) -> Security:
    """New certificates in one file that only its owner can read."""
    made: Any = Security.temporary()
    with os.fdopen(os.open(pem, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(made.tls_client_key + made.tls_client_cert)
    return from_file(pem)


def from_file(pem: Path) -> Security:
    """The same certificates for every role, as `make` wrote them."""
    return Security(require_encryption=True, **{f"tls_{name}": value for name, value in _fields(str(pem)).items()})


def as_config(pem: str) -> dict[str, object]:
    """Dask's configuration for processes that find such a file at `pem`."""
    fields = {name.replace("ca_file", "ca-file").replace("_", "."): value for name, value in _fields(pem).items()}
    return {
        "distributed.comm.require-encryption": True,
        "distributed.comm.default-scheme": "tls",
        **{f"distributed.comm.tls.{name}": value for name, value in fields.items()},
    }


def _fields(pem: str) -> dict[str, str]:
    """The key stands in the same file, before its certificate."""
    roles = ("client", "scheduler", "worker")
    return {"ca_file": pem, **{f"{role}_cert": pem for role in roles}}
