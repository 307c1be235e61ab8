"""Settings of a run, as defaults that the environment may override.

They are set before Prefect and NumPy are imported, because both read the environment on import.
"""

import logging
import os
from pathlib import Path

OWN_LOGGERS = ("flows", "forecasting")

DEFAULTS = {
    # No usage data are sent anywhere.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # Where no API is configured, Prefect starts a server for the run. On two cores that takes 12 s, with a fresh
    # home 30 s; Prefect's own limit is 20 s.
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    # The log of our own code is shown on the page of the run.
    "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(OWN_LOGGERS),
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # One thread a process: a backtest and a live run must add numbers in the same order.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def apply_defaults() -> None:
    """Set the variables that the environment does not have, and log our own code from level INFO."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


def lake_root(given: str | None) -> str:
    """Return the lake's root, a folder or a URL: as given, else OJ_LAKE, else `lake` in the current folder."""
    return given or os.environ.get("OJ_LAKE") or "lake"


def absolute_lake_root(given: str | None) -> str:
    """Return the lake's root as `lake_root` does, as an absolute path or a URL: flows run in folders of their own."""
    root = lake_root(given)
    return root if "://" in root else str(Path(root).expanduser().absolute())
