"""What writers lay out in tests: small made-up weeks, with hostile names where asked for, and results of stages."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasting.compute.usage import ClusterUsage
from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import Acceptance, CompletenessReport, Incomplete, WeekStatus
from forecasting.core.drift import Alarm
from forecasting.core.metrics import score_rows
from forecasting.core.report import report_table
from forecasting.core.revision import RevisedForecast, Revision
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.monitoring import MonitoringResult, StepScores
from forecasting.pipeline.publication import PublishedForecast
from forecasting.pipeline.report import ReportResult
from forecasting.presentation.week import WeekView
from forecasting.storage.database import DatabaseLoad
from tests.strategies import whole_offers

CUTOFF = pd.Timestamp("1992-04-16")
WEEK = CUTOFF.date()
# A week that a person let go on with its gaps.
ACCEPTED_WITH_GAPS = CompletenessReport(
    WEEK,
    rows=0,
    week_before=None,
    expected=(1, 2, 5, 8),
    received=(1,),
    missing=(2, 5),
    incomplete=(Incomplete(8, products=(1, 2)),),
    status=WeekStatus.ACCEPTED_WITH_GAPS,
    accepted=Acceptance("anna", "strike", datetime(1992, 4, 24, 8, tzinfo=UTC)),
)
HOSTILE = [
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "<svg onload=window.hacked=1>",
    "' onmouseover='window.hacked=1",
    "<!--<script>",
    "--></script><b>bold</b>",
    "{{ 7 * 7 }}{% raw %}",
    "${window.hacked=1}",
    "datum.t > 0 ? (window.hacked=1) : 0",
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)|cmd",
    "javascript:window.hacked=1",
    "<a href=javascript:window.hacked=1>click</a>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'>",
    "</style><style>body{display:none}</style>",
    "</title></head><meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<base href=http://evil.example>",
    "<form action=http://evil.example><input autofocus onfocus=window.hacked=1>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "__proto__",
    "constructor",
    "\u2028window.hacked=1\u2029",
    "]]><script>window.hacked=1</script>",
    "\\u003cscript\\u003ewindow.hacked=1\\u003c/script\\u003e",
]


def made_up(stores: int = 3, products: int = 2, weeks: int = 30, *, names: list[str] | None = None) -> WeekView:
    """A first week: nothing has matured, nothing is wrong. `names`: of the products, then of the stores."""
    names = names or [f"Product {product}" for product in range(1, products + 1)]
    random = np.random.default_rng(1)
    history = pd.date_range(CUTOFF - pd.Timedelta(weeks=weeks - 1), CUTOFF, freq="7D")
    ahead = pd.date_range(CUTOFF + pd.Timedelta(weeks=1), periods=2, freq="7D")
    cells = pd.MultiIndex.from_product(
        [range(1, stores + 1), range(1, products + 1), [*history, *ahead]], names=schemas.CELL
    ).to_frame(index=False)
    promotions = cells.assign(price=2.49, deal=0, feat=0.0)
    promotions.loc[random.random(len(cells)) < 0.1, ["price", "deal", "feat"]] = [1.99, 1, 1.0]
    past = cells["week"] <= CUTOFF
    sales = cells[past].assign(units=random.poisson(100, past.sum()))
    table = report_table(
        orange_juice.SALES.cast(sales),
        orange_juice.PROMOTIONS.cast(whole_offers(promotions)),
        forecast_of(cells[~past], CUTOFF),
        pd.DataFrame({"product": range(1, products + 1), "name": names[:products]}),
        ORANGE_JUICE,
    )
    store_names = names[products : products + stores]
    return WeekView(
        panel=ORANGE_JUICE,
        report=table,
        earlier=orange_juice.FORECAST.empty(),
        scores=schemas.SCORES.empty(),
        corrections=orange_juice.CORRECTIONS.empty(),
        replaced=orange_juice.FORECAST.empty(),
        run_id="0123456789abcdef",
        completeness=ingest_of().completeness,
        record=record_of(ingest_of()),
        stores=pd.DataFrame(
            {"store": range(1, stores + 1), "name": store_names + [None] * (stores - len(store_names))}
        ),
    )


def forecast_of(cells: pd.DataFrame, cutoff: pd.Timestamp, units: float = 100.0) -> pd.DataFrame:
    """A flat forecast of cells."""
    rows = cells.assign(
        cutoff=cutoff,
        step=(cells["week"] - cutoff).dt.days // 7,
        forecast=units,
        lo_80=0.8 * units,
        hi_80=1.2 * units,
        lo_95=0.7 * units,
        hi_95=1.3 * units,
        model="mean",
        reason=None,
        promotion_known=True,
    )
    return orange_juice.FORECAST.cast(rows)


def earlier_forecasts(week: WeekView, weeks: int) -> pd.DataFrame:
    """Flat forecasts of the last `weeks` weeks, each made the week before."""
    cells = week.actual[week.actual["week"] > week.cutoff - pd.Timedelta(weeks=weeks)][schemas.CELL]
    made = [forecast_of(rows, day - pd.Timedelta(weeks=1)) for day, rows in cells.groupby("week")]
    return pd.concat(made, ignore_index=True)


def scores_of(earlier: pd.DataFrame, actual: pd.DataFrame) -> pd.DataFrame:
    """Table `scores` of earlier forecasts."""
    sold = actual[[*schemas.CELL, "units"]].rename(columns={"units": "actual"})
    rows = earlier.merge(sold, on=schemas.CELL)
    last = sold.rename(columns={"week": "cutoff", "actual": "naive"})
    rows = rows.merge(last, on=["store", "product", "cutoff"], how="left")
    rows["naive"] = rows["naive"].fillna(rows["forecast"])
    rows["naive_absolute_error"] = (rows["naive"] - rows["actual"]).abs()
    rows["naive_pinball"] = rows["naive_absolute_error"] / 4
    table = score_rows(rows, ("total", "product", "store")).assign(run_id="0" * 16)
    return schemas.SCORES.cast(table)


def ingest_of(**changed: Any) -> IngestResult:
    """A whole week of 3 stores."""
    report = CompletenessReport(WEEK, 6, None, (1, 2, 3), (1, 2, 3), (), (), WeekStatus.WHOLE)
    return replace(IngestResult(report, rows_in=6, accepted=6, duplicates=0, quarantined=0), **changed)


def with_gaps() -> IngestResult:
    """A week of 83 stores with gaps, quarantined rows, corrections and a note on its inbox, and large numbers."""
    report = CompletenessReport(
        WEEK,
        rows=4_476_000,
        week_before=date(1992, 4, 9),
        expected=tuple(range(83)),
        received=tuple(range(71)),
        missing=tuple(range(100, 110)),
        incomplete=(Incomplete(8, (1, 2, 3)), Incomplete(9, days=(date(1992, 4, 16), date(1992, 4, 17)))),
        status=WeekStatus.ACCEPTED_WITH_GAPS,
        accepted=Acceptance("Ada", "strike", datetime(1992, 4, 23, 8, tzinfo=UTC)),
    )
    return IngestResult(
        report,
        rows_in=4_477_000,
        accepted=4_476_000,
        duplicates=500,
        quarantined=500,
        quarantined_by_rule={"not_a_number": 300, "cut_row": 150, "negative": 50, "unknown_store": 1_234_567},
        corrected_by_week={date(1992, 4, 9): 4_477, date(1992, 4, 16): 1},
        late_files={date(1992, 4, 2): ("b.csv", "a.csv")},
        notes=("store 2 is left in the inbox",),
    )


def monitoring_of(**changed: Any) -> MonitoringResult:
    """Two steps of a matured week; nothing was sold of the second."""
    scores = StepScores(0.2398, 1.1499, -0.0739, {80: 0.8346, 95: 0.9397})
    steps = {1: scores, 2: replace(scores, wape=None)}
    return replace(MonitoringResult("price_response", 2, date(1992, 4, 30), steps, is_monitored=True), **changed)


def alarm_of(sentence: str, week: date = WEEK) -> Alarm:
    """An alarm of a week."""
    return Alarm(week, "accuracy", 0.4, 0.2, week, sentence)


def published_of(path: Path, **changed: Any) -> PublishedForecast:
    """A published forecast of many series, with fallbacks, and a revision."""
    most = RevisedForecast(137, 11, date(1992, 4, 23), 1, 1e6, 2e6)
    published = PublishedForecast(
        path=str(path),
        run_id="0123456789abcdef",
        as_of=datetime(1992, 4, 23, 6, tzinfo=UTC),
        is_new=True,
        series=913_000,
        rows=1_826_000,
        series_by_model={"mean": 6, "price_response": 912_994},
        fallbacks_by_reason={"raised": 3, "timed_out": 2, "worker_lost": 1},
        rows_without_plan=17,
        partitions=400,
        revision=Revision(912_999, 1, 0, 1e9, 2e9, (most,)),
    )
    return replace(published, **changed)


def record_of(*results: object, **changed: Any) -> RunRecord:
    """A run that has published, with these results."""
    spec = ForecastSpec(WEEK, horizon=26, model="price_response")
    record = RunRecord(
        spec,
        datetime(1992, 4, 23, 6, tzinfo=UTC),
        Outcome.PUBLISHED,
        seconds_by_stage=dict.fromkeys(["collect", "validate", "gate", "prepare", "forecast", "publish"], 99.9)
        | {"total": 700.0},
    )
    for result in results:
        record = record.with_result(result)
    return replace(record, **changed)


def full_record(report: Path) -> RunRecord:
    """A run with something of everything."""
    usage = ClusterUsage(workers=64, seconds_starting=12.3, seconds_up=4567.8, left_over=(12345, 23456))
    error = "The database reporting could not be loaded: nobody listens."
    return record_of(
        with_gaps(),
        usage,
        published_of(report.parent / "published" / "forecast.parquet"),
        ReportResult(str(report), WEEK),
        DatabaseLoad("reporting", error=error),
    )
