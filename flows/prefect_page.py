"""What a run shows in Prefect: its name, log lines, artifacts and events. The texts come from the presentation room.

The artifacts are posted as the run goes, so that a run that fails has those of its finished stages.
"""

import inspect
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import wraps
from itertools import groupby
from typing import ParamSpec, TypeVar, cast
from uuid import UUID

from prefect import runtime
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.states import Failed
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows.observers import RunObserver, ended_well
from flows.prefect_tasks import call_api
from forecasting.best_effort import best_effort
from forecasting.contracts.errors import ForecastingError, StorageError
from forecasting.contracts.run_record import RunRecord, adapter
from forecasting.core.drift import Alarm
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.presentation.artifacts import Artifact, failure_artifact, run_artifacts, stage_artifacts
from forecasting.presentation.view import log_lines, run_view
from forecasting.storage.lake import Lake

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

DRIFTED = "oj.model.drifted"
SECONDS_BETWEEN_UPDATES = 1.0


class PrefectPage(RunObserver):
    """Posts what the stages did on the run's page, and emits an event for each week of new alarms."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def stage_finished(self, result: object, record: RunRecord) -> None:
        if isinstance(result, MonitoringResult):
            self._emit(result)
        for level, line in log_lines(result, record):
            logger.log(level, "%s", line)
        for artifact in stage_artifacts(result, record):
            post(artifact)

    def run_finished(self, record: RunRecord) -> None:
        if ended_well(record):
            for artifact in run_artifacts(run_view(self._lake, record)):
                post(artifact)

    def _emit(self, result: MonitoringResult) -> None:
        """Emit the event that automations may follow."""
        resource = {"prefect.resource.id": f"oj.model.{result.model}", "prefect.resource.name": result.model}
        for week, of_week in groupby(result.alarms, key=lambda alarm: alarm.week):
            if week in result.new_alarm_weeks:
                alarms = [adapter(Alarm).dump_python(alarm, mode="json") for alarm in of_week]
                payload = {"week": str(week), "lake": str(self._lake.root), "alarms": alarms}
                call_api(emit_event, event=DRIFTED, resource=resource, payload=payload)


def post(artifact: Artifact) -> None:
    """Show an artifact on the page of the run that is under way."""
    call_api(create_markdown_artifact, artifact.markdown, key=artifact.key, description=artifact.description)


def name_of_run(week: date | str) -> str:
    """Return the name of a run of this week in the Prefect UI."""
    return f"week of {week}"


def name_run(week: date) -> None:
    """Name the flow run after its week, also where the run chose the week itself."""
    logger.info("The last week that counts is that of %s: the weeks after it are forecast.", week)
    if run := runtime.flow_run.id:
        call_api(_rename, UUID(run), name_of_run(week))


def _rename(run: UUID, name: str) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_name(run, name)


def explain_failure(run: Callable[P, R]) -> Callable[P, R]:
    """Let a flow that fails post an artifact that says what to do; an error of ours is the message of its state.

    The flow's caller gets the error all the same: Prefect raises what a `Failed` state carries.
    """

    @wraps(run)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return run(*args, **kwargs)
        except Exception as raised:
            error = StorageError.of(raised) or raised
            with best_effort("The error could not be explained on the run's page"):
                post(failure_artifact(error))
            if isinstance(error, ForecastingError):
                return cast(R, Failed(message=str(error), data=error))
            raise

    return call


def with_progress(function: Callable[..., R], of: str) -> Callable[..., R]:
    """Give a stage that takes `on_progress` a progress bar.

    Args:
        of: what is counted.
    """

    @wraps(function)
    def call(*args: object, **kwargs: object) -> R:
        with show_progress(of) as on_progress:
            return function(*args, on_progress=on_progress, **kwargs)

    signature = inspect.signature(function)
    kept = [parameter for name, parameter in signature.parameters.items() if name != "on_progress"]
    call.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return call


@contextmanager
def show_progress(of: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that moves a bar in the terminal and the progress artifact of the run."""
    columns = (TextColumn("forecasting"), BarColumn(), MofNCompleteColumn(), TextColumn(of), TimeElapsedColumn())
    bar = Progress(*columns, transient=True)
    task = bar.add_task(of, total=None)
    artifact = _ProgressArtifact(of)
    with ExitStack() as shown:

        def update(done: int, total: int) -> None:
            if not bar.live.is_started:  # where there is nothing to count, there is no bar
                shown.enter_context(bar)
            bar.update(task, completed=done, total=total)
            artifact.update(100 * done / total, is_last=done == total)

        yield update


class _ProgressArtifact:
    """The progress artifact of the task that is under way, updated once a second at most."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._id: UUID | None = None
        self._updated = 0.0

    def update(self, percent: float, *, is_last: bool) -> None:
        if self._id and not is_last and time.monotonic() - self._updated < SECONDS_BETWEEN_UPDATES:
            return
        self._updated = time.monotonic()
        if self._id is None:
            description = f"{self._of.capitalize()} forecast"
            created = call_api(create_progress_artifact, percent, key=self._of, description=description)
            self._id = cast(UUID | None, created)  # a coroutine only where the caller is async
        else:
            call_api(update_progress_artifact, self._id, percent)
