"""The certificates of a cluster: those that Dask's configuration names, or new ones for this cluster alone."""

import os
from pathlib import Path
from typing import Any

from distributed.security import Security

from forecasting.contracts.errors import OptionError

_VARIABLE = "DASK_DISTRIBUTED__COMM__TLS__"


def configured() -> Security | None:
    """Return the certificates that Dask's configuration names (`distributed.comm.tls`); None where it names none."""
    security: Any = Security(require_encryption=True)
    return security if security.tls_ca_file and security.tls_client_cert else None


def for_existing(address: str) -> Security:
    """Return what it takes to connect to a scheduler that somebody else has started.

    Raises:
        OptionError: the address is `tls://`, and no certificates are configured.
    """
    return require_configured(f"cluster={address}", "client") if address.startswith("tls://") else Security()


def require_configured(option: str, *roles: str) -> Security:
    """Return the configured certificates of the client and of these roles (`client`, `scheduler`, `worker`).

    Raises:
        OptionError: Dask's configuration names no file for one of them.
    """
    security: Any = configured()
    if security is None or not all(getattr(security, f"tls_{role}_cert") for role in roles):
        variables = [f"{_VARIABLE}{role.upper()}__{part}" for role in roles for part in ("CERT", "KEY")]
        raise OptionError(
            option,
            "needs certificates, and Dask's configuration does not name them all",
            f"set {_VARIABLE}CA_FILE, {', '.join(variables)} to their files",
        )
    return security


def make(pem: Path) -> Security:
    """Write a new key and its certificate into one file that only its owner can read."""
    made: Any = Security.temporary()
    with os.fdopen(os.open(pem, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(made.tls_client_key + made.tls_client_cert)
    return from_file(pem)


def from_file(pem: Path) -> Security:
    """Return the certificate that `make` wrote, for every role; its key precedes it in the same file."""
    path = str(pem)
    return Security(
        require_encryption=True,
        tls_ca_file=path,
        tls_client_cert=path,
        tls_scheduler_cert=path,
        tls_worker_cert=path,
    )
