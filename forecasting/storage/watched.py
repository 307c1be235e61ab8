"""What a lake watches of its forecasts: how they came out, what was promised of them, and the alarms of drift."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import SchemaError
from forecasting.storage.files import read_hashed, read_json, read_table, read_undamaged, write_json, write_table
from forecasting.storage.published import Published
from forecasting.storage.weekly_table import dates


class Watched(Published):
    """The part of a lake that tells how good its forecasts are; `forecasting.pipeline.monitoring` writes it."""

    def scores(self) -> pd.DataFrame:
        """How the forecasts in force came out (table `scores`), for every week of theirs that has been collected.

        A damaged file is left out until it is written anew.
        """
        found = [
            self.scores_path(cutoff, run_id)
            for cutoff in self.published_cutoffs()
            if (run_id := self.published_run_id(cutoff))
        ]
        return read_undamaged([path for path in found if path.exists()], schemas.SCORES)

    def scores_metadata(self, cutoff: date, run_id: str) -> dict[str, str]:
        """What was said of a run's scores; empty where it has none, or their file is damaged."""
        path = self.scores_path(cutoff, run_id)
        try:
            return read_hashed(path, schemas.SCORES)[1] if path.exists() else {}
        except SchemaError:
            return {}  # it is written anew

    def write_scores(self, cutoff: date, run_id: str, rows: pd.DataFrame, metadata: dict[str, str]) -> None:
        write_table(self.scores_path(cutoff, run_id), rows, schemas.SCORES, metadata)

    def scores_path(self, cutoff: date, run_id: str) -> Path:
        return self.root / "scores" / str(cutoff) / f"{run_id}.parquet"

    def baseline(self, key: str) -> pd.DataFrame:
        """What was promised (table `baseline`); empty where nothing was, or its file is damaged."""
        path = self._baseline_path(key)
        try:
            return read_table(path, schemas.BASELINE) if path.exists() else schemas.BASELINE.empty()
        except SchemaError:
            return schemas.BASELINE.empty()  # it is made anew

    def write_baseline(self, key: str, rows: pd.DataFrame, metadata: dict[str, str]) -> None:
        write_table(self._baseline_path(key), rows, schemas.BASELINE, metadata)

    def _baseline_path(self, key: str) -> Path:
        return self.root / "baselines" / f"{key}.parquet"

    def add_alarms(self, week: date, key: str, alarms: list[dict[str, Any]]) -> bool:
        """Keep the alarms of a week against a promise; False where it has some already, which stand."""
        kept = self._alarms_of(week)
        if any(alarm.get("baseline", key) == key for alarm in kept):
            return False
        write_json(self._alarms_path(week), {"alarms": [*kept, *({**alarm, "baseline": key} for alarm in alarms)]})
        return True

    def alarms(self, until: date, key: str | None = None) -> list[dict[str, Any]]:
        """Every alarm raised up to that week, oldest first.

        Args:
            key: of the promise that was not kept; None for every one.

        Returns:
            Plain values: `week, statistic, value, expected, since, sentence, baseline`.
        """
        weeks = [week for week in dates(self.root / "alarms", "*.json") if week <= until]
        found = [alarm for week in weeks for alarm in self._alarms_of(week)]
        return [alarm for alarm in found if key is None or alarm.get("baseline", key) == key]

    def _alarms_of(self, week: date) -> list[dict[str, Any]]:
        path = self._alarms_path(week)
        alarms: list[dict[str, Any]] = read_json(path)["alarms"] if path.exists() else []
        return alarms

    def _alarms_path(self, week: date) -> Path:
        return self.root / "alarms" / f"{week}.json"
