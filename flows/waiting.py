"""Waiting until the deadline of a week for stores that have not reported.

Under a deployment the run is suspended, and no process waits. It resumes when a person accepts the gaps in the form
of the Prefect UI. A run of the same week that starts because the last store has reported, or the deadline has come,
takes over from it. Without a deployment the process itself waits.
"""

import logging
import time
from datetime import date
from itertools import count
from uuid import UUID

from prefect import get_client, runtime
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterId,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments import run_deployment
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.states import Completed
from pydantic import Field

from flows.notify import send
from flows.options import WeeklyOptions
from flows.prefect_page import name_of_run
from flows.prefect_tasks import call_api
from forecasting.best_effort import best_effort
from forecasting.clock import now
from forecasting.contracts.errors import WeekWaiting
from forecasting.contracts.spec import GateSpec
from forecasting.core.completeness import WeekStatus
from forecasting.pipeline import ingest
from forecasting.presentation.notifications import week_waiting
from forecasting.presentation.terminal.run import say_waiting
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 2.0
# A suspended run is resumed or taken over at the deadline; Prefect fails it where neither happens.
GRACE = 24 * 3600


class GapsAccepted(RunInput):
    """The form by which a person lets a waiting week go on."""

    reason: str = Field(default="", title="Go on without the missing stores, because")
    by: str = Field(default="", title="Your name")


def await_stores(lake: Lake, week: date, options: WeeklyOptions) -> None:
    """Return once the week is whole, its gaps are accepted, or its deadline has passed.

    What is missing is logged and printed before the wait begins, and people are notified of it once.
    """
    spec = options.gate_spec(lake, week)
    if not (waiting := _still_waiting(lake, week, spec)):
        return
    logger.info("%s", waiting)
    say_waiting(waiting)
    send(lake, week_waiting(week, waiting.missing, waiting.deadline, lake.reference.definition))
    if runtime.deployment.id and not runtime.flow_run.parent_flow_run_id:
        with best_effort("The run could not be suspended in Prefect, and waits in its process"):
            _suspend(lake, week, spec)
    seen = _fingerprint(lake, week)
    while _still_waiting(lake, week, spec):
        while now() < spec.deadline and _fingerprint(lake, week) == seen:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        seen = _fingerprint(lake, week)


def _still_waiting(lake: Lake, week: date, spec: GateSpec) -> WeekWaiting | None:
    if now() >= spec.deadline:
        return None
    report = ingest.look(lake, week, spec, now())
    if report.status is not WeekStatus.WAITING:
        return None
    return WeekWaiting(week, report.gaps(lake.reference.definition), spec.deadline)


def _fingerprint(lake: Lake, week: date) -> object:
    return lake.acceptances.read(week), [(file.name, file.stamp) for file in lake.waiting()]


def _suspend(lake: Lake, week: date, spec: GateSpec) -> None:
    """Leave this process; in a run that was resumed, take the answers that were given instead."""
    for number in count(1):
        answer = _ask(week, spec, number)
        if answer.reason.strip():
            by = answer.by.strip() or "someone in the Prefect UI"
            ingest.accept(lake, week, answer.reason.strip(), by, now())
        if not _still_waiting(lake, week, spec):
            return


def _ask(week: date, spec: GateSpec, number: int) -> GapsAccepted:
    """Suspend the run until its form is filled in; return the answer in a run that was resumed."""
    run_deployment(
        runtime.deployment.id,
        flow_run_name=f"{name_of_run(week)}, at its deadline",
        parameters={**runtime.flow_run.parameters, "cutoff": week.isoformat()},
        scheduled_time=spec.deadline,
        idempotency_key=f"{week} at {spec.deadline.isoformat()}",
        timeout=0,
        as_subflow=False,
    )
    seconds = (spec.deadline - now()).total_seconds() + GRACE
    answer: GapsAccepted = suspend_flow_run(
        wait_for_input=GapsAccepted, timeout=max(int(seconds), 1), key=f"{week}-{number}"
    )
    return answer


def take_over(week: date) -> None:
    """End the runs that wait for the week that this run goes on with: suspended ones, and the one at its deadline."""
    if not runtime.deployment.id:
        return
    same_week = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[UUID(runtime.deployment.id)]),
        name=FlowRunFilterName(like_=name_of_run(week)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED, StateType.SCHEDULED])),
        id=FlowRunFilterId(not_any_=[UUID(runtime.flow_run.id)]),
    )

    def end_them() -> None:
        with get_client(sync_client=True) as client:
            for waiting in client.read_flow_runs(flow_run_filter=same_week):
                message = "Another run went on with this week."
                client.set_flow_run_state(waiting.id, Completed(name="TakenOver", message=message), force=True)

    # Where this fails, they will find the week published, and change nothing.
    call_api(end_them)
