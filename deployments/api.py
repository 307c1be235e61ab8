"""The calls to the service's Prefect server: what is created there, and what is read. Each carries the auth string."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas import filters
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, Log, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort, LogSort
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from deployments.home import POOL, Home, Service
from forecasting.contracts.errors import RunError
from forecasting.storage.code_version import package_fingerprint

HERE = Path(__file__).parent
# A run in one of these states has a process, or is about to get one.
UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED]
WEEKLY = "weekly-forecast/weekly"
DEPLOYMENTS = [WEEKLY, "backfill/backfill", "backtest/backtest", "train/train", "notify/notify"]


class Api:
    """The server of one service."""

    def __init__(self, client: SyncPrefectClient, service: Service) -> None:
        self.client = client
        self.service = service
        self._task_runs: dict[UUID, str] = {}

    def flow_run_url(self, flow_run_id: UUID) -> str:
        return f"{self.service.url}/runs/flow-run/{flow_run_id}"

    def deployments(self) -> list[DeploymentResponse]:
        return self.client.read_deployments()

    def deployment(self, name: str) -> DeploymentResponse | None:
        try:
            return self.client.read_deployment_by_name(name)
        except ObjectNotFound:
            return None

    def require_weekly(self) -> DeploymentResponse:
        """Return the weekly deployment.

        Raises:
            RunError: the server does not have it.
        """
        if found := self.deployment(WEEKLY):
            return found
        raise RunError(f"The server at {self.service.url} has no deployment {WEEKLY}", "create it with `oj up`")

    def runs_under_way(self) -> list[FlowRun]:
        """Return the runs of the work pool that have a process, or are about to get one."""
        return self._runs(filters.FlowRunFilterStateType(any_=UNDER_WAY))

    def scheduled(self, deployment: DeploymentResponse) -> list[datetime]:
        """Return the times of its scheduled runs, in the time zone of its schedule, soonest first."""
        zones = [getattr(each.schedule, "timezone", None) for each in deployment.schedules]
        zone = ZoneInfo(next((name for name in zones if name), "UTC"))
        runs = self._runs(filters.FlowRunFilterStateType(any_=[StateType.SCHEDULED]), deployment.id)
        moments = sorted(run.expected_start_time for run in runs if run.expected_start_time and run.auto_scheduled)
        return [moment.astimezone(zone) for moment in moments]

    def is_worker_online(self) -> bool:
        workers = self.client.read_workers_for_work_pool(POOL)
        return any(worker.status == "ONLINE" for worker in workers)

    def is_pool_paused(self) -> bool:
        return bool(self.client.read_work_pool(POOL).is_paused)

    def pause_pool(self, paused: bool) -> None:
        """Pause or resume the work pool: a paused one starts no runs."""
        self.client.request("PATCH", "/work_pools/{name}", path_params={"name": POOL}, json={"is_paused": paused})

    def state_of(self, flow_run_id: UUID) -> State[Any]:
        return self.client.read_flow_run(flow_run_id).state or State(type=StateType.PENDING)

    def task_run_name(self, task_run_id: UUID) -> str:
        """Return the name of a task run; empty until the server has it."""
        if task_run_id not in self._task_runs:
            found = self.client.request(
                "POST", "/task_runs/filter", json={"task_runs": {"id": {"any_": [str(task_run_id)]}}}
            ).json()
            self._task_runs[task_run_id] = found[0]["name"] if found else ""
        return self._task_runs[task_run_id]

    def logs(self, flow_run_id: UUID, offset: int) -> list[Log]:
        """Return the log lines of a run, oldest first, from line `offset` on."""
        of_run = filters.LogFilter(flow_run_id=filters.LogFilterFlowRunId(any_=[flow_run_id]))
        return self.client.read_logs(of_run, offset=offset, sort=LogSort.TIMESTAMP_ASC)

    def create_pool(self) -> None:
        """Create the work pool, which deployments refer to; one that exists and is paused is resumed."""
        try:
            self.client.read_work_pool(POOL)
        except ObjectNotFound:
            self.client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        self.pause_pool(False)

    def create_automations(self) -> None:
        """Create the automations of automations.yaml, or update those of the same name."""
        content: dict[str, Any] = yaml.safe_load((HERE / "automations.yaml").read_text(encoding="utf-8"))
        for wanted in content["automations"]:
            automation = AutomationCore.model_validate(wanted)
            found = self.client.read_automations_by_name(automation.name)
            if found:
                self.client.update_automation(found[0].id, automation)
            else:
                self.client.create_automation(automation)

    def emit(self, event: dict[str, Any]) -> None:
        """Send an event to the server; return once it has stored it."""
        self.client.request("POST", "/events", json=[event])

    def _runs(self, states: filters.FlowRunFilterStateType, deployment_id: UUID | None = None) -> list[FlowRun]:
        of_deployment = filters.FlowRunFilterDeploymentId(any_=[deployment_id]) if deployment_id else None
        return self.client.read_flow_runs(
            work_pool_filter=filters.WorkPoolFilter(name=filters.WorkPoolFilterName(any_=[POOL])),
            flow_run_filter=filters.FlowRunFilter(
                state=filters.FlowRunFilterState(type=states), deployment_id=of_deployment
            ),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        )


@contextmanager
def service_api(home: Home) -> Iterator[Api]:
    """Connect to the server of the service in `home`.

    Raises:
        RunError: there is no service, it does not answer, or it refuses our auth string.
    """
    service = home.service()
    if service is None:
        raise RunError(f"No service is installed in {home.root}", "start one with `oj up`")
    if not service.answers():
        raise RunError(f"No Prefect server answers at {service.url}", "start it with `oj up`, or ask `oj doctor`")
    try:
        with SyncPrefectClient(f"{service.url}/api", auth_string=home.auth()) as client:
            yield Api(client, service)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.UNAUTHORIZED:
            raise
        raise RunError(
            f"The server at {service.url} refuses our auth string", "another service has that port: `oj up --port …`"
        ) from error
    except httpx.TransportError as error:
        raise RunError(
            f"The server at {service.url} has stopped answering ({type(error).__name__})", "ask `oj doctor`"
        ) from error


def code_version() -> str:
    """Return the version of a deployment: the package's, and the fingerprint of its code."""
    return f"{version('orange-juice-forecasting')}+{package_fingerprint()}"


def deploy(home: Home) -> None:
    """Create or update the deployments with `prefect deploy`.

    Raises:
        RunError: it failed; the error names its log.
    """
    log = home.log("deploy")
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "prefect.yaml"]
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(  # noqa: S603 - our own interpreter and file
            command,
            cwd=HERE,
            env=home.environment("client") | {"OJ_VERSION": code_version()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise RunError("The deployments of prefect.yaml could not be created", f"see {log}")
