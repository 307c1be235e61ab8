"""The stage that monitors past forecasts: it scores them against what was sold, and raises alarms of drift."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import pandas as pd

from forecasting.best_effort import best_effort, sentence_of
from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.drift import MIN_BASELINE_WEEKS, Alarm, detect_drift
from forecasting.core.metrics import MEASURES, NAIVE_SUMS, score_rows
from forecasting.core.panel import build_panel
from forecasting.models import get_model
from forecasting.pipeline.baseline import monitor_key, scores_of_monitor
from forecasting.pipeline.publication import current_forecast
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepScores:
    """Scores of the newest matured week at one step, shares; None where nothing was sold.

    coverage: share of actuals within the interval, by level in percent.
    """

    wape: float | None
    naive_wape: float | None
    bias: float | None
    coverage: Mapping[int, float | None]


@dataclass(frozen=True)
class MonitoringResult:
    """How past forecasts came out.

    model: the model whose forecasts are compared with a baseline.
    scored: forecasts whose scores are new or have changed.
    week: the newest week that has matured; None where none has.
    steps: its scores by step.
    is_monitored: whether a baseline exists that drift is detected against.
    alarms: those of that week, and those that a correction raised for earlier weeks.
    new_alarm_weeks: weeks whose alarms this run has raised; others were raised by an earlier run.
    error: why monitoring failed, where it did.
    """

    model: str
    scored: int = 0
    week: date | None = None
    steps: Mapping[int, StepScores] = field(default_factory=dict)
    is_monitored: bool = False
    alarms: tuple[Alarm, ...] = ()
    new_alarm_weeks: tuple[date, ...] = ()
    error: str | None = None


def monitor(lake: Lake, spec: ForecastSpec) -> MonitoringResult:
    """Score what has matured, and compare it with the baseline of the run's model. An error here costs no forecast."""
    with best_effort("Past forecasts could not be monitored") as tried:
        scored = mature_forecasts(lake)
        scores = lake.monitoring.scores()
        is_monitored, alarms, new = update_alerts(lake, spec, scores)
        week = None if scores.empty else scores["week"].max().date()
        return MonitoringResult(spec.model, scored, week, _scores_by_step(scores), is_monitored, alarms, new)
    return MonitoringResult(spec.model, error=sentence_of(tried.error) if tried.error else None)


def mature_forecasts(lake: Lake) -> int:
    """Score published forecasts that have new or revised actuals, or that were replaced since they were scored.

    A forecast whose file is damaged is left out until its week is run again.

    Returns:
        How many forecasts were scored.
    """
    digests = {week: lake.sales.digest(week) for week in lake.sales.weeks()}
    due = []
    for cutoff in lake.forecasts.cutoffs():
        if run_id := lake.forecasts.run_id(cutoff):
            scored, digest = lake.monitoring.scores_metadata(cutoff, run_id), lake.forecasts.digest(cutoff)
            if scored.get("forecast") != digest:
                if (forecast := current_forecast(lake, cutoff)) is None:
                    logger.warning("The forecast of the week of %s is damaged: run it again to have it scored", cutoff)
                    continue
                scored = {"forecast": digest, "weeks": json.dumps(_weeks_of(forecast)), "actuals": "{}"}
            weeks = json.loads(scored["weeks"])
            actuals = {week: digests[day] for week in weeks if (day := date.fromisoformat(week)) in digests}
            if actuals != json.loads(scored["actuals"]):
                due.append((cutoff, run_id, scored | {"actuals": json.dumps(actuals)}))
    sales = lake.sales.read() if due else lake.sales.table.empty()
    definition = lake.reference.definition
    for cutoff, run_id, metadata in due:
        rows = score_published(lake.forecasts.read(cutoff), run_id, sales, definition)
        spec = lake.forecasts.spec_of(cutoff, run_id)
        lake.monitoring.write_scores(cutoff, run_id, rows, metadata | ({"baseline": monitor_key(spec)} if spec else {}))
    return len(due)


def update_alerts(
    lake: Lake, spec: ForecastSpec, scores: pd.DataFrame
) -> tuple[bool, tuple[Alarm, ...], tuple[date, ...]]:
    """Compare the published forecasts with the baseline of this run's model, and write the alarms of each week.

    An alarm that was raised stays, whatever is corrected later.

    Returns:
        Whether there is a baseline; the alarms of the newest week and of the weeks whose alarms are new; those weeks.
    """
    key = monitor_key(spec)
    baseline = lake.monitoring.baseline(key)
    is_monitored = baseline["week"].nunique() >= MIN_BASELINE_WEEKS
    if not is_monitored or scores.empty:
        return is_monitored, (), ()
    by_week: dict[date, list[Alarm]] = {}
    for alarm in detect_drift(scores_of_monitor(lake, scores, key), baseline, spec.definition.product):
        by_week.setdefault(alarm.week, []).append(alarm)
    new = tuple(week for week, alarms in by_week.items() if lake.monitoring.add_alarms(week, key, alarms))
    newest = scores["week"].max().date()
    raised = lake.monitoring.alarms(newest, key)
    return True, tuple(alarm for alarm in raised if alarm.week in {newest, *new}), new


def _scores_by_step(scores: pd.DataFrame) -> dict[int, StepScores]:
    """Return how the newest matured week came out, by step."""
    of_week = scores[(scores["week"] == scores["week"].max()) & (scores["dimension"] == "total")].sort_values("step")

    def share(value: float) -> float | None:
        return None if pd.isna(value) else round(float(value), 4)

    return {
        int(row["step"]): StepScores(
            wape=share(row["wape"]),
            naive_wape=share(row["naive_wape"]),
            bias=share(row["bias"]),
            coverage={level: share(row[f"coverage_{level}"]) for level in schemas.LEVELS},
        )
        for row in of_week.to_dict("records")
    }


def _weeks_of(forecast: pd.DataFrame) -> list[str]:
    return sorted({str(week.date()) for week in forecast["week"].unique()})


def score_published(
    published: pd.DataFrame, run_id: str, sales: pd.DataFrame, definition: PanelDefinition
) -> pd.DataFrame:
    """Score every step of a published forecast whose week has been collected.

    A series without a reported sale in a week does not count in it. The naive forecast is that of the model `naive`:
    each series' last observed week at the cutoff.

    Args:
        published: table `forecast` of one cutoff.
        run_id: the run that published it.
        sales: table `sales`, of closed weeks only.
        definition: what the sales are.

    Returns:
        Table `scores`; empty where no week of it has been collected.
    """
    rows = published.merge(sales.rename(columns={"units": "actual"}), on=schemas.CELL)
    if rows.empty:
        return schemas.SCORES.empty()
    rows = rows.merge(_naive_measures(rows, sales, definition), on=[*schemas.SERIES, "step"])
    return schemas.SCORES.cast(score_rows(rows).assign(run_id=run_id))


def _naive_measures(rows: pd.DataFrame, sales: pd.DataFrame, definition: PanelDefinition) -> pd.DataFrame:
    """Return `store, product, step, naive_…`: the measures of the naive forecast of the same rows."""
    cutoff, steps = rows["cutoff"].iloc[0].date(), rows["step"]
    # Its forecast of a week does not depend on the other weeks asked for, nor on the day on which weeks open.
    spec = ForecastSpec(
        cutoff,
        horizon=int(steps.max() - steps.min() + 1),
        gap=int(steps.min()) - 1,
        model="naive",
        definition=replace(definition, week_starts_on=cutoff.weekday(), covariates=()),
    )
    no_plan = schemas.promotions(spec.definition).empty()
    panel = build_panel(sales, no_plan, rows[schemas.SERIES].drop_duplicates(), cutoff)
    naive = get_model(spec.model).forecast(panel, no_plan, spec).summarise(schemas.LEVELS)
    row = [*schemas.SERIES, "step"]
    naive = naive.rename(columns={spec.point: "forecast"}).merge(rows[[*row, "actual"]], on=row)
    return naive[row].assign(**{name: MEASURES[name.removeprefix("naive_")](naive) for name in NAIVE_SUMS})
