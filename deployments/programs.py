"""The programs of the service: `python -m deployments.programs server` becomes the server, in the foreground.

Each takes its environment, secrets with it, from a file of the home: nothing secret stands in a command
line or in the supervisor's configuration.
"""

import os
import signal
import sys

from deployments.home import POOL, service_home
from flows.ephemeral_server import end_with_parent

COMMANDS = {
    "server": ["-m", "prefect", "server", "start"],
    "worker": ["-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", "worker"],
    "watch": ["-m", "deployments", "watch"],
}


def main() -> None:
    """Become the program that the command line names."""
    name = sys.argv[1]
    # A program whose supervisor was killed would go on unseen, and keep its port.
    end_with_parent(signal.SIGTERM)
    environment = service_home().environment(name)
    os.execve(sys.executable, [sys.executable, *COMMANDS[name]], environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
