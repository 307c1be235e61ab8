"""The last stage of a week: its report, as a table for tools and as a page for people."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting.contracts.errors import DataError
from forecasting.core import report as reports
from forecasting.pipeline.table_files import write_table_files
from forecasting.presentation.html import Content, render
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

# Earlier forecasts that a page holds against what was sold: two quarters.
WEEKS_BEFORE = 26


@dataclass(frozen=True)
class Reported:
    """The table `report` as it was written, and its cutoff."""

    path: Path
    cutoff: date
    table: pd.DataFrame = field(repr=False)


def report(lake: Lake) -> Reported:
    """Write the tables of the report: all history up to the last published cutoff, and its forecast."""
    cutoff = lake.forecasts.newest()
    metadata = {"cutoff": str(cutoff), "run_id": lake.forecasts.run_id(cutoff) or ""}
    table = _report_table(lake, cutoff)
    path = lake.reports.write_table(table, metadata)
    write_table_files(lake)
    return Reported(path, cutoff, table)


def try_page(lake: Lake, cutoff: date, record: Mapping[str, Any], reported: Reported) -> dict[str, Any]:
    """Write the page of a week, for its receipt: the path, or why there is none. Never costs a run its forecast.

    Args:
        reported: what the run has just written; a week that is run again may be an earlier one.
    """
    try:
        path = write_page(lake, cutoff, record, reported.table if reported.cutoff == cutoff else None)
    except Exception as error:  # whatever a page may fail of: the forecast is published
        logger.warning("The report of the week of %s could not be written: %s", cutoff, error)
        return {"error": str(error) or type(error).__name__}
    return {"path": str(path), "bytes": path.stat().st_size}


def write_page(
    lake: Lake, cutoff: date, record: Mapping[str, Any] | None = None, table: pd.DataFrame | None = None
) -> Path:
    """Write the page of a published cutoff.

    Args:
        receipt: what the run that is under way knows so far; where its forecast was published by an earlier run,
            or none is given, the receipt that the lake keeps.
        table: the table `report` of that cutoff, where it is at hand.

    Raises:
        DataError: nothing is published for that cutoff.
    """
    if not lake.forecasts.path(cutoff).exists():
        newest = lake.forecasts.newest()
        raise DataError(
            f"No forecast is published for the week of {cutoff}",
            f"name another with --cutoff (the newest is {newest}), or make it: oj run --cutoff {cutoff}",
        )
    table = _report_table(lake, cutoff) if table is None else table
    return lake.reports.write_page(cutoff, render(_content(lake, cutoff, record or {}, table), str(cutoff)))


def _content(lake: Lake, cutoff: date, so_far: Mapping[str, Any], table: pd.DataFrame) -> Content:
    record = _receipt(lake, cutoff, so_far)
    return Content(
        report=table,
        earlier=_of_sold_weeks(lake.forecasts.before(cutoff, WEEKS_BEFORE), cutoff),
        scores=_of_sold_weeks(lake.monitoring.scores(), cutoff),
        alarms=_alarms(lake, cutoff, so_far, record),
        corrections=lake.corrections.read(cutoff),
        replaced=lake.forecasts.replaced(cutoff),
        published=lake.forecasts.metadata(cutoff),
        record=record,
        products=lake.reference.products(),
        stores=lake.reference.stores(),
    )


def _receipt(lake: Lake, cutoff: date, so_far: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of the run that published the forecast in force: the one under way, or the one whose receipt is kept.

    None is kept where that run failed of something after it had published; the ledger is then the lake's own.
    """
    if so_far.get("outcome") == "published":
        return so_far
    record = lake.runs.of(cutoff, lake.forecasts.run_id(cutoff)) or so_far
    if "completeness" in record or cutoff not in lake.completeness.weeks():
        return record
    return {**record, "completeness": lake.completeness.read(cutoff)}


def _alarms(lake: Lake, cutoff: date, *run_records: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those of the week, and those of earlier weeks that were raised by a correction that its run took in."""
    week = str(cutoff)
    alarms: list[Mapping[str, Any]] = [alarm for alarm in lake.monitoring.alarms(cutoff) if alarm["week"] == week]
    for record in run_records:
        told = record.get("monitoring", {}).get("alarms", ())
        alarms += [alarm for alarm in told if alarm["week"] < week and alarm not in alarms]
    return alarms


def _report_table(lake: Lake, cutoff: date) -> pd.DataFrame:
    return reports.report_table(
        lake.sales.read(cutoff),
        lake.promotions.read(cutoff),
        lake.forecasts.read(cutoff),
        lake.reference.products(),
        lake.reference.definition,
    )


def _of_sold_weeks(rows: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    return rows[rows["week"] <= pd.Timestamp(cutoff)]
