"""The watcher: looks when a file lands in the inbox, and once a minute; tells the server what has happened.

It reads the lake and changes nothing in it. What it has told is kept in the home, so that a restart does not
repeat it; what the server did not take is told again at the next look.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from watchfiles import watch as watch_files

from deployments.event_rules import Event, Seen, events_due, remember
from deployments.home import Home
from flows.options import WeeklyOptions
from forecasting.clock import now
from forecasting.contracts.errors import ForecastingError, OptionError
from forecasting.contracts.spec import GateSpec
from forecasting.core.completeness import CompletenessReport
from forecasting.core.schedule import awaited_week, closes_at, is_overdue, last_closed
from forecasting.pipeline import ingest as intake
from forecasting.storage.lake import Lake

# Also where the file system tells of no changes, as a network's does not; and deadlines pass silently.
SECONDS_BETWEEN_LOOKS = 60
# The parameters of the weekly deployment that say until when stores are waited for.
DEADLINE_PARAMETERS = ("deadline_hours", "deadline")
NEVER = datetime.max.replace(tzinfo=UTC)

Look = Callable[[Lake, date], CompletenessReport]
Tell = Callable[[Event], None]
Deadlines = Callable[[date], datetime]


def look(lake: Lake, week: date) -> CompletenessReport:
    """A week as it stands, and what the gate says of it while stores may still report; nothing is changed."""
    return intake.look(lake, week, GateSpec(NEVER), now())


class Watcher:
    """Looks at one lake, and remembers what it saw and told.

    Args:
        read_deadlines: gives the deadline of each week; asked at every look, as the deployment may change.
    """

    def __init__(
        self, home: Home, lake: Lake, tell: Tell, read_deadlines: Callable[[], Deadlines], look: Look = look
    ) -> None:
        self._home = home
        self._lake = lake
        self._tell = tell
        self._read_deadlines = read_deadlines
        self._look = look
        self._ledgers: dict[date, tuple[object, CompletenessReport]] = {}

    def tell_news(self, moment: datetime) -> list[Event]:
        """Tell what has happened since it was told last.

        Returns:
            What the server has taken.
        """
        taken = []
        key = str(self._lake.root)
        memory = self._home.told()
        for event in events_due(self.survey(moment), memory.get(key, {})):
            self._tell(event)
            memory[key] = remember(memory.get(key, {}), event)
            self._home.write_told(memory)
            taken.append(event)
        return taken

    def survey(self, moment: datetime) -> list[Seen]:
        """Every week of which a file is in the inbox, and the one that stores are reporting now, as they stand."""
        lake = self._lake
        files: dict[date, list[str]] = {}
        for file in lake.archive.waiting(lake.reference.week_starts_on):
            if file.week:
                files.setdefault(file.week, []).append(f"{file.name} {file.stamp}")
        published = set(lake.forecasts.cutoffs())
        closed = last_closed(moment, lake.reference.time_zone, lake.reference.week_starts_on)
        if awaited := awaited_week(published=published, collected=lake.sales.weeks(), closed=closed):
            files.setdefault(awaited, [])
        deadline_of = self._read_deadlines()
        return [
            self._seen(week, tuple(names), week in published, is_overdue(deadline_of(week), moment), moment)
            for week, names in sorted(files.items())
        ]

    def _seen(self, week: date, files: tuple[str, ...], is_published: bool, is_due: bool, moment: datetime) -> Seen:
        completeness = None if is_published else self._ledger(week, files)
        return Seen(
            week,
            is_over=moment >= closes_at(week, self._lake.reference.time_zone),
            is_whole=bool(completeness and completeness.status == "whole"),
            is_published=is_published,
            is_due=is_due,
            accepted=completeness.accepted.why if completeness and completeness.accepted else None,
            gaps=completeness.gaps if completeness else (),
            files=files,
        )

    def _ledger(self, week: date, files: tuple[str, ...]) -> CompletenessReport:
        """The week's ledger; looked at anew only where its files or the lake's weeks have changed."""
        state = (files, self._lake.sales.weeks(), self._lake.acceptances.read(week))
        known = self._ledgers.get(week)
        if known is None or known[0] != state:
            self._ledgers[week] = known = (state, self._look(self._lake, week))
        return known[1]


def deadlines(lake: Lake, parameters: Mapping[str, Any]) -> Deadlines:
    """Return the deadlines of weeks by a deployment's parameters, with the flow's defaults where it has none.

    Raises:
        OptionError: a parameter is no number of hours or no moment.
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
    # Prefect takes seconds to import, and `oj --help` need not wait for it.
    from deployments.api import service_api

    with service_api(home) as api:
        return deadlines(lake, api.require_weekly().parameters)


def watch(home: Home, lake: Lake, say: Callable[[str], None]) -> None:
    """Watch the inbox until the process is ended."""
    lake.prepare()
    watcher = Watcher(home, lake, lambda event: send(home, event, lake), lambda: deployed_deadlines(home, lake))
    say(f"Watching {lake.inbox}")
    timeout = SECONDS_BETWEEN_LOOKS * 1000
    _look_once(watcher, say)
    for _ in watch_files(
        lake.inbox, lake.acceptances.folder, recursive=False, rust_timeout=timeout, yield_on_timeout=True
    ):
        _look_once(watcher, say)


def _look_once(watcher: Watcher, say: Callable[[str], None]) -> None:
    try:
        for event in watcher.tell_news(now()):
            say(f"{now():%Y-%m-%d %H:%M:%S} told {event.name}, week of {event.week}: {event.reason}")
    except ForecastingError as error:
        say(f"{now():%Y-%m-%d %H:%M:%S} {error} It is tried again in a minute.")


def send(home: Home, event: Event, lake: Lake) -> None:
    """Hand an event to the server; returns once it has it.

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
