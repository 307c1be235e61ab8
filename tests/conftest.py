"""What many tests need: a lake in which one real week waits, and Prefect's own test server."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import flows  # noqa: F401 - sets the threads of BLAS and Prefect's defaults before either is imported
from forecasting.pipeline.simulation import simulate
from forecasting.storage import inbox
from forecasting.storage.lake import Lake
from forecasting.storage.leases import waiting_lease
from forecasting.storage.location import open_location
from tests.databases import make_small_lake
from tests.postgresql import PostgreSQL, programs, running_postgresql
from tests.roots import KINDS, Lacking, Roots

# A test that needs a server asks for it; without this Prefect would start one by itself, in its user's home.
os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "false"

# Tests make much garbage that dies young; to look through all that lives for it, time and again, costs a tenth of them.
gc.set_threshold(100_000, 20, 100)

# What takes longest begins first, so that no worker is left alone with it at the end.
LONGEST = (
    "tests/deployments/test_service.py",
    "tests/flows/test_weekly_forecast.py",
    "tests/flows/test_several_hosts.py",
    "tests/forecasting/cli/test_runs.py",
    "tests/flows/test_run_page.py",
    "tests/forecasting/compute/",
    "tests/deployments/test_postgresql.py",
    "tests/flows/",
    "tests/deployments/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest first; the order of a file's tests stays."""
    items.sort(key=lambda item: [not item.nodeid.startswith(long) for long in LONGEST])


# On a busy machine an example may take long; a law that needs more tries says so.
settings.register_profile("ours", deadline=None, max_examples=30)
settings.load_profile("ours")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers (`make test`) a file stays on one; short files that use Prefect's server share one."""
    from xdist.scheduler import LoadFileScheduling

    class ByServer(LoadFileScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            uses_server = "prefect_server" in (config.rootpath / file).read_text()
            # A long file is worth a server of its own.
            return "prefect_server" if uses_server and file not in LONGEST else file

    return ByServer(config, log)


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not look through Prefect, Dask and pandas again."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Extension modules complain of what is not collected at the end."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def simulated_lake_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the real history up to 1992-04-09 and the files of 1992-04-16 in its inbox; not to be changed.

    Whichever worker needs it first makes it for all.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "template"
    with waiting_lease(open_location(folder.parent) / f"{folder.name}.lock"):
        if not folder.exists():
            made = tmp_path_factory.mktemp("template")
            simulate(Lake(made / "lake"))
            made.rename(folder)
    return folder / "lake"


@pytest.fixture(autouse=True)
def files_are_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test writes into an inbox is complete: its run does not wait for it."""
    monkeypatch.setattr(inbox, "SECONDS_UNTOUCHED", 0.0)


@pytest.fixture
def simulated_lake(simulated_lake_template: Path, tmp_path: Path) -> Lake:
    """A lake of one's own in which a real week waits."""
    shutil.copytree(simulated_lake_template, tmp_path / "lake")
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="session")
def small_lake_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small lake with published forecasts; not to be changed."""
    return Path(make_small_lake(tmp_path_factory.mktemp("small") / "lake").root)


@pytest.fixture
def small_lake(small_lake_template: Path, tmp_path: Path) -> Lake:
    """A small lake of one's own with published forecasts, `lake` in the test's folder."""
    shutil.copytree(small_lake_template, tmp_path / "lake")
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real Prefect server with a database of its own, one for all tests."""
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    # Without heartbeats a flow does not wait for its heartbeat's thread at the end.
    with (
        prefect_test_harness(server_startup_timeout=400),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield


@pytest.fixture(scope="session")
def postgresql(needs_system: Callable[[str], None]) -> Iterator[PostgreSQL]:
    """A real PostgreSQL, one for all tests."""
    installed = programs()
    if installed is None:
        needs_system("PostgreSQL is needed")
    assert installed
    with running_postgresql(installed) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roots]:
    """Roots of lakes on every kind of storage; the servers and file systems behind them serve all tests."""
    made = Roots(tmp_path_factory.mktemp("roots"))
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def root(request: pytest.FixtureRequest, roots: Roots, needs_system: Callable[[str], None]) -> str:
    """A new root of a lake, a path or a URL: the test runs once on every kind of storage."""
    try:
        return roots.make(request.param)
    except Lacking as lacking:
        needs_system(str(lacking))
        raise


@pytest.fixture(scope="session")
def needs_system() -> Callable[[str], None]:
    """Skip where the machine lacks what the test needs; in CI that is a failure."""

    def lacking(reason: str) -> None:
        if os.environ.get("OJ_REQUIRE_SYSTEM"):
            pytest.fail(reason)
        pytest.skip(reason)

    return lacking
