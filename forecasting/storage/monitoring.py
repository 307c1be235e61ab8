"""The monitoring store: how published forecasts scored, what is expected of a model, and which alarms were raised.

scores/<cutoff>/<run_id>.parquet   scores of a published forecast, for those of its weeks that have been collected
baselines/<key>.parquet            scores that a backtest lets expect of a model
alarms/<week>.json                 alarms that the scores of a week raised
notifications/<cutoff>-<kind>.json   notifications that were sent, so that they are sent once
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.run_record import adapter
from forecasting.core.drift import Alarm
from forecasting.storage.files import (
    dates,
    json_if_any,
    read_hashed,
    read_table,
    read_undamaged,
    write_json,
    write_table,
)
from forecasting.storage.forecasts import Forecasts
from forecasting.storage.location import Location


class Monitoring:
    """Reads and writes scores, baselines and alarms."""

    def __init__(self, root: Location, forecasts: Forecasts) -> None:
        self._root = root
        self._forecasts = forecasts

    def scores(self) -> pd.DataFrame:
        """Return the scores of all current forecasts (table `scores`), without damaged files."""
        found = [
            self.scores_path(cutoff, run_id)
            for cutoff in self._forecasts.cutoffs()
            if (run_id := self._forecasts.run_id(cutoff))
        ]
        written = {entry.key for entry in (self._root / "scores").walk()}
        return read_undamaged([path for path in found if path.key in written], schemas.SCORES)

    def scores_metadata(self, cutoff: date, run_id: str) -> dict[str, str]:
        """Return the metadata of a run's scores; empty where it has none, or their file is damaged."""
        path = self.scores_path(cutoff, run_id)
        try:
            return read_hashed(path, schemas.SCORES)[1] if path.exists() else {}
        except SchemaError:
            return {}  # the next run writes it again

    def write_scores(self, cutoff: date, run_id: str, rows: pd.DataFrame, metadata: Mapping[str, str]) -> None:
        """Write the scores of a run."""
        write_table(self.scores_path(cutoff, run_id), rows, schemas.SCORES, metadata)

    def scores_path(self, cutoff: date, run_id: str) -> Location:
        return self._root / "scores" / str(cutoff) / f"{run_id}.parquet"

    def baseline(self, key: str) -> pd.DataFrame:
        """Return the baseline of a monitor (table `baseline`); empty where it has none, or its file is damaged."""
        path = self._baseline_path(key)
        try:
            return read_table(path, schemas.BASELINE) if path.exists() else schemas.BASELINE.empty()
        except SchemaError:
            return schemas.BASELINE.empty()  # the next run builds it again

    def write_baseline(self, key: str, rows: pd.DataFrame, metadata: Mapping[str, str]) -> None:
        """Write the baseline of a monitor."""
        write_table(self._baseline_path(key), rows, schemas.BASELINE, metadata)

    def add_alarms(self, week: date, key: str, alarms: Sequence[Alarm]) -> bool:
        """Write the alarms of a week against a baseline; return False where it has some already, which stay."""
        written = self._alarms_of(week)
        if any(baseline == key for baseline, _ in written):
            return False
        rows = [*written, *((key, alarm) for alarm in alarms)]
        plain = [{**adapter(Alarm).dump_python(alarm, mode="json"), "baseline": baseline} for baseline, alarm in rows]
        write_json(self._alarms_path(week), {"alarms": plain})
        return True

    def alarms(self, until: date, key: str | None = None) -> list[Alarm]:
        """Return the alarms of all weeks up to `until`, oldest first.

        Args:
            key: of the baseline that the alarms are against; None for all.
        """
        weeks = [week for week in dates((self._root / "alarms").names(), ".json") if week <= until]
        return [alarm for week in weeks for baseline, alarm in self._alarms_of(week) if key in (None, baseline)]

    def _alarms_of(self, week: date) -> list[tuple[str, Alarm]]:
        """Return the alarms of a week, each with the name of its baseline."""
        written = json_if_any(self._alarms_path(week))
        plain = written["alarms"] if written else []
        return [(each["baseline"], adapter(Alarm).validate_python(each)) for each in plain]

    def _alarms_path(self, week: date) -> Location:
        return self._root / "alarms" / f"{week}.json"

    def _baseline_path(self, key: str) -> Location:
        return self._root / "baselines" / f"{key}.parquet"


class Notifications:
    """Remembers which notifications of a week were sent."""

    def __init__(self, root: Location) -> None:
        self._folder = root / "notifications"

    def is_sent(self, week: date, kind: str) -> bool:
        return self._path(week, kind).exists()

    def write(self, week: date, kind: str, content: Mapping[str, Any]) -> None:
        """Write that a notification was sent."""
        write_json(self._path(week, kind), content)

    def _path(self, week: date, kind: str) -> Location:
        return self._folder / f"{week}-{kind}.json"
