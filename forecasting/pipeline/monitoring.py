"""The stages of monitoring, as plain functions: scores of matured forecasts, the promise, and the alarms."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from typing import Any

import pandas as pd
from prefect.events import emit_event

from flows.prefect_tasks import stopwatch, tell
from forecasting.compute import Cluster
from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK, weeks_between
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.drift import MIN_BASELINE_WEEKS, baseline_from_backtest, detect_drift
from forecasting.core.folds import Folds
from forecasting.pipeline.backtest import of_lake, run_folds
from forecasting.pipeline.batch import current_forecast
from forecasting.pipeline.scoring import score_published
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

DRIFTED = "oj.model.drifted"
WEEKS_BEFORE_BASELINE = 4  # weeks: a lake that is only being tried is spared the backtest
MOST_FOLDS = 52
HISTORY_BEFORE_FOLDS = 26  # weeks of sales before the first fold
BASELINE_SECONDS = 600.0  # after these the backtest begins no fold any more


def monitor(lake: Lake, spec: ForecastSpec) -> dict[str, Any]:
    """Score what has matured, and hold it against the promise. Whatever goes wrong here costs no forecast.

    Returns:
        Plain values: `scored` (runs whose scores are new or have changed), `week` (the newest week that has
        matured) and its `steps` (scores by step), `expected` (whether drift is watched) and `alarms` (of that
        week, and any that a correction has raised of an earlier one); only `error` where it could not be done.
    """
    found: dict[str, Any] = {}
    with best_effort("Earlier forecasts could not be monitored", found):
        scored = mature_forecasts(lake)
        scores = lake.monitoring.scores()
        found |= {"scored": scored, **_newest(scores), **update_alerts(lake, spec, scores)}
    return found


@contextmanager
def best_effort(trouble: str, record: dict[str, Any] | None = None) -> Iterator[None]:
    """Log whatever is raised in the `with` block as this trouble, and go on; the receipt gets it as `error`."""
    try:
        yield
    except Exception as error:
        logger.warning("%s (%s): %s", trouble, type(error).__name__, error)
        if record is not None:
            record["error"] = f"{type(error).__name__}: {error}"


def mature_forecasts(lake: Lake) -> int:
    """Score every forecast in force of which a week has been collected, or corrected, since it was scored last.

    So is one that was replaced under the same run id. One whose file is damaged is left alone until it is made anew.

    Returns:
        How many runs were scored.
    """
    digests = {week: lake.sales.digest(week) for week in lake.sales.weeks()}
    due = []
    for cutoff in lake.forecasts.cutoffs():
        if run_id := lake.forecasts.run_id(cutoff):
            kept, digest = lake.monitoring.scores_metadata(cutoff, run_id), lake.forecasts.digest(cutoff)
            if kept.get("forecast") != digest:
                if (forecast := current_forecast(lake, cutoff)) is None:
                    logger.warning("The forecast of the week of %s is damaged: run it again to have it scored", cutoff)
                    continue
                kept = {"forecast": digest, "weeks": json.dumps(_weeks_of(forecast)), "actuals": "{}"}
            weeks = json.loads(kept["weeks"])
            actuals = {week: digests[day] for week in weeks if (day := date.fromisoformat(week)) in digests}
            if actuals != json.loads(kept["actuals"]):
                due.append((cutoff, run_id, kept | {"actuals": json.dumps(actuals)}))
    sales = lake.sales.read() if due else schemas.SALES.empty()
    for cutoff, run_id, metadata in due:
        rows = score_published(lake.forecasts.read(cutoff), run_id, sales)
        asked = lake.forecasts.spec_of(cutoff, run_id)
        key = {"baseline": monitor_key(asked.as_dict())} if asked else {}
        lake.monitoring.write_scores(cutoff, run_id, rows, metadata | key)
    return len(due)


def update_alerts(lake: Lake, spec: ForecastSpec, scores: pd.DataFrame) -> dict[str, Any]:
    """Hold the forecasts in force against the promise of this run's model, and keep the alarms of each week.

    An alarm that was raised stands, whatever is corrected later.
    """
    key = monitor_key(spec.as_dict())
    baseline = lake.monitoring.baseline(key)
    is_monitored = baseline["week"].nunique() >= MIN_BASELINE_WEEKS
    if not is_monitored or scores.empty:
        return {"expected": is_monitored, "alarms": []}
    by_week: dict[date, list[dict[str, Any]]] = {}
    for alarm in detect_drift(_of_monitor(lake, scores, key), baseline):
        plain = {**asdict(alarm), "week": str(alarm.week), "since": str(alarm.since)}
        by_week.setdefault(alarm.week, []).append(plain)
    newest = scores["week"].max().date()
    to_tell = {newest}
    for week, alarms in by_week.items():
        if lake.monitoring.add_alarms(week, key, alarms):
            _emit(lake, spec, week, alarms)
            to_tell.add(week)
    weeks = {str(week) for week in to_tell}
    return {
        "expected": True,
        "alarms": [alarm for alarm in lake.monitoring.alarms(newest, key) if alarm["week"] in weeks],
    }


def baseline_folds(lake: Lake, spec: ForecastSpec) -> Folds | None:
    """The folds of the backtest that is to promise what this run's model does; None where none is due.

    It is due once a few weeks have matured, where the lake has no promise yet. The folds are the weeks before the
    first one that has matured, as many as the time allows at the pace of this run's own forecast; fewer than drift
    can be told from are not worth while.
    """
    key = monitor_key(spec.as_dict())
    seconds = stopwatch.get().seconds.get("forecast")
    if seconds is None or not lake.monitoring.baseline(key).empty:
        return None
    matured = _of_monitor(lake, lake.monitoring.scores(), key)
    if matured["week"].nunique() < WEEKS_BEFORE_BASELINE:
        return None
    history = lake.sales.weeks()
    last = matured["week"].min().date() - WEEK * (spec.gap + 2)
    first = max(history[0] + WEEK * HISTORY_BEFORE_FOLDS, last - WEEK * (MOST_FOLDS - 1))
    cutoffs = weeks_between(first, last)[-max(int(BASELINE_SECONDS / max(seconds, 1e-3)), 1) :]
    return Folds(tuple(cutoffs), horizon=1, gap=spec.gap) if len(cutoffs) >= MIN_BASELINE_WEEKS else None


def build_baseline(
    cluster: Cluster,
    lake: Lake,
    spec: ForecastSpec,
    batch: BatchSpec,
    folds: Folds,
    on_progress: Callable[[int, int], None],
) -> int:
    """Backtest the run's model on its cluster, the newest folds first, and keep what they promise.

    A model may take longer to learn a fold than the run took to forecast by what is kept: when the time is up, the
    folds that are done are all. So few as not to be watched by are kept too, as the next run would get no further.

    Returns:
        How many folds were made.

    Raises:
        RunError: they are too few to tell drift from.
    """
    rows: list[pd.DataFrame] = []
    source, began = of_lake(lake), time.monotonic()
    refuses_nothing = BatchSpec(batch.mini_batch_size, timeout=batch.timeout, error_threshold=-1)
    for cutoff in reversed(folds.cutoffs):
        on_progress(len(rows), len(folds.cutoffs))
        fold = Folds((cutoff,), folds.horizon, folds.gap)
        of_fold, _ = run_folds(cluster, source, fold, [spec.model], spec.point, refuses_nothing, lambda *_: None)
        rows.append(of_fold)
        if time.monotonic() - began > BASELINE_SECONDS:
            break
    on_progress(len(rows), len(folds.cutoffs))
    key = monitor_key(spec.as_dict())
    metadata = {"model": spec.model, "point": spec.point, "folds": str(len(rows))}
    lake.monitoring.write_baseline(key, baseline_from_backtest(pd.concat(rows[::-1], ignore_index=True)), metadata)
    if len(rows) < MIN_BASELINE_WEEKS:
        raise RunError(
            f"Only {len(rows)} past weeks could be forecast by {spec.model} in {BASELINE_SECONDS:.0f} seconds, "
            f"and drift is told from {MIN_BASELINE_WEEKS}",
            f"to have it tried again, remove baselines/{key}.parquet",
        )
    return len(rows)


def monitor_key(asked: dict[str, Any]) -> str:
    """The name of the promise of a run: of its model, its point and its gap, which are what the scores depend on.

    Args:
        asked: as `ForecastSpec.as_dict` gives it.
    """
    told = json.dumps([asked.get(name) for name in ("model", "point", "gap")])
    readable = re.sub(r"[^A-Za-z0-9]+", "-", str(asked.get("model")))[:40]
    return f"{readable}-{sha256(told.encode()).hexdigest()[:8]}"


def _of_monitor(lake: Lake, scores: pd.DataFrame, key: str) -> pd.DataFrame:
    """The scores of the runs that a promise is of."""
    runs = scores[["cutoff", "run_id"]].drop_duplicates()
    same = [
        run.run_id
        for run in runs.itertuples()
        if lake.monitoring.scores_metadata(run.cutoff.date(), run.run_id).get("baseline") == key
    ]
    return scores[scores["run_id"].isin(same)]


def _newest(scores: pd.DataFrame) -> dict[str, Any]:
    """The newest week that has matured, and how it came out by step."""
    if scores.empty:
        return {}
    of_week = scores[(scores["week"] == scores["week"].max()) & (scores["dimension"] == "total")].sort_values("step")
    names = ["wape", "naive_wape", "bias", *(name for name in scores if name.startswith("coverage_"))]
    steps = {
        str(row["step"]): {name: None if pd.isna(row[name]) else round(float(row[name]), 4) for name in names}
        for row in of_week.to_dict("records")
    }
    return {"week": str(scores["week"].max().date()), "steps": steps}


def _weeks_of(forecast: pd.DataFrame) -> list[str]:
    return sorted({str(week.date()) for week in forecast["week"].unique()})


def _emit(lake: Lake, spec: ForecastSpec, week: date, alarms: list[dict[str, Any]]) -> None:
    """Tell Prefect, so that automations can follow."""
    resource = {"prefect.resource.id": f"oj.model.{spec.model}", "prefect.resource.name": spec.model}
    payload = {"week": str(week), "lake": str(lake.root), "alarms": alarms}
    tell(emit_event, event=DRIFTED, resource=resource, payload=payload)
