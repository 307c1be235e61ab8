"""The processes of the service: `python -m deployments.programs NAME` becomes one of them, in the foreground.

`server`, `worker` and `watch` are started by the supervisor; `engine` is started by the worker for each run. Nothing
is imported at the top: the workers of a run's Dask cluster import the main module of their parent again.
"""

import sys


def main(name: str) -> None:
    """Become the program, or Prefect's engine."""
    if name == "engine":
        import runpy

        # Its own module as the main one would cost each Dask worker two seconds.
        del sys.argv[1]  # Prefect would take it for the id of a run
        runpy.run_module("prefect.engine", run_name="__main__")
        return
    import os
    import signal

    from deployments.home import POOL, service_home
    from flows.ephemeral_server import end_with_parent

    commands = {
        "server": ["-m", "prefect", "server", "start"],
        "worker": ["-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", "worker"],
        "watch": ["-m", "deployments", "watch"],
    }
    # Otherwise a program whose supervisor was killed would go on, and keep its port.
    end_with_parent(signal.SIGTERM)
    # The environment, secrets with it, comes from a file of the home: no command line holds a secret.
    environment = service_home().environment(name)
    os.execve(sys.executable, [sys.executable, *commands[name]], environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1])
