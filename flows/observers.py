"""Observers of a run: each is called as the run goes, and none can make it fail.

The flow only calls its stages; what is recorded, shown and notified of them happens here.
"""

from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.presentation.html import write_page
from forecasting.storage.lake import Lake

ENDED_WELL = (Outcome.PUBLISHED, Outcome.UNCHANGED)


class RunObserver:
    """What is called as a run of one week goes; an observer overrides what it needs."""

    def run_started(self, record: RunRecord) -> None:
        """Take that the run holds its week, and begins."""

    def stage_finished(self, result: object, record: RunRecord) -> None:
        """Take the result of a stage; the record holds it already."""

    def run_finished(self, record: RunRecord) -> None:
        """Take the whole record, however the run ended."""


class Recorder(RunObserver):
    """Writes the record of a run into the lake, however the run ends."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def run_finished(self, record: RunRecord) -> None:
        self._lake.runs.write(record)


class PageWriter(RunObserver):
    """Writes the HTML page of the week."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def run_finished(self, record: RunRecord) -> None:
        if record.outcome in ENDED_WELL:
            write_page(self._lake, record.week, record)
