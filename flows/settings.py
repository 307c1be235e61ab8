"""Settings that a run needs on a small machine, as defaults that the environment may override.

They must stand before Prefect and NumPy are imported, as both read their environment on import.
"""

import logging
import os
from pathlib import Path

OWN_LOGGERS = ("flows", "forecasting")

DEFAULTS = {
    # Nothing is sent anywhere.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # No server needed: where no API is configured, Prefect starts one for the run. On two cores that
    # takes 12 s, on a fresh home 30 s, and its own limit is 20 s.
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    # What our own code logs is shown on the page of the run, where there is one.
    "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(OWN_LOGGERS),
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # One thread a process: the two sides of a comparison must add up numbers in the same order.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def apply_defaults() -> None:
    """Set what the environment leaves open, and let our own code say what it does."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)


def lake_root(given: str | None) -> Path:
    """The lake's root: as given, else OJ_LAKE, else `lake` in the current folder."""
    return Path(given or os.environ.get("OJ_LAKE") or "lake")
