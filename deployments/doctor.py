"""Checks of the lake, the processes and the service, each with a remedy. Reads only; needs no service."""

import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import psutil

from deployments.home import PROGRAMS, Home, Service
from deployments.supervision import Supervisor, processes_of
from forecasting.clock import now
from forecasting.compute.scratch_cleanup import left_folders
from forecasting.contracts.errors import ForecastingError
from forecasting.storage.lake import Lake
from forecasting.storage.leases import held_leases

if TYPE_CHECKING:
    from deployments.api import Api

LEAST_FREE_BYTES = 1_000_000_000
# A run takes seconds to minutes; one that waits for stores in its process may take a day.
LONGEST_HOLD = timedelta(days=1)
SECONDS_TO_END = 60  # a Dask worker whose parent was killed ends by itself within this time
SPAWNED = "multiprocessing.spawn"  # in the command line of every worker process of a cluster


@dataclass(frozen=True)
class Finding:
    """The result of one check; `remedy` is empty where all is fine."""

    what: str
    remedy: str = ""

    @property
    def is_fine(self) -> bool:
        return not self.remedy


def examine(home: Home, lake: Lake) -> list[Finding]:
    """Check the lake, the processes and the service."""
    moment = now()
    findings = [*_lake(lake), *_locks(lake, moment), *_left_over(home, lake)]
    service = home.service()
    if service is None:
        return [*findings, Finding(f"no service is installed in {home.root} (`oj up` brings one up)")]
    return [
        *findings,
        *_secrets(home),
        *_programs(home, service),
        *_server(home, service),
        *_weeks(home, service, lake, moment),
    ]


def _lake(lake: Lake) -> Iterator[Finding]:
    if not lake.exists():
        yield Finding(f"there is no lake at {lake.root}", "name it with --lake, or fill one with `oj simulate`")
        return
    root = lake.root.path
    if not root:
        lake.prepare()
        yield Finding(f"the lake {lake.root} can be written")
        return
    for folder in [root, *sorted(path for path in root.iterdir() if path.is_dir())]:
        if not os.access(folder, os.W_OK | os.X_OK):
            yield Finding(f"{folder} cannot be written", "give write permission to the user that runs the forecast")
            return
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE_BYTES:
        yield Finding(f"only {free / 1e9:.1f} GB are free at {lake.root}", "make room, or move the lake")
    else:
        yield Finding(f"the lake {lake.root} can be written, {free / 1e9:,.0f} GB are free")


def _locks(lake: Lake, moment: datetime) -> Iterator[Finding]:
    for name, holder in held_leases(lake.root / "locks").items():
        is_old = moment.timestamp() - holder.since > LONGEST_HOLD.total_seconds()
        remedy = f"see what it waits for; `kill {holder.pid}` on {holder.host} frees it" if is_old else ""
        yield Finding(f"the lock {name} is held by {holder}", remedy)


def _left_over(home: Home, lake: Lake) -> Iterator[Finding]:
    """Find what a run or a service that was killed has left behind."""
    orphans = processes_of(home, but_supervised=True)
    orphans += [process for process in _orphaned_workers() if process not in orphans]
    if orphans:
        pids = " ".join(str(process.pid) for process in orphans)
        yield Finding(f"a run or service that was killed has left processes: {pids}", f"kill {pids}")
    folders = left_folders(lake.scratch_path)
    if folders:
        names = " ".join(str(path) for path in folders)
        yield Finding(f"runs that were killed have left {len(folders)} scratch folders", f"rm -r {names}")
    if not orphans and not folders:
        yield Finding("earlier runs have left nothing behind")


def _orphaned_workers() -> list[psutil.Process]:
    """Return Dask workers of this installation whose parent has died and that have not ended by themselves."""
    found, old = [], time.time() - SECONDS_TO_END
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = process.cmdline()
            is_ours = bool(command) and command[0] == sys.executable and SPAWNED in " ".join(command)
            if is_ours and process.ppid() == 1 and process.create_time() < old:
                found.append(process)
    return found


def _secrets(home: Home) -> Iterator[Finding]:
    opened = [
        path
        for path in [home.root, *home.root.iterdir()]
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) or path.stat().st_uid != os.getuid()
    ]
    if opened:
        names = " ".join(str(path) for path in opened)
        yield Finding(f"others may read {names}", f"chmod go= {names} (and chown them to the service's user)")
    else:
        yield Finding(f"{home.root} and its secrets are for their owner only")


def _programs(home: Home, service: Service) -> Iterator[Finding]:
    supervisor = Supervisor(home)
    if supervisor.is_running:
        states = supervisor.states()
        for name in PROGRAMS:
            if states[name]["statename"] != "RUNNING":
                yield Finding(
                    f"the {name} is {states[name]['statename'].lower()}", f"see {home.log(name)}, then `oj up`"
                )
    elif not service.answers():
        yield Finding("the service is down: no run starts by itself", "oj up")


def _server(home: Home, service: Service) -> Iterator[Finding]:
    if not service.answers():
        if Supervisor(home).is_running:
            yield Finding(f"no server answers at {service.url}", f"see {home.log('server')}, then `oj up`")
        return
    import prefect

    from deployments.api import service_api

    try:
        with service_api(home) as api:
            yield Finding(f"the server answers at {service.url}")
            theirs = api.client.api_version()
            if theirs != prefect.__version__:
                yield Finding(
                    f"the server is Prefect {theirs}, this is {prefect.__version__}", "`oj down`, then `oj up`"
                )
            yield from _work(api)
            yield from _deployments(api)
    except ForecastingError as error:
        yield Finding(str(error), "see above")


def _work(api: "Api") -> Iterator[Finding]:
    if api.is_pool_paused():
        yield Finding("the work pool is paused: no run starts", "oj up")
    if api.is_worker_online():
        yield Finding("a worker is online")
    else:
        yield Finding("no worker is online: no run starts", "oj up")
    for run in api.runs_under_way():
        began = run.start_time or run.expected_start_time or now()
        yield Finding(f"under way: {run.name}, {run.state_name}, since {began.astimezone():%Y-%m-%d %H:%M}")


def _deployments(api: "Api") -> Iterator[Finding]:
    from deployments.api import DEPLOYMENTS, code_version

    for name in DEPLOYMENTS:
        deployment = api.deployment(name)
        if deployment is None:
            yield Finding(f"the deployment {name} is missing", "oj up")
        elif deployment.version != code_version():
            yield Finding(f"the deployment {name} has version {deployment.version}, the code {code_version()}", "oj up")
    weekly = api.require_weekly()
    scheduled = api.scheduled(weekly)
    if weekly.paused or not any(schedule.active for schedule in weekly.schedules):
        yield Finding("the schedule of the weekly run is missing or paused", "resume it in the UI, or `oj up`")
    elif not scheduled:
        yield Finding(
            "the schedule of the weekly run creates no runs", "check that sqlalchemy is below 2.1: `make setup`"
        )
    else:
        yield Finding(f"the next weekly run starts on {scheduled[0]:%A %Y-%m-%d %H:%M %Z}")


def _weeks(home: Home, service: Service, lake: Lake, moment: datetime) -> Iterator[Finding]:
    from deployments.watch import Watcher, deadlines, deployed_deadlines

    if not lake.exists():
        return
    # Without a server the deployment's own deadline is unknown, so the flow's default counts.
    is_known = service.answers()
    read_deadlines = partial(deployed_deadlines, home, lake) if is_known else partial(deadlines, lake, {})
    try:
        seen = Watcher(home, lake, lambda _: None, read_deadlines).survey(moment)
    except ForecastingError as error:
        yield Finding(str(error), "see docs/operations.md")
        return
    for week in seen:
        if week.is_published:
            yield Finding(
                f"week of {week.week}: {len(week.files)} files came after its publication; run it again to use them"
            )
        elif week.is_due:
            gaps = f", it lacks {'; '.join(week.gaps[:3])}" if week.gaps else ""
            yield Finding(f"the week of {week.week} is past its deadline and not published{gaps}", "oj trigger --watch")
