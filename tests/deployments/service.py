"""A real service of a test's own: its commands, its processes, its API."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from deployments.home import MARK, Home

ROOT = Path(__file__).parents[2]


class PatientTransport(httpx.HTTPTransport):
    """Sends a request again while the server answers 503: on a busy machine its SQLite database is locked at times."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        while response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            response.close()
            time.sleep(0.5)
            response = super().handle_request(request)
        return response


@dataclass(frozen=True)
class Installation:
    """Where a service is, and how to talk to it."""

    home: Home
    lake: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The caller's, without Prefect settings, OJ_LAKE and what other tests have set."""
        ours = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "OJ_"))}
        return ours | {"OJ_HOME": str(self.home.root), "COLUMNS": "80", "PYTHONPATH": str(ROOT)}

    def oj(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a user does."""
        return self._run(["deployments", *args], self.environment)

    def prefect(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Prefect's own with the environment of client.env."""
        return self._run(["prefect", "--no-prompt", *args], self.home.environment("client"))

    @property
    def auth(self) -> tuple[str, str]:
        user, _, password = self.home.auth().partition(":")
        return user, password

    def csrf(self) -> dict[str, str]:
        """The headers without which a call that changes something is refused."""
        answer = httpx.get(f"{self.url}/api/csrf-token", params={"client": "tests"}, auth=self.auth, timeout=30)
        return {"Prefect-Csrf-Client": "tests", "Prefect-Csrf-Token": answer.json()["token"]}

    def api(self) -> httpx.Client:
        """The API, with the auth string and a CSRF token."""
        return httpx.Client(
            base_url=f"{self.url}/api", auth=self.auth, headers=self.csrf(), timeout=30, transport=PatientTransport()
        )

    def processes(self) -> list[psutil.Process]:
        """Every process of the service, its runs and their clusters."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.home.root):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def run_processes(self) -> list[str]:
        """Command lines of the flow runs and of the workers of their clusters."""
        found = []
        for process in self.processes():
            try:
                found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return [line for line in found if "deployments.programs engine" in line or "multiprocessing" in line]

    def _run(self, module: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *module],
            env=environment,
            cwd=self.home.root.parent,
            capture_output=True,
            text=True,
            check=False,
        )


def wait_until(is_done: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.2)
