"""Run records: what each run did, whether it published or not.

run_records/<cutoff>/<started>.json
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from forecasting.storage.files import read_json, write_json


class RunRecords:
    """Reads and writes run records, one a run."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "run_records"

    def write(self, cutoff: date, started: datetime, content: Mapping[str, Any]) -> Path:
        """Write the record of a run; it replaces that of a run of the same start."""
        path = self._folder / str(cutoff) / f"{started:%Y%m%dT%H%M%S.%fZ}.json"
        write_json(path, content)
        return path

    def of_week(self, cutoff: date) -> Iterator[dict[str, Any]]:
        """Yield the records of all runs of a week, newest first."""
        for path in sorted((self._folder / str(cutoff)).glob("*.json"), reverse=True):
            yield read_json(path)

    def of(self, cutoff: date, run_id: str | None) -> dict[str, Any] | None:
        """Return the record of the run that published this forecast; None where there is none."""
        published = (record for record in self.of_week(cutoff) if record["outcome"] == "published")
        return next((record for record in published if record.get("run_id") == run_id), None)

    def last(self) -> dict[str, Any] | None:
        """Return the record of the run that started last, of any week; None where there is none."""
        paths = sorted(self._folder.glob("*/*.json"), key=lambda path: path.name)
        return read_json(paths[-1]) if paths else None
