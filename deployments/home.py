"""The home of the service: one private folder with its settings, secrets, database and logs.

    auth                 user and password of the UI; every API call carries them
    service.json         the options of the last `oj up`: lake, port, database
    server.env           the environment of the server: its own secrets, for no other program
    client.env           the environment of worker, watcher and people: `set -a; . ~/.oj/client.env`
    supervisord.conf, supervisord.pid, supervisor.sock
    prefect/             Prefect's home, with its database
    logs/                one file a program, rotated
    events.json          the events that the watcher has sent
    locks/up/            one `oj up` at a time
    connections.toml     names of databases and notification addresses, written by the operator

The folder is for its owner only (0700), and so is every file in it (0600).
"""

import json
import os
import secrets
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.settings import absolute_lake_root
from forecasting.contracts.errors import OptionError
from forecasting.storage.connections import oj_home
from forecasting.storage.location import open_location

POOL = "orange-juice"
HOST = "127.0.0.1"
DEFAULT_PORT = 4200
PROGRAMS = ("server", "worker", "watch")
# A variable in the environment of every process of the service, by which leftovers of a crash are found.
MARK = "OJ_SERVICE"
# The path of a unix socket may have 107 bytes on Linux.
LONGEST_SOCKET = 107


@dataclass(frozen=True)
class Service:
    """The options of a service. `database` is a name in connections.toml; None: SQLite in the home."""

    lake: str
    port: int = DEFAULT_PORT
    database: str | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def answers(self) -> bool:
        """Return whether the server is up and ready."""
        import httpx  # not Prefect's client, which takes seconds to import

        try:
            return httpx.get(f"{self.url}/api/ready", timeout=2).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


class Home:
    """Reads and writes the files of one service home."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.prefect = root / "prefect"
        self.logs = root / "logs"
        self.locks = root / "locks"
        self.lock = open_location(self.locks) / "up"
        self.auth_path = root / "auth"
        self.supervisor_config = root / "supervisord.conf"
        self.supervisor_pid = root / "supervisord.pid"
        self.supervisor_socket = root / "supervisor.sock"

    def prepare(self) -> None:
        """Create the folders, for their owner only.

        Raises:
            OptionError: the home cannot be written, or its path is too long for a socket in it.
        """
        if len(os.fsencode(self.supervisor_socket)) > LONGEST_SOCKET:
            raise OptionError(f"OJ_HOME={self.root}", "is too long for a socket in it", "name a shorter path")
        try:
            for folder in (self.root, self.prefect, self.logs, self.locks):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
            self.log("deploy").touch(mode=0o600)
        except OSError as error:
            raise OptionError(
                f"OJ_HOME={self.root}", f"cannot be written ({error.strerror})", "name a folder of yours"
            ) from error

    def log(self, program: str) -> Path:
        return self.logs / f"{program}.log"

    # Options of the service

    def service(self) -> Service | None:
        """Return the options of the last `oj up`; None before the first one."""
        content = self._read_json("service.json")
        return Service(**content) if content else None

    def lake_root(self, given: str | None) -> str:
        """Return the lake's absolute path, or its URL: as given, else OJ_LAKE, else the service's, else `./lake`."""
        service = self.service()
        of_service = service.lake if service and not os.environ.get("OJ_LAKE") else None
        return absolute_lake_root(given or of_service)

    def auth(self) -> str:
        """Return the auth string of the UI and the API; it is made once."""
        if not self.auth_path.exists():
            self._write("auth", f"oj:{secrets.token_urlsafe(24)}\n")
        return self.auth_path.read_text(encoding="utf-8").strip()

    def is_configured(self, service: Service, database_url: str | None = None) -> bool:
        """Return whether `configure` would change nothing."""
        contents = self._configuration(service, database_url)
        return all(self._read(name) == content for name, content in contents.items())

    def configure(self, service: Service, database_url: str | None = None) -> None:
        """Write the settings of the service and the environments of its programs."""
        for name, content in self._configuration(service, database_url).items():
            self._write(name, content)

    def _configuration(self, service: Service, database_url: str | None) -> dict[str, str]:
        return {
            "service.json": json.dumps(asdict(service), indent=2) + "\n",
            "server.env": _environment_file(self._of_server(service, database_url)),
            "client.env": _environment_file(self._of_client(service)),
        }

    # Environments

    def environment(self, program: str) -> dict[str, str]:
        """Return the environment of a program, or of `client`, without the caller's Prefect settings."""
        name = "server.env" if program == "server" else "client.env"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
        return inherited | _read_environment((self.root / name).read_text(encoding="utf-8"))

    def _of_server(self, service: Service, database_url: str | None) -> dict[str, str]:
        origins = ",".join(f"http://{host}:{service.port}" for host in (HOST, "localhost"))
        environment = {
            **self._of_both(service),
            "PREFECT_SERVER_API_HOST": HOST,
            # The option --port alone would leave the UI calling the default port.
            "PREFECT_SERVER_API_PORT": str(service.port),
            "PREFECT_SERVER_UI_API_URL": f"{service.url}/api",
            "PREFECT_SERVER_API_AUTH_STRING": self.auth(),
            # A page of another site in the operator's browser must not start runs.
            "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": origins,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        }
        if database_url:
            environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database_url
        return environment

    def _of_client(self, service: Service) -> dict[str, str]:
        return {
            **self._of_both(service),
            "PREFECT_API_URL": f"{service.url}/api",
            "PREFECT_API_AUTH_STRING": self.auth(),
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            # A run that has missed four heartbeats counts as crashed (automations.yaml).
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            # A triggered run starts within seconds.
            "PREFECT_WORKER_QUERY_SECONDS": "3",
            "OJ_LAKE": service.lake,
            # Filled into prefect.yaml.
            "OJ_PYTHON": shlex.quote(sys.executable),
        }

    def _of_both(self, service: Service) -> dict[str, str]:
        return {
            "OJ_HOME": str(self.root),
            "PREFECT_HOME": str(self.prefect),
            "PREFECT_UI_URL": service.url,
            "DO_NOT_TRACK": "1",
            "PREFECT_LOGGING_COLORS": "false",
        }

    # Files

    def sent_events(self) -> dict[str, Any]:
        return self._read_json("events.json")

    def write_sent_events(self, content: dict[str, Any]) -> None:
        self._write("events.json", json.dumps(content, indent=2) + "\n")

    def write_supervisor_config(self, content: str) -> None:
        self._write(self.supervisor_config.name, content)

    def _read(self, name: str) -> str | None:
        path = self.root / name
        return path.read_text(encoding="utf-8") if path.exists() else None

    def _read_json(self, name: str) -> dict[str, Any]:
        return json.loads(self._read(name) or "{}")

    def _write(self, name: str, content: str) -> None:
        """Replace a file; nobody else can read the new one at any moment."""
        temporary = self.root / f".{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        temporary.replace(self.root / name)


def service_home() -> Home:
    """Return the home named by OJ_HOME, else `~/.oj`."""
    return Home(oj_home().absolute())


def _environment_file(values: dict[str, str]) -> str:
    """Return lines that `sh` and `_read_environment` read alike."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _read_environment(content: str) -> dict[str, str]:
    pairs = [shlex.split(line)[0].partition("=") for line in content.splitlines() if line]
    return {name: value for name, _, value in pairs}
