"""Start a run of the weekly deployment, and follow it to its end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from uuid import UUID

import typer
from pydantic import TypeAdapter

from deployments.home import Home
from flows.options import OPTIONS, WeeklyOptions
from flows.settings import absolute_lake_root
from forecasting.contracts.spec import Option

if TYPE_CHECKING:
    from deployments.api import Api

SECONDS_BETWEEN_LOOKS = 1.0
# A worker that is online starts a run within ten seconds.
PATIENCE = 30.0
LOOKS_FOR_LAST_LINES = 3

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class TriggerOptions(WeeklyOptions):
    """The options of a weekly run; those that are not given are the deployment's."""

    panel: ClassVar[str] = OPTIONS

    watch: Annotated[
        bool, Option("Follow the run to its end; the exit code says whether it succeeded.", flag="--watch")
    ] = False
    context: typer.Context

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters that the command line names, as JSON.

        A value that equals the flow's default counts: it overrides the deployment's own.
        """
        given = {
            each.name: getattr(self, each.name)
            for each in fields(WeeklyOptions)
            if _is_from_command_line(self.context, each.name)
        }
        if "lake" in given:
            given["lake"] = absolute_lake_root(self.lake)
        return TypeAdapter(dict[str, Any]).dump_python(given, mode="json")


def _is_from_command_line(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def trigger(home: Home, options: TriggerOptions, say: Say) -> bool:
    """Start a run of the weekly deployment.

    Returns:
        Whether it has completed, or waits for stores; without `watch`, whether it was started.

    Raises:
        RunError: the server does not answer, or does not know the deployment.
    """
    from deployments.api import service_api

    with service_api(home) as api:
        deployment = api.require_weekly()
        run = api.client.create_flow_run_from_deployment(
            deployment.id, parameters=options.parameters, tags=["by-hand"], name="by hand"
        )
        say(api.flow_run_url(run.id))
        if not api.is_worker_online():
            say("No worker is online, so the run waits: ask `oj doctor`.")
        return _follow(api, run.id, say) if options.watch else True


def _follow(api: "Api", run_id: UUID, say: Say) -> bool:
    """Show the run's states and logs until it ends or waits; return whether it completed or waits."""
    shown, seen, patience, silent_looks = "", 0, time.monotonic() + PATIENCE, 0
    while True:
        state = api.state_of(run_id)
        lines = api.logs(run_id, offset=seen)
        seen += len(lines)
        silent_looks = 0 if lines else silent_looks + 1
        for line in lines:
            stage = f"{api.task_run_name(line.task_run_id)}: " if line.task_run_id else ""
            say(f"{line.timestamp.astimezone():%H:%M:%S}  {stage}{line.message.strip()}")
        if state.name and state.name != shown:
            shown = state.name
            say(f"{state.timestamp.astimezone():%H:%M:%S}  {shown}" + (f": {state.message}" if state.message else ""))
        # A process that ends sends its last lines after its state.
        is_notified = silent_looks > LOOKS_FOR_LAST_LINES
        if state.is_final() and is_notified:
            break
        if state.is_paused() and is_notified:
            say("The run goes on at the deadline at the latest; or accept the gaps on its page.")
            return True
        if state.is_scheduled() and time.monotonic() > patience:
            patience = float("inf")
            say("No worker has started the run yet: ask `oj doctor`.")
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if state.is_cancelled() and "concurrency limit" in (state.message or ""):
        say("Another run of the deployment is under way, and one runs at a time: try again later.")
    return state.is_completed()
