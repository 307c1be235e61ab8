"""The calls to the service's server that fail, each in one sentence; those that succeed are in test_service.py."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from deployments.api import WEEKLY, Api, code_version, deploy, service_api
from deployments.home import Home, Service
from forecasting.contracts.errors import RunError
from forecasting.storage.code_version import package_fingerprint
from tests.ports import free_port


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[int]:
    """A server that says it is ready, and answers everything else as asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/api/ready":
                self.send_response(200)
                self.end_headers()
            else:
                answer(self)

        do_POST = do_GET  # noqa: N815 - the name that the base class calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield listener.server_address[1]
        finally:
            listener.shutdown()
            thread.join()


def refuse(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(401)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def test_without_a_service_the_remedy_is_named(home: Home) -> None:
    """Before the first `oj up`."""
    with pytest.raises(RunError, match="No service is installed in .*; start one with `oj up`"), service_api(home):
        pass


def test_a_server_that_does_not_answer_is_named(home: Home) -> None:
    """With its address."""
    service = Service("/lake", free_port())
    home.configure(service)
    with pytest.raises(RunError, match=f"No Prefect server answers at {service.url}"), service_api(home):
        pass


@pytest.mark.parametrize(
    ("answer", "says"),
    [(refuse, "refuses our auth string; another service has that port"), (hang_up, "has stopped answering")],
)
def test_a_server_that_fails_within_a_command_is_one_sentence(
    home: Home, answer: Callable[[BaseHTTPRequestHandler], None], says: str
) -> None:
    """Somebody else's server, or one that ends while it is asked."""
    # The client tries again for a minute.
    with server(answer) as port, temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        home.configure(Service("/lake", port))
        with pytest.raises(RunError, match=says), service_api(home) as api:
            api.deployments()


class NoDeployments:
    """A server without any deployment."""

    def read_deployment_by_name(self, name: str) -> DeploymentResponse:
        raise ObjectNotFound(LookupError(name))


def test_a_server_without_the_weekly_deployment_names_the_remedy() -> None:
    """As after a database was replaced."""
    api = Api(cast(Any, NoDeployments()), Service("/lake"))
    assert api.deployment(WEEKLY) is None
    with pytest.raises(RunError, match=f"has no deployment {WEEKLY}; create it with `oj up`"):
        api.require_weekly()


def test_scheduled_runs_are_in_the_time_zone_of_the_schedule() -> None:
    """Soonest first, without those that somebody planned by hand."""

    def run(hour: int, *, automatic: bool = True) -> SimpleNamespace:
        moment = datetime(2026, 7, 2, hour, tzinfo=UTC)
        return SimpleNamespace(expected_start_time=moment, auto_scheduled=automatic)

    client = SimpleNamespace(read_flow_runs=lambda **_: [run(12), run(11), run(10, automatic=False)])
    schedules = [SimpleNamespace(schedule=SimpleNamespace(timezone="America/Chicago"))]
    weekly = cast(DeploymentResponse, SimpleNamespace(id=None, schedules=schedules))
    found = Api(cast(Any, client), Service("/lake")).scheduled(weekly)
    assert [f"{moment:%H:%M %Z}" for moment in found] == ["06:00 CDT", "07:00 CDT"]


def test_the_name_of_a_task_run_is_asked_for_until_the_server_has_it() -> None:
    """And not again after that."""
    answers: list[list[dict[str, str]]] = [[], [{"name": "forecast"}]]
    client = SimpleNamespace(request=lambda *_, **__: SimpleNamespace(json=lambda: answers.pop(0)))
    api = Api(cast(Any, client), Service("/lake"))
    number = cast(Any, "1")
    names = [api.task_run_name(number)]
    api._task_runs.clear()
    names += [api.task_run_name(number) for _ in range(2)]
    assert names == ["", "forecast", "forecast"]


def test_deployments_that_cannot_be_created_are_named_with_the_log(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Prefect said is in it."""
    home.configure(Service("/lake"))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RunError, match=f"could not be created; see {home.log('deploy')}"):
        deploy(home)
    assert home.log("deploy").exists()


def test_the_version_of_a_deployment_is_that_of_its_code() -> None:
    """Two deployments of one release can differ in their code."""
    assert code_version() == f"{version('orange-juice-forecasting')}+{package_fingerprint()}"
