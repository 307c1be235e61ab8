"""Notifications: what a run sends to people, how often, and the flow by which the Prefect server sends its own.

A run sends what it knows itself, with and without a server. Of a run that crashed the Prefect server notifies people,
through the deployment `notify/notify`.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from prefect import flow

from flows.observers import RunObserver
from forecasting.best_effort import best_effort
from forecasting.clock import now
from forecasting.contracts.errors import WeekBusy, WeekWaiting
from forecasting.contracts.run_record import RunRecord
from forecasting.pipeline.delivery import notify as deliver
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.presentation.notifications import (
    Notification,
    drift_notifications,
    notifications_of,
    run_failed,
)
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

TROUBLE = "A notification failed"


class Alerts(RunObserver):
    """Notifies people of drift at once, whatever becomes of the run, and at its end of what is remarkable about it."""

    def __init__(self, lake: Lake, fallback_alarm: float) -> None:
        self._lake = lake
        self._fallback_alarm = fallback_alarm
        self._tried: set[Notification] = set()

    def stage_finished(self, result: object, record: RunRecord) -> None:  # noqa: ARG002 - the result is enough
        if isinstance(result, MonitoringResult):
            self._send(drift_notifications(result))

    def run_finished(self, record: RunRecord) -> None:
        self._send(notifications_of(record, self._fallback_alarm))

    def _send(self, notifications: Iterable[Notification]) -> None:
        for notification in notifications:
            if notification not in self._tried:
                self._tried.add(notification)
                send(self._lake, notification)


def send(lake: Lake, notification: Notification) -> bool:
    """Send a notification, unless it was sent before; return whether it reached somebody. Never makes a run fail."""
    reached = False
    week, once = notification.week, notification.once
    with best_effort(TROUBLE):
        if week and once and lake.notifications.is_sent(week, once):
            return False
        delivery = deliver(notification.title, f"{notification.body}\nLake: {lake.root.address}")
        for failure in delivery.failures:
            logger.warning("A notification was not delivered: %s", failure)
        reached = delivery.reached > 0
        if reached and week and once:
            sent = {"title": notification.title, "body": notification.body, "sent": now().isoformat(timespec="seconds")}
            lake.notifications.write(week, once, sent)
    return reached


@contextmanager
def alert_on_failure(lake: Lake, week: date | None = None) -> Iterator[None]:
    """Notify people of an error that ends the `with` block; the error goes on.

    Nobody is notified of a busy week, as the run that holds it sends its own, of one that waits, nor of a run that a
    person stopped.
    """
    try:
        yield
    except (WeekBusy, WeekWaiting):
        raise
    except Exception as error:
        with best_effort(TROUBLE):
            send(lake, run_failed(week, error, max(lake.forecasts.cutoffs(), default=None)))
        raise


@flow(name="notify", persist_result=False)
def notify(title: str, body: str) -> int:
    """Send what the Prefect server noticed: a run that crashed, a week that is late.

    Args:
        title: one line that says what happened.
        body: a few lines of plain text.

    Returns:
        How many targets took the message; 0 where none is set up.

    Raises:
        forecasting.contracts.errors.RunError: a target did not take it.
    """
    delivery = deliver(title, body)
    delivery.require_all()
    return delivery.reached
