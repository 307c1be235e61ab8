"""The whole service, as its operator meets it: one `oj up` for all tests, which follow its life."""

import asyncio
import json
import re
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from deployments.home import PROGRAMS, Home
from deployments.watch import deployed_deadlines
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.pipeline.simulation import simulate
from forecasting.storage.lake import Lake
from tests.deployments.service import Installation, wait_until
from tests.ports import free_port

CHICAGO = ZoneInfo("America/Chicago")
CUTOFF = dominicks_week(136)
SLOW = "tests.deployments.slow_model:slow"
# The run that a file starts has as many workers as it likes; the others do with one.
ONE_WORKER = ("--max-concurrency-per-instance", "1")


def flat(output: str) -> str:
    """What was printed, as one line."""
    return " ".join(output.split())


@pytest.fixture(scope="module")
def service(simulated_lake_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A service over a lake in which one real week waits."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(simulated_lake_template, folder / "lake")
    installed = Installation(Home(folder / "home"), folder / "lake", free_port())
    up = installed.oj("up", "--lake", str(installed.lake), "--port", str(installed.port))
    assert up.returncode == 0, up.stdout + up.stderr
    (folder / "up.txt").write_text(up.stdout)
    yield installed
    installed.oj("down", "--now")
    for process in installed.processes():
        process.kill()


def test_up_says_where_it_is_and_when_it_runs_next(service: Installation) -> None:
    """Address, login, deployments and the next Thursday at six, by the clocks of Chicago, within 80 columns."""
    output = (service.home.root.parent / "up.txt").read_text()
    assert f"Up: {service.url}" in output
    assert re.search(r"next runs\s+Thursday \S+ 06:00 C[SD]T", output)
    for name in ("weekly-forecast/weekly", "backfill/backfill", "backtest/backtest", "train/train", "notify/notify"):
        assert name in output
    assert all(len(line) <= 80 for line in output.splitlines())


def test_the_schedule_yields_runs(service: Installation) -> None:
    """With a newer SQLAlchemy the server lays out none, and says nothing."""
    with service.api() as api:
        weekly = api.get("/deployments/name/weekly-forecast/weekly").json()
        states = {"state": {"type": {"any_": ["SCHEDULED"]}}, "deployment_id": {"any_": [weekly["id"]]}}
        runs = api.post("/flow_runs/filter", json={"flow_runs": states}).json()
    moments = sorted(datetime.fromisoformat(run["expected_start_time"]).astimezone(CHICAGO) for run in runs)
    now = datetime.now(CHICAGO)
    assert moments, "no runs are laid out"
    assert now < moments[0] < now + timedelta(days=7, hours=1)
    assert {(moment.weekday(), moment.hour, moment.minute) for moment in moments} == {(3, 6, 0)}
    assert weekly["parameters"] == {"lake": str(service.lake)}
    assert weekly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_the_pid_file_names_the_supervisor_of_every_process(service: Installation) -> None:
    """The systemd unit watches that process, and `oj up` has returned without leaving another."""
    supervisor = psutil.Process(int(service.home.supervisor_pid.read_text()))
    assert {supervisor, *supervisor.children(recursive=True)} >= set(service.processes())
    assert len(supervisor.children()) == len(PROGRAMS)


def test_the_watcher_reads_the_deadline_of_the_deployment(service: Installation) -> None:
    """As its page in the UI has it, and not only the flow's default."""
    lake = Lake(service.lake)
    closes = datetime(1992, 4, 23, tzinfo=CHICAGO)
    assert deployed_deadlines(service.home, lake)(CUTOFF) == closes + timedelta(hours=18)
    with service.api() as api:
        weekly = api.get("/deployments/name/weekly-forecast/weekly").json()
        before = weekly["parameters"]
        changed = {"parameters": {**before, "deadline_hours": 30}}
        api.patch(f"/deployments/{weekly['id']}", json=changed).raise_for_status()
        try:
            assert deployed_deadlines(service.home, lake)(CUTOFF) == closes + timedelta(hours=30)
        finally:
            api.patch(f"/deployments/{weekly['id']}", json={"parameters": before}).raise_for_status()


def test_secrets_are_for_their_owner_only(service: Installation) -> None:
    """Files 0600 and folders 0700; the auth string is in no command line and in no log."""
    for path in [service.home.root, *service.home.root.rglob("*")]:
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path
    secret = service.home.auth()
    for process in service.processes():
        assert secret not in " ".join(process.cmdline())
    for path in [*service.home.logs.iterdir(), service.home.supervisor_config]:
        assert secret not in path.read_text(errors="replace"), path


def test_listeners_are_on_loopback_only(service: Installation) -> None:
    """The server, the supervisor (a unix socket) and what the worker listens on."""
    addresses = {
        connection.laddr.ip
        for process in service.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize("auth", [None, ("oj", "wrong"), ("", "")], ids=["none", "wrong", "empty"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/flows/"),
        ("GET", "/admin/settings"),
        ("GET", "/admin/version"),
        ("GET", "/csrf-token?client=x"),
        ("GET", "/deployments/name/weekly-forecast/weekly"),
        ("POST", "/flow_runs/filter"),
        ("POST", "/ui/flow_runs/history"),
        ("POST", "/events"),
        ("POST", "/variables/"),
        ("POST", "/variables/name/health"),
        ("DELETE", "/work_pools/orange-juice"),
    ],
)
def test_a_call_without_the_auth_string_is_refused(
    service: Installation, method: str, path: str, auth: tuple[str, str] | None
) -> None:
    """Whatever it asks for, and though its CSRF token is good."""
    body: dict[str, object] | None = None if method == "GET" else {}
    answer = httpx.request(method, f"{service.url}/api{path}", auth=auth, headers=service.csrf(), json=body)
    assert answer.status_code == 401
    assert answer.json() == {"exception_message": "Unauthorized"}


def test_a_page_of_another_site_cannot_start_runs(service: Installation) -> None:
    """The browser's preflight is not answered for it, and a call without the CSRF token is refused."""
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    foreign = httpx.options(f"{service.url}/api/flows/", headers={"Origin": "http://evil.example", **asks})
    own = httpx.options(f"{service.url}/api/flows/", headers={"Origin": f"http://localhost:{service.port}", **asks})
    assert "access-control-allow-origin" not in foreign.headers
    assert own.headers["access-control-allow-origin"] == f"http://localhost:{service.port}"
    without_token = httpx.post(f"{service.url}/api/flows/", auth=service.auth, json={"name": "evil"})
    assert without_token.status_code == 403


@pytest.mark.parametrize("path", ["/events/in", "/events/out", "/logs/out"])
@pytest.mark.parametrize("first", [None, {"type": "auth", "token": "wrong"}, {"type": "auth"}], ids=str)
def test_a_websocket_without_the_auth_string_is_refused(
    service: Installation, path: str, first: dict[str, str] | None
) -> None:
    """With or without Prefect's subprotocol, nothing is sent and nothing is taken."""

    async def attempt() -> str:
        subprotocols = [Subprotocol("prefect")] if first else None
        try:
            address = f"ws://127.0.0.1:{service.port}/api{path}"
            async with connect(address, subprotocols=subprotocols, open_timeout=20) as websocket:
                if first:
                    await websocket.send(json.dumps(first))
                return str(await asyncio.wait_for(websocket.recv(), 20))
        except (ConnectionClosed, InvalidStatus):
            return "refused"

    assert asyncio.run(attempt()) == "refused"


def test_trigger_follows_a_run_to_its_end(service: Installation) -> None:
    """Link, states and logs are printed; the week is published; the exit code is its success."""
    done = service.oj("trigger", "--model", "mean", *ONE_WORKER, "--watch")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{service.url}/runs/flow-run/" in done.stdout
    for line in ("Running", "publish", "Completed"):
        assert line in done.stdout
    assert Lake(service.lake).forecasts.cutoffs() == [CUTOFF]
    wait_until(lambda: service.run_processes() == [])


def test_a_doctor_that_finds_nothing_says_so(service: Installation) -> None:
    """In plain lines, and with exit code 0."""
    done = service.oj("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "can be written",
        "their owner only",
        "the server answers",
        "a worker is online",
        "the next weekly run",
    ):
        assert line in flat(done.stdout)
    assert "WRONG" not in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_the_last_missing_file_starts_the_run(service: Installation) -> None:
    """The watcher sees it and sends an event, and the trigger starts a run of that week."""
    lake = Lake(service.lake)
    week = simulate(lake).week
    reported = lake.sales.read(CUTOFF)
    expected = set(reported[reported["week"] > reported["week"].max() - 4 * WEEK]["store"])
    files = sorted(Path(lake.inbox).glob(f"{week}_store-*.csv"))
    missing = expected - {int(file.stem[-3:]) for file in files}
    for store in sorted(missing):
        rows = [line.split(",") for line in files[0].read_text().splitlines()]
        content = [rows[0], *([str(store), *row[1:]] for row in rows[1:])]
        drop = lake.inbox / f".{week}_store-{store:03d}.csv"
        drop.write_text("".join(f"{','.join(row)}\n" for row in content))
        Path(drop).rename(Path(drop).with_name(drop.name[1:]))
    wait_until(lambda: week in lake.forecasts.cutoffs())
    wait_until(lambda: service.run_processes() == [])
    with service.api() as api:
        completed = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}, "sort": "END_TIME_DESC", "limit": 1}
        last = api.post("/flow_runs/filter", json=completed).json()[0]
    assert last["parameters"] == {"lake": str(service.lake), "cutoff": str(week)}
    assert last["created_by"]["type"] == "AUTOMATION"


def test_a_run_that_waits_goes_on_when_somebody_accepts_the_gaps(service: Installation) -> None:
    """It is suspended without a process; the form's answer is recorded, and the run of the deadline is taken over."""
    lake = Lake(service.lake)
    week = simulate(lake).week
    Path(lake.inbox / f"{week}_store-012.csv").unlink()
    asked = service.oj("trigger", "--deadline", "2099-01-01", *ONE_WORKER, "--watch")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "Suspended" in asked.stdout
    wait_until(lambda: service.run_processes() == [])
    run = asked.stdout.split()[0].rpartition("/")[2]
    with service.api() as api:
        answer = {"run_input": {"reason": "flooded", "by": "Ada"}}
        # On a loaded machine the server's database may be busy for a moment.
        wait_until(lambda: api.post(f"/flow_runs/{run}/resume", json=answer).json().get("status") == "ACCEPT")
        wait_until(lambda: week in lake.forecasts.cutoffs())
        same_week = {"flow_runs": {"name": {"like_": f"week of {week}, at its deadline"}}}
        wait_until(lambda: api.post("/flow_runs/filter", json=same_week).json()[0]["state"]["name"] == "TakenOver")
        wait_until(lambda: api.get(f"/flow_runs/{run}").json()["state"]["name"] == "Completed")
    completeness = lake.completeness.read(week)
    assert (completeness.status, completeness.missing) == ("accepted_with_gaps", (12,))
    assert completeness.accepted
    assert (completeness.accepted.by, completeness.accepted.why) == ("Ada", "flooded")


def test_a_second_run_is_cancelled_and_a_cancelled_run_leaves_nothing(service: Installation) -> None:
    """One runs at a time; `prefect flow-run cancel` ends processes, cluster and scratch of the one under way."""
    lake = Lake(service.lake)
    week = simulate(lake).week
    # A week that is whole would be run by itself.
    Path(lake.inbox / f"{week}_store-012.csv").unlink()
    started = service.oj("trigger", "--model", SLOW, *ONE_WORKER)
    wait_until(lambda: any("spawn_main" in line for line in service.run_processes()))
    second = service.oj("trigger", "--model", SLOW, "--watch")
    assert second.returncode == 1
    assert "one runs at a time" in second.stdout
    under_way = flat(service.oj("doctor").stdout)
    assert "under way:" in under_way
    assert re.search(r"the lock \S+ is held by process \d+ since", under_way)
    cancelled = service.prefect("flow-run", "cancel", started.stdout.strip().rpartition("/")[2])
    assert cancelled.returncode == 0, cancelled.stdout + cancelled.stderr
    wait_until(lambda: service.run_processes() == [])
    wait_until(lambda: list((service.lake / "scratch").iterdir()) == [])


def test_the_doctor_names_what_is_wrong_and_the_remedy(service: Installation) -> None:
    """A paused pool, and a secret that others may read."""
    with service.api() as api:
        api.patch("/work_pools/orange-juice", json={"is_paused": True}).raise_for_status()
    service.home.auth_path.chmod(0o644)
    done = service.oj("doctor")
    service.home.auth_path.chmod(0o600)
    assert done.returncode == 1
    assert "WRONG the work pool is paused: no run starts → oj up" in flat(done.stdout)
    assert "chmod go=" in flat(done.stdout)


def test_up_once_more_is_the_remedy_and_disturbs_nothing(service: Installation) -> None:
    """The same programs go on, and the pool takes up runs again."""
    before = {process.pid for process in service.processes()}
    again = service.oj("up")
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"Up already: {service.url}" in again.stdout
    assert {process.pid for process in service.processes()} == before
    doctor = service.oj("doctor")
    assert doctor.returncode == 0, doctor.stdout


def test_down_now_cancels_what_runs_and_leaves_nothing(service: Installation) -> None:
    """No process, listener, socket or pid file is left; a second one says that nothing is up."""
    service.oj("trigger", "--model", SLOW, *ONE_WORKER)
    wait_until(lambda: any("spawn_main" in line for line in service.run_processes()))
    down = service.oj("down", "--now")
    assert down.returncode == 0, down.stdout + down.stderr
    assert "Cancelling" in down.stdout
    assert "nothing of it is left running" in down.stdout
    assert service.processes() == []
    assert not service.home.supervisor_socket.exists()
    assert not service.home.supervisor_pid.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(service.url)
    assert "No service" in service.oj("down").stdout
    assert "the service is down" in service.oj("doctor").stdout
