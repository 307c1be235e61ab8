"""The view model of a week: everything that its page shows, gathered from the lake."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id, PanelDefinition
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.core.completeness import CompletenessReport
from forecasting.core.drift import Alarm
from forecasting.core.revision import Revision, revision_of
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.pipeline.publication import PublishedForecast
from forecasting.pipeline.report import table_of
from forecasting.presentation import words
from forecasting.presentation.facts import Fact
from forecasting.presentation.highlights import ReportHighlights
from forecasting.presentation.stages import collected, stages_of
from forecasting.presentation.view import run_facts, seconds_line
from forecasting.storage.lake import Lake

# Earlier forecasts that a page compares with the actuals: two quarters.
WEEKS_BEFORE = 26


@dataclass(frozen=True)
class WeekView(ReportHighlights):
    """One published cutoff, for people. Any table but the first may be empty.

    report: table `report` of the cutoff.
    earlier: rows of table `forecast` of earlier cutoffs, of weeks that have been sold.
    scores: table `scores` of the published forecasts.
    alarms: those of the week, and those that a correction raised for earlier weeks.
    corrections: table `corrections`: what re-sent weeks changed since the run before.
    replaced: the forecast of this cutoff that the published one replaced (table `forecast`).
    point, run_id, version: of the published forecast; `version` of a registered model, else None.
    record: the run that made the forecast, where its record is kept.
    completeness: what was expected of the week and what arrived, where it is kept.
    """

    report: pd.DataFrame
    earlier: pd.DataFrame
    scores: pd.DataFrame
    corrections: pd.DataFrame
    replaced: pd.DataFrame
    stores: pd.DataFrame
    panel: PanelDefinition
    alarms: Sequence[Alarm] = ()
    point: str = "median"
    run_id: str = "unknown"
    version: str | None = None
    record: RunRecord | None = None
    completeness: CompletenessReport | None = None

    @cached_property
    def cutoff(self) -> pd.Timestamp:
        return self.forecast["cutoff"].iloc[0]

    @cached_property
    def forecast(self) -> pd.DataFrame:
        """The rows of the report that are forecast."""
        return self.report[self.report["kind"] == "forecast"]

    @cached_property
    def actual(self) -> pd.DataFrame:
        """The rows of the report that were sold."""
        return self.report[self.report["kind"] == "actual"]

    @cached_property
    def revision(self) -> Revision | None:
        """How the forecast differs from the one that it replaced."""
        if self.replaced.empty:
            return None
        return revision_of(self.replaced, self.forecast.rename(columns={"units": "forecast"}))

    @cached_property
    def product_names(self) -> dict[Id, str]:
        """The name of each product, in the order in which people sort them."""
        first = self.report.drop_duplicates("product").set_index("product")["product_name"].to_dict()
        return _distinct({product: str(first[product]) for product in words.in_natural_order(first)})

    @cached_property
    def store_names(self) -> dict[Id, str]:
        """The name of each store, its id where it has none, in the order in which people sort them."""
        names = self.stores.dropna(subset="name").set_index("store")["name"].to_dict()
        ids = words.in_natural_order(self.report["store"].unique().tolist())
        return _distinct({store: str(names.get(store, store)) for store in ids})

    @cached_property
    def matured(self) -> pd.DataFrame:
        """Earlier forecasts of weeks that were sold since, with the sales as `actual`."""
        sold = self.actual[[*schemas.CELL, "units"]].rename(columns={"units": "actual"})
        return self.earlier.merge(sold, on=schemas.CELL, how="inner")

    @cached_property
    def facts(self) -> list[Fact]:
        """The data, the forecast, and what is kept of the run that made it; no files of the machine that ran it."""
        actual, store, product = self.actual, self.panel.store, self.panel.product
        series = self.forecast.drop_duplicates(schemas.SERIES)
        models = series["model"].value_counts().to_dict()
        data = (
            f"{words.count(len(actual), 'row')} of sales, {words.day(actual['week'].min())} to "
            f"{words.day(actual['week'].max())}, {words.count(actual['store'].nunique(), store.word, store.words)}, "
            f"{words.count(actual['product'].nunique(), product.word, product.words)}"
        )
        weeks = [words.day(week) for week in sorted(self.forecast["week"].unique())]
        of_weeks = f"the week of {weeks[0]}" if len(weeks) == 1 else f"the weeks of {weeks[0]} to {weeks[-1]}"
        found = [
            Fact("data", data),
            Fact("series", f"{words.series(len(series))}, {of_weeks}"),
            Fact("models", ", ".join(f"{model} ({words.series(count)})" for model, count in models.items())),
            *([Fact("model version", self.version)] if self.version else []),
            Fact("point", f"{self.point} of the distribution"),
        ]
        if self.record is None or self.record.result(PublishedForecast) is None:
            found.append(Fact("run id", self.run_id))
        if self.record is None or self.record.result(IngestResult) is None:
            found += [Fact("collected", collected(self.completeness, self.panel))] if self.completeness else []
        if self.record:
            found += [fact for stage in stages_of(self.record) for fact in stage.facts if not fact.path]
            found += run_facts(self.record)
            found += [Fact("seconds", seconds_line(self.record))] if self.record.seconds_by_stage else []
        return found


def week_view(lake: Lake, cutoff: date, record: RunRecord | None = None) -> WeekView:
    """Gather what the page of a published cutoff shows.

    Args:
        record: of the run that is under way, where there is one; where an earlier run published the forecast, the
            record that the lake keeps of that run is shown.
    """
    published = lake.forecasts.metadata(cutoff)
    shown = _record_of(lake, cutoff, record)
    ingest = shown.result(IngestResult) if shown else None
    return WeekView(
        report=table_of(lake, cutoff),
        earlier=_of_sold_weeks(lake.forecasts.before(cutoff, WEEKS_BEFORE), cutoff),
        scores=_of_sold_weeks(lake.monitoring.scores(), cutoff),
        corrections=lake.corrections.read(cutoff),
        replaced=lake.forecasts.replaced(cutoff),
        stores=lake.reference.stores(),
        alarms=_alarms(lake, cutoff, *filter(None, [record, shown])),
        point=published.get("point", "median"),
        run_id=published.get("run_id", "unknown"),
        version=published.get("model_version"),
        record=shown,
        completeness=ingest.completeness if ingest else _completeness(lake, cutoff),
        panel=lake.reference.definition,
    )


def _distinct(names: dict[Id, str]) -> dict[Id, str]:
    """Return the names, with the id where several have the same."""
    times = Counter(names.values())
    return {key: name if times[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def _record_of(lake: Lake, cutoff: date, under_way: RunRecord | None) -> RunRecord | None:
    """Return the record of the run that published the forecast: the one under way, or the one that the lake keeps."""
    if under_way and under_way.outcome is Outcome.PUBLISHED:
        return under_way
    return lake.runs.of(cutoff, lake.forecasts.run_id(cutoff)) or under_way


def _completeness(lake: Lake, cutoff: date) -> CompletenessReport | None:
    """Return what the lake keeps of the week; a run that failed after it had published leaves no other record."""
    return lake.completeness.read(cutoff) if cutoff in lake.completeness.weeks() else None


def _alarms(lake: Lake, cutoff: date, *records: RunRecord) -> tuple[Alarm, ...]:
    """Return the alarms of the week, and those that a correction that its run took in raised for earlier weeks."""
    found = [alarm for alarm in lake.monitoring.alarms(cutoff) if alarm.week == cutoff]
    for record in records:
        monitoring = record.result(MonitoringResult)
        alarms = monitoring.alarms if monitoring else ()
        found += [alarm for alarm in alarms if alarm.week < cutoff and alarm not in found]
    return tuple(found)


def _of_sold_weeks(rows: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    return rows[rows["week"] <= pd.Timestamp(cutoff)]
