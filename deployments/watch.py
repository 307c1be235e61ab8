"""The watcher: looks at the inbox when a file lands in it, and once a minute, and sends events to the server.

It only reads the lake. The events that it has sent are stored in the home, so that a restart does not repeat them;
an event that the server did not take is sent again at the next look.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from watchfiles import watch as watch_files

from deployments.event_rules import Event, WeekState, due_events, with_event
from deployments.home import Home
from flows.options import WeeklyOptions
from forecasting.clock import now
from forecasting.contracts.errors import ForecastingError, OptionError
from forecasting.contracts.spec import GateSpec
from forecasting.core.completeness import CompletenessReport
from forecasting.core.schedule import awaited_week, closes_at, is_overdue, last_closed
from forecasting.pipeline import ingest as intake
from forecasting.storage.lake import Lake

# Network file systems report no changes, and a deadline that passes changes no file.
SECONDS_BETWEEN_LOOKS = 60
# The parameters of the weekly deployment that set the deadline.
DEADLINE_PARAMETERS = ("deadline_hours", "deadline")
NEVER = datetime.max.replace(tzinfo=UTC)

Look = Callable[[Lake, date], CompletenessReport]
Send = Callable[[Event], None]
Deadlines = Callable[[date], datetime]


def look(lake: Lake, week: date) -> CompletenessReport:
    """Return the completeness of a week while stores may still report; nothing is changed."""
    return intake.look(lake, week, GateSpec(NEVER), now())


class Watcher:
    """Looks at one lake, and stores which events it has sent.

    Args:
        send: hands an event to the server, or raises.
        read_deadlines: returns a function that gives the deadline of a week; called at every look, as the
            deployment may change.
    """

    def __init__(
        self, home: Home, lake: Lake, send: Send, read_deadlines: Callable[[], Deadlines], look: Look = look
    ) -> None:
        self._home = home
        self._lake = lake
        self._send = send
        self._read_deadlines = read_deadlines
        self._look = look
        self._reports: dict[date, tuple[object, CompletenessReport]] = {}

    def send_events(self, moment: datetime) -> list[Event]:
        """Send the events that have not been sent yet.

        Returns:
            Those that the server has taken.
        """
        taken = []
        key = str(self._lake.root)
        memory = self._home.sent_events()
        for event in due_events(self.survey(moment), memory.get(key, {})):
            self._send(event)
            memory[key] = with_event(memory.get(key, {}), event)
            self._home.write_sent_events(memory)
            taken.append(event)
        return taken

    def survey(self, moment: datetime) -> list[WeekState]:
        """Return the state of every week with files in the inbox, and of the week that stores report now."""
        lake = self._lake
        files: dict[date, list[str]] = {}
        for file in lake.waiting():
            if file.week:
                files.setdefault(file.week, []).append(f"{file.name} {file.stamp}")
        published = set(lake.forecasts.cutoffs())
        closed = last_closed(moment, lake.reference.time_zone, lake.reference.week_starts_on)
        if awaited := awaited_week(published=published, collected=lake.sales.weeks(), closed=closed):
            files.setdefault(awaited, [])
        deadline_of = self._read_deadlines()
        return [
            self._status(week, tuple(names), week in published, is_overdue(deadline_of(week), moment), moment)
            for week, names in sorted(files.items())
        ]

    def _status(
        self, week: date, files: tuple[str, ...], is_published: bool, is_due: bool, moment: datetime
    ) -> WeekState:
        completeness = None if is_published else self._report(week, files)
        return WeekState(
            week,
            is_over=moment >= closes_at(week, self._lake.reference.time_zone),
            is_whole=bool(completeness and completeness.status == "whole"),
            is_published=is_published,
            is_due=is_due,
            accepted=completeness.accepted.why if completeness and completeness.accepted else None,
            gaps=completeness.gaps(self._lake.reference.definition) if completeness else (),
            files=files,
        )

    def _report(self, week: date, files: tuple[str, ...]) -> CompletenessReport:
        """Return the week's completeness; it is computed again only if its files or the lake's weeks have changed."""
        state = (files, self._lake.sales.weeks(), self._lake.acceptances.read(week))
        cached = self._reports.get(week)
        if cached is None or cached[0] != state:
            self._reports[week] = cached = (state, self._look(self._lake, week))
        return cached[1]


def deadlines(lake: Lake, parameters: Mapping[str, Any]) -> Deadlines:
    """Return the deadlines of weeks by a deployment's parameters, with the flow's defaults where it has none.

    Raises:
        OptionError: a parameter is not a number of hours, or not a time.
    """
    given = {name: parameters[name] for name in DEADLINE_PARAMETERS if name in parameters}
    try:
        options = TypeAdapter(WeeklyOptions).validate_python({**given, "lake": str(lake.root)})
    except ValidationError as error:
        [first, *_] = error.errors()
        name, problem = first["loc"][0], first["msg"]
        raise OptionError(
            f"{name}={given[str(name)]}",
            f"of the weekly deployment cannot be used ({problem})",
            "correct it on the deployment's page in the UI, or by `oj up`",
        ) from error
    return lambda week: options.gate_spec(lake, week).deadline


def deployed_deadlines(home: Home, lake: Lake) -> Deadlines:
    """Return the deadlines of weeks as the weekly deployment has them now.

    Raises:
        RunError: there is no server, it does not answer, or it does not know the deployment.
        OptionError: a parameter of the deployment cannot be used.
    """
    # Imported here, because Prefect takes seconds to import, which `oj --help` need not wait for.
    from deployments.api import service_api

    with service_api(home) as api:
        return deadlines(lake, api.require_weekly().parameters)


def watch(home: Home, lake: Lake, say: Callable[[str], None]) -> None:
    """Watch the inbox until the process is stopped."""
    lake.prepare()
    watcher = Watcher(home, lake, lambda event: send(home, event, lake), lambda: deployed_deadlines(home, lake))
    say(f"Watching {lake.inbox}")
    timeout = SECONDS_BETWEEN_LOOKS * 1000
    _look_once(watcher, say)
    folders = [folder.path for folder in (lake.inbox, lake.acceptances.folder) if folder.path]
    if not folders:
        while True:  # a bucket tells nobody what has come
            time.sleep(SECONDS_BETWEEN_LOOKS)
            _look_once(watcher, say)
    for _ in watch_files(*folders, recursive=False, rust_timeout=timeout, yield_on_timeout=True):
        _look_once(watcher, say)


def _look_once(watcher: Watcher, say: Callable[[str], None]) -> None:
    try:
        for event in watcher.send_events(now()):
            say(f"{now():%Y-%m-%d %H:%M:%S} sent {event.name}, week of {event.week}: {event.reason}")
    except ForecastingError as error:
        say(f"{now():%Y-%m-%d %H:%M:%S} {error} The next try is in a minute.")


def send(home: Home, event: Event, lake: Lake) -> None:
    """Send an event to the server; return once it has stored it.

    Raises:
        RunError: there is no server, or it does not answer.
    """
    from prefect.events.schemas.events import Event as PrefectEvent
    from prefect.events.schemas.events import Resource

    from deployments.api import service_api

    resource = Resource({"prefect.resource.id": event.resource, "prefect.resource.name": f"week of {event.week}"})
    content = PrefectEvent(event=event.name, resource=resource, payload=event.payload(str(lake.root)), occurred=now())
    with service_api(home) as api:
        api.emit(content.model_dump(mode="json"))
