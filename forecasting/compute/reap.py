"""The end of clusters whose run is gone."""

import logging
from dataclasses import dataclass
from pathlib import Path

from distributed import Client
from distributed.security import Security

from forecasting.compute import tls
from forecasting.compute.register import Entry, entries, taken_orphan
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5


@dataclass(frozen=True)
class Reaped:
    """One orphan, and whether its scheduler still answered and was shut down."""

    entry: Entry
    was_alive: bool


def reap_orphans(lake: Lake) -> list[Reaped]:
    """End every registered cluster whose run is gone; those of living runs are left alone."""
    reaped = []
    for entry in entries(lake):
        if not entry.is_orphan:
            continue
        with taken_orphan(lake, entry.cluster_id) as is_ours:
            if is_ours:
                reaped.append(Reaped(entry, _shut_down(entry, lake.cluster_entry(entry.cluster_id))))
    for each in reaped:
        how = "ended" if each.was_alive else "did not answer any more"
        logger.warning("The orphaned cluster of %s (%s) %s", each.entry.run, each.entry.scheduler, how)
    return reaped


def _shut_down(entry: Entry, path: Path) -> bool:
    if not entry.scheduler:
        return False
    pem = path.with_suffix(".pem")
    security = tls.from_file(pem) if pem.exists() else tls.configured() or Security()
    try:
        with Client(entry.scheduler, timeout=CONNECT_TIMEOUT, security=security, set_as_default=False) as client:
            client.shutdown()
    except (OSError, RuntimeError, ValueError):
        return False
    return True
