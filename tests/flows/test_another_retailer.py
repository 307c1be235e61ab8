"""Another retailer's files as he writes them: panel file, import, run, the second week in the same layout, run.

The process of the test computes the forecasts, without Prefect.
"""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows import weekly_forecast as module
from flows.prefect_tasks import run_flow
from flows.weekly_forecast import weekly_forecast
from forecasting.clock import now
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.core.completeness import WeekStatus
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.panel_import import import_panel
from forecasting.storage.lake import Lake
from tests.shop import HEADER, PLANS, PRODUCTS, SALES, SHOP, STORES, shop_lake, week, write_plan, write_sales
from tests.small import compute_in_this_process

WEEKS = 40


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with the history of the shop; runs compute in the process of the test."""
    compute_in_this_process(monkeypatch, module)
    lake = shop_lake(tmp_path / "lake")
    import_panel(lake, [write_sales(tmp_path / "Umsatz 2023.csv", range(WEEKS))], now())
    return lake


def run(lake: Lake, **options: Any) -> RunRecord:
    """A weekly run without Prefect."""
    parameters = {"lake": str(lake.root), **options}
    return run_flow(weekly_forecast, parameters, why_not="no Prefect is needed", warn=lambda _: None)


def ingested(record: RunRecord) -> IngestResult:
    found = record.result(IngestResult)
    assert found
    return found


def test_the_second_week_is_forecast_from_the_retailers_own_file(shop: Lake) -> None:
    """The run after the import forecasts from the last week of history; the next file makes it the next week."""
    assert run(shop).outcome is Outcome.PUBLISHED
    assert shop.forecasts.cutoffs() == [week(WEEKS - 1)]

    write_sales(Path(shop.inbox / "Umsatz KW41.csv"), range(WEEKS, WEEKS + 1))
    write_plan(Path(shop.inbox / "Plan.csv"), range(WEEKS + 1, WEEKS + 3))
    taken_in = ingested(run(shop))

    assert shop.forecasts.cutoffs() == [week(WEEKS - 1), week(WEEKS)]
    assert (taken_in.completeness.status, taken_in.quarantined) == (WeekStatus.WHOLE, 0)
    assert shop.waiting() == []
    assert shop.forecasts.read(week(WEEKS))["promotion_known"].all()
    # The first forecast is scored with what the second file brought.
    scores = shop.monitoring.scores()
    total = scores[scores["dimension"] == "total"].iloc[0]
    assert (total["cutoff"].date(), total["series"]) == (week(WEEKS - 1), len(STORES) * len(PRODUCTS))


def test_ids_come_back_as_they_were_written(shop: Lake) -> None:
    """In the published table, in the report and in the table of stores, whatever they would be elsewhere."""
    run(shop)
    for path in (shop.forecasts.path(week(WEEKS - 1)), shop.reports.table_path):
        table = pd.read_parquet(path)
        assert sorted(table["store"].unique()) == sorted(STORES)
        assert sorted(table["product"].unique()) == sorted(PRODUCTS)
    assert sorted(shop.reference.stores()["store"]) == sorted(STORES)


def test_a_file_of_several_weeks_counts_for_its_last_one(shop: Lake) -> None:
    """All of them are taken in; the run forecasts from the last."""
    write_sales(Path(shop.inbox / "Umsatz Oktober.csv"), range(WEEKS, WEEKS + 3))
    run(shop)
    assert shop.forecasts.cutoffs() == [week(WEEKS + 2)]
    assert shop.sales.weeks()[-3:] == [week(number) for number in range(WEEKS, WEEKS + 3)]


def test_what_is_left_out_sold_nothing_until_it_is_reported(shop: Lake) -> None:
    """It has a row of 0 units, and its week is whole; units that come later are a correction."""
    assert sold_in(shop, WEEKS - 1) == 0.0
    write_sales(Path(shop.inbox / "Umsatz KW42.csv"), range(WEEKS, WEEKS + 2))
    run(shop)
    assert sold_in(shop, WEEKS + 1) == 0.0

    late = shop.inbox / "Umsatz Nachtrag.csv"
    write_sales(Path(late), range(WEEKS + 1, WEEKS + 2), STORES[2:])
    line = f'{STORES[2]};"{PRODUCTS[2]}";{week(WEEKS + 1):%d.%m.%Y};4,0;3,25\n'
    late.write_text(late.read_text().splitlines(keepends=True)[0] + line)
    assert ingested(run(shop)).corrected_by_week == {week(WEEKS + 1): 1}
    assert sold_in(shop, WEEKS + 1) == 3.25


def sold_in(lake: Lake, number: int) -> float:
    """Units of the series that sells every other week."""
    rows = lake.sales.of_week(week(number)).set_index(["store", "product"])["units"]
    return float(rows[STORES[2], PRODUCTS[2]])


def test_a_new_store_is_taken_in_by_a_run_where_the_definition_says_so(shop: Lake) -> None:
    """Under its id, until somebody writes a name."""
    write_sales(Path(shop.inbox / "Umsatz KW41.csv"), range(WEEKS, WEEKS + 1), [*STORES, "Neu\u00a01"])
    run(shop)
    assert "Neu\u00a01" in set(shop.reference.stores()["store"])
    assert "Neu\u00a01" in set(shop.forecasts.read(week(WEEKS))["store"])


def test_a_file_of_all_stores_is_whole_without_one_that_sold_nothing(shop: Lake) -> None:
    """Nobody has to accept a gap; its week stays unknown, as no row says 0."""
    write_sales(Path(shop.inbox / "Umsatz KW41.csv"), range(WEEKS, WEEKS + 1), STORES[:2])
    report = ingested(run(shop)).completeness
    assert (report.status, report.missing, report.incomplete) == (WeekStatus.WHOLE, (), ())
    assert set(shop.sales.of_week(week(WEEKS))["store"]) == set(STORES[:2])


def test_a_store_with_files_of_its_own_is_waited_for(shop: Lake) -> None:
    """What it lacks of its products it did not sell; without a file it is missing."""
    own = replace(SALES, files="Umsatz KW41_{store}.csv")
    shop.reference.write_panel(SHOP, [own, PLANS])
    for store in STORES[:2]:
        write_sales(Path(shop.inbox / f"Umsatz KW41_{store}.csv"), range(WEEKS, WEEKS + 1), [store])
    report = ingested(run(shop, accept_gaps="closed")).completeness
    assert (report.status, report.missing, report.incomplete) == (WeekStatus.ACCEPTED_WITH_GAPS, (STORES[2],), ())


def test_a_file_whose_last_week_is_unfinished_waits_for_its_other_days(shop: Lake) -> None:
    """Its whole weeks are forecast now; the days of the last one are summed with those of the next file."""
    daily = replace(SALES, grain="day")
    shop.reference.write_panel(SHOP, [daily, PLANS])
    days = [week(WEEKS) + timedelta(days=number) for number in range(21)]

    def write(name: str, written: list[date]) -> None:
        lines = [f"{store};Neu;{day:%d.%m.%Y};2,5;1,5\n" for day in written for store in STORES]
        (shop.inbox / name).write_text(HEADER + "".join(lines))

    write("Umsatz 1.csv", days[:10])
    first = ingested(run(shop))
    assert (first.completeness.week, first.passed_over) == (week(WEEKS), {"partial_week": 9})
    assert [file.name for file in shop.waiting()] == ["Umsatz 1.csv"]

    write("Umsatz 2.csv", days[10:])
    run(shop)
    assert shop.forecasts.cutoffs() == [week(WEEKS), week(WEEKS + 2)]
    assert shop.waiting() == []
    for number in range(WEEKS, WEEKS + 3):
        rows = shop.sales.of_week(week(number))
        assert rows.loc[rows["product"] == "Neu", "units"].tolist() == [7 * 1.5] * 3
