"""The baseline of a monitor: a backtest of the run's model, against which the scores of its forecasts are compared.

It is built once for each model, after everything that people wait for: it takes minutes.
"""

import json
import re
import time
from dataclasses import dataclass
from hashlib import sha256

import pandas as pd

from forecasting.compute import Cluster
from forecasting.contracts.calendar import WEEK, weeks_between
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.drift import MIN_BASELINE_WEEKS, baseline_from_backtest
from forecasting.core.folds import Folds
from forecasting.pipeline.backtest import of_lake, run_folds
from forecasting.pipeline.batch import Progress
from forecasting.storage.lake import Lake

WEEKS_BEFORE_BASELINE = 4  # matured weeks: a lake that is only being tried is spared the backtest
MOST_FOLDS = 52
HISTORY_BEFORE_FOLDS = 26  # weeks of sales before the first fold
BASELINE_SECONDS = 600.0  # after these the backtest begins no further fold


@dataclass(frozen=True)
class BaselineResult:
    """The baseline that this run has built: from how many folds of a backtest."""

    folds: int


def folds_due(lake: Lake, spec: ForecastSpec, seconds: float | None) -> Folds | None:
    """Return the folds of the backtest that becomes the baseline of this run's model; None where none is due.

    It is due once a few weeks have matured. The folds are the weeks before the first matured one, as many as the
    time allows at the pace of this run's own forecast. No backtest is made where these are too few to detect drift.

    Args:
        seconds: what the run's own forecast took; None where it made none.
    """
    key = monitor_key(spec)
    if seconds is None or not lake.monitoring.baseline(key).empty:
        return None
    matured = scores_of_monitor(lake, lake.monitoring.scores(), key)
    if matured["week"].nunique() < WEEKS_BEFORE_BASELINE:
        return None
    history = lake.sales.weeks()
    last = matured["week"].min().date() - WEEK * (spec.gap + 2)
    first = max(history[0] + WEEK * HISTORY_BEFORE_FOLDS, last - WEEK * (MOST_FOLDS - 1))
    cutoffs = weeks_between(first, last)[-max(int(BASELINE_SECONDS / max(seconds, 1e-3)), 1) :]
    return Folds(tuple(cutoffs), horizon=1, gap=spec.gap) if len(cutoffs) >= MIN_BASELINE_WEEKS else None


def build_baseline(
    cluster: Cluster, lake: Lake, spec: ForecastSpec, batch: BatchSpec, folds: Folds, *, on_progress: Progress
) -> BaselineResult:
    """Backtest the run's model, the newest folds first, and write the scores as its baseline.

    A fold may take longer than the run's own forecast, which may have used a registered model: when the time is up,
    the folds that are done become the baseline. Too few of them are written too, as the next run would get no further.

    Raises:
        RunError: they are too few to detect drift.
    """
    rows: list[pd.DataFrame] = []
    source, began = of_lake(lake), time.monotonic()
    refuses_nothing = BatchSpec(batch.mini_batch_size, timeout=batch.timeout, error_threshold=-1)
    for cutoff in reversed(folds.cutoffs):
        on_progress(len(rows), len(folds.cutoffs))
        fold = Folds((cutoff,), folds.horizon, folds.gap)
        models = [spec.model]
        of_fold, _ = run_folds(cluster, source, fold, models, spec.point, refuses_nothing, on_progress=lambda *_: None)
        rows.append(of_fold)
        if time.monotonic() - began > BASELINE_SECONDS:
            break
    on_progress(len(rows), len(folds.cutoffs))
    key = monitor_key(spec)
    metadata = {"model": spec.model, "point": spec.point, "folds": str(len(rows))}
    lake.monitoring.write_baseline(key, baseline_from_backtest(pd.concat(rows[::-1], ignore_index=True)), metadata)
    if len(rows) < MIN_BASELINE_WEEKS:
        raise RunError(
            f"Only {len(rows)} past weeks could be forecast by {spec.model} in {BASELINE_SECONDS:.0f} seconds, "
            f"and drift is detected from {MIN_BASELINE_WEEKS}",
            f"to have it tried again, remove baselines/{key}.parquet",
        )
    return BaselineResult(len(rows))


def monitor_key(spec: ForecastSpec) -> str:
    """Return the name of the baseline of a model, its point and its gap, which are what the scores depend on."""
    parts = json.dumps([spec.model, spec.point, spec.gap])
    readable = re.sub(r"[^A-Za-z0-9]+", "-", spec.model)[:40]
    return f"{readable}-{sha256(parts.encode()).hexdigest()[:8]}"


def scores_of_monitor(lake: Lake, scores: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return the scores of the runs that the baseline of this name is for."""
    runs = scores[["cutoff", "run_id"]].drop_duplicates()
    same = [
        run.run_id
        for run in runs.itertuples()
        if lake.monitoring.scores_metadata(run.cutoff.date(), run.run_id).get("baseline") == key
    ]
    return scores[scores["run_id"].isin(same)]
