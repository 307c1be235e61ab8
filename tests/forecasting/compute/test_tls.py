"""The certificates of a cluster."""

import stat
from pathlib import Path

import dask
import pytest
from distributed.security import Security

from forecasting.compute import tls
from forecasting.contracts.errors import OptionError
from tests.certificates import configuration, make_authority


def test_new_certificates_are_in_one_file_of_their_owner(tmp_path: Path) -> None:
    """They serve every role, and are never written over."""
    made = tls.make(tmp_path / "made.pem")
    assert repr(made) == repr(tls.from_file(tmp_path / "made.pem"))
    assert stat.S_IMODE((tmp_path / "made.pem").stat().st_mode) == 0o600
    for role in ("client", "scheduler", "worker"):
        assert certificate(made, role) == str(tmp_path / "made.pem")
        assert made.get_connection_args(role)["ssl_context"]
    with pytest.raises(FileExistsError):
        tls.make(tmp_path / "made.pem")


def test_what_is_not_configured_is_named(tmp_path: Path) -> None:
    """Nothing at all, or a role that is missing; an address without TLS needs nothing."""
    assert tls.configured() is None
    assert not tls.for_existing("tcp://host:1").require_encryption
    with pytest.raises(
        OptionError, match="CLUSTER needs certificates.*TLS__CA_FILE, .*TLS__CLIENT__CERT, .*CLIENT__KEY"
    ):
        tls.require_configured("CLUSTER", "client")
    folder = make_authority(tmp_path / "certificates", "client", "worker")
    with dask.config.set(configuration(folder, "client")):
        assert certificate(tls.for_existing("tls://host:1"), "client") == str(folder / "client.pem")
        with pytest.raises(OptionError, match="TLS__WORKER__KEY"):
            tls.require_configured("CLUSTER", "client", "worker")
    with dask.config.set(configuration(folder, "client", "worker")):
        found = tls.require_configured("CLUSTER", "client", "worker")
        assert certificate(found, "worker") == str(folder / "worker.pem")


def certificate(security: Security, role: str) -> str:
    return str(security.get_tls_config_for_role(role)["cert"])
