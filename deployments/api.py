"""What is asked of the service's Prefect server: health, deployments, runs. Every call carries the auth string."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas import filters
from prefect.client.schemas.objects import FlowRun, Log, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort, LogSort
from prefect.exceptions import ObjectNotFound

from deployments.health import answers
from deployments.home import POOL, Home, Service
from forecasting.contracts.errors import RunError

# A run in one of these states has a process, or is about to have one.
UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED]
WEEKLY = "weekly-forecast/weekly"


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
        """The weekly deployment.

        Raises:
            RunError: the server does not know it.
        """
        if found := self.deployment(WEEKLY):
            return found
        raise RunError(f"The server at {self.service.url} has no deployment {WEEKLY}", "create it with `oj up`")

    def runs_under_way(self) -> list[FlowRun]:
        """The runs of our pool that have a process, or are about to have one."""
        return self._runs(filters.FlowRunFilterStateType(any_=UNDER_WAY))

    def scheduled(self, deployment: DeploymentResponse) -> list[datetime]:
        """When it is going to run, by the clocks of its schedule, as far as runs are laid out; soonest first."""
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
        """Let the worker take up no more runs, or take them up again."""
        self.client.request("PATCH", "/work_pools/{name}", path_params={"name": POOL}, json={"is_paused": paused})

    def state_of(self, flow_run_id: UUID) -> State[Any]:
        return self.client.read_flow_run(flow_run_id).state or State(type=StateType.PENDING)

    def task_run_name(self, task_run_id: UUID) -> str:
        """The name of a stage's run; empty until the server knows it."""
        if task_run_id not in self._task_runs:
            found = self.client.request(
                "POST", "/task_runs/filter", json={"task_runs": {"id": {"any_": [str(task_run_id)]}}}
            ).json()
            self._task_runs[task_run_id] = found[0]["name"] if found else ""
        return self._task_runs[task_run_id]

    def logs(self, flow_run_id: UUID, offset: int) -> list[Log]:
        """The log lines of a run, oldest first, from the line `offset` on."""
        of_run = filters.LogFilter(flow_run_id=filters.LogFilterFlowRunId(any_=[flow_run_id]))
        return self.client.read_logs(of_run, offset=offset, sort=LogSort.TIMESTAMP_ASC)

    def emit(self, event: dict[str, Any]) -> None:
        """Hand an event to the server; returns once it has it."""
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
    """The server of the service that `home` describes.

    Raises:
        RunError: there is no service, it does not answer, or it refuses our auth string.
    """
    service = home.service()
    if service is None:
        raise RunError(f"No service is installed in {home.root}", "bring one up with `oj up`")
    if not answers(service):
        raise RunError(f"No Prefect server answers at {service.url}", "bring it up with `oj up`, or ask `oj doctor`")
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
            f"The server at {service.url} answers no more ({type(error).__name__})", "see what `oj doctor` says"
        ) from error
