"""Run records: what each run did, whether it published or not.

run_records/<cutoff>/<started>.json
"""

from collections.abc import Iterator
from datetime import date

from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.storage.location import Location


class RunRecords:
    """Reads and writes run records, one a run."""

    def __init__(self, root: Location) -> None:
        self._folder = root / "run_records"

    def write(self, record: RunRecord) -> Location:
        """Write the record of a run; it replaces that of a run of the same start."""
        path = self._folder / str(record.week) / f"{record.started:%Y%m%dT%H%M%S.%fZ}.json"
        path.write_text(record.to_json() + "\n")
        return path

    def of_week(self, cutoff: date) -> Iterator[RunRecord]:
        """Yield the records of all runs of a week, newest first."""
        for path in reversed((self._folder / str(cutoff)).files(".json")):
            yield RunRecord.from_json(path.read_bytes())

    def of(self, cutoff: date, run_id: str | None) -> RunRecord | None:
        """Return the record of the run that published this forecast; None where there is none."""
        published = (record for record in self.of_week(cutoff) if record.outcome is Outcome.PUBLISHED)
        return next((record for record in published if record.run_id == run_id), None)

    def last(self) -> RunRecord | None:
        """Return the record of the run that started last, of any week; None where there is none."""
        newest = max(self._folder.walk(), key=lambda entry: entry.name, default=None)
        return RunRecord.from_json(self._folder.at(newest).read_bytes()) if newest else None
