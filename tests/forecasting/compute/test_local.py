"""A cluster on this machine: on loopback, under TLS, gone with its driver."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from forecasting.compute import Cluster

ROOT = Path(__file__).parents[3]
HOLD = """
import sys, time
from pathlib import Path
from forecasting.compute import dask_cluster
from forecasting.storage.lake import Lake
from forecasting.contracts.spec import ClusterSpec
if __name__ == "__main__":
    print("begun", flush=True)
    with dask_cluster(ClusterSpec(), Lake(Path(sys.argv[1]))):
        print("up", flush=True)
        time.sleep(600)
"""
TLS_ALERT = b"\x15"


def test_all_listeners_are_on_loopback_and_none_is_a_dashboard(cluster: Cluster) -> None:
    """Scheduler, nannies and workers listen on 127.0.0.1 only; what speaks HTTP there has no pages."""
    cluster._client.wait_for_workers(2, timeout=100)  # a test before may have cost one
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [
        connection.laddr
        for process in processes
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert {address.ip for address in listening} == {"127.0.0.1"}
    answers = [_status(address.port, path) for address in listening for path in ("/status", "/info/main/workers.html")]
    assert set(answers) == {None, 404}


def _status(port: int, path: str) -> int | None:
    """The status with which a port answers a plain HTTP request; None where it speaks another protocol."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def test_a_plain_connection_is_refused(cluster: Cluster) -> None:
    """Without the cluster's certificate the scheduler does not answer."""
    address = str(cluster._client.scheduler.address)  # type: ignore[union-attr]
    assert address.startswith("tls://127.0.0.1:")
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=60) as plain:
        plain.sendall(b"\x00" * 64)
        with suppress(ConnectionResetError):
            assert plain.recv(64)[:1] in (b"", TLS_ALERT)


@pytest.mark.parametrize(("when", "how"), [("begun", signal.SIGINT), ("up", signal.SIGKILL)])
def test_nothing_is_left_of_a_driver_that_was_ended(tmp_path: Path, when: str, how: signal.Signals) -> None:
    """Interrupted while its workers start, or killed when they are up: its processes and folders are gone."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        text=True,
    ) as driver:
        assert driver.stdout
        assert driver.stdout.readline() == "begun\n"
        if when == "up":
            assert driver.stdout.readline() == "up\n"
        started = psutil.Process(driver.pid)
        while len(started.children()) < 3:  # the cleanup, and workers or the tracker of their resources
            assert driver.poll() is None
            time.sleep(0.01)
        children = started.children(recursive=True)
        driver.send_signal(how)
        driver.wait(timeout=60)
    assert psutil.wait_procs(children, timeout=100)[1] == []
    until = time.monotonic() + 100
    while list((tmp_path / "scratch").iterdir()):
        assert time.monotonic() < until
        time.sleep(0.05)
