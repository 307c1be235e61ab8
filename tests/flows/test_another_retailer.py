"""Another retailer's files as he writes them: panel file, import, run, the second week in the same layout, run.

Semicolons, decimal commas, German dates, ids of text that would be formulas, paths, markup and SQL elsewhere; products that
did not sell are left out. The process of the test computes the forecasts, without Prefect.
"""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from flows import weekly_forecast as module
from flows.prefect_tasks import run_flow
from flows.weekly_forecast import weekly_forecast
from forecasting.clock import now
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Covariate, Key, PanelDefinition
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.core.completeness import WeekStatus
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.panel_import import import_panel
from forecasting.storage.lake import Lake
from tests.small import compute_in_this_process

FIRST, WEEKS = date(2023, 1, 2), 40
STORES = ["007", "=1+1", "../Köln"]
PRODUCTS = ["Käse 'alt'", "<b>Milch</b>", "Eis; 2 Liter"]
SHOP = PanelDefinition(
    name="shop",
    unit="kg",
    units="kg",
    currency="€",
    store=Key("Filiale", "Filialen"),
    product=Key("Artikel", "Artikel"),
    covariates=(Covariate("price", "price", "price", "euros a kg"),),
    week_starts_on=0,
    time_zone="Europe/Berlin",
    whole_units=False,
    unsold="left_out",
    new_ids="accept",
)
COLUMNS = {"store": ("Filiale",), "product": ("Artikel",), "date": ("Datum",), "price": ("Preis",)}
STYLE = {"date_format": "%d.%m.%Y", "delimiter": ";", "decimal": ","}
SALES = Layout("sales", {**COLUMNS, "units": ("Menge",)}, files="Umsatz*.csv", **STYLE)  # type: ignore[arg-type]
PLANS = Layout("plans", COLUMNS, files="Plan*.csv", **STYLE)  # type: ignore[arg-type]


def sold(number: int, store: int, product: int) -> float:
    """Units of a series in a week; the last product of the last store sells every other week."""
    if (store, product) == (2, 2) and number % 2:
        return 0.0
    return 20.5 + 3 * store + 5 * product + (number * 7 + store + product) % 4


def write(path: Path, weeks: range, *, stores: list[str] = STORES, is_plan: bool = False) -> Path:
    """Write the sales, or the plan, of some weeks; what did not sell is left out."""
    lines = ["Filiale;Artikel;Datum;Preis" + ("" if is_plan else ";Menge")]
    for number in weeks:
        for store, name in enumerate(stores):
            for product, article in enumerate(PRODUCTS):
                units = sold(number, store, product)
                day, article = FIRST + timedelta(weeks=number), f'"{article}"'
                price = f"{2 + product + 0.5 * (number % 5 == 0):.2f}".replace(".", ",")
                values = [name, article, f"{day:%d.%m.%Y}", price]
                if is_plan or units:
                    lines.append(";".join(values if is_plan else [*values, str(units).replace(".", ",")]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with the history of the shop; runs compute in the process of the test."""
    compute_in_this_process(monkeypatch, module)
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    lake.reference.write_panel(SHOP, [SALES, PLANS])
    import_panel(lake, [write(tmp_path / "Umsatz 2023.csv", range(WEEKS))], now())
    return lake


def run(lake: Lake) -> RunRecord:
    """A weekly run without Prefect."""
    parameters = {"lake": str(lake.root), "horizon": 2}
    return run_flow(weekly_forecast, parameters, why_not="no Prefect is needed", warn=lambda _: None)


def week(number: int) -> date:
    return FIRST + timedelta(weeks=number)


def test_the_second_week_is_forecast_from_the_retailers_own_file(shop: Lake) -> None:
    """The run after the import forecasts from the last week of history; the next file makes it the next week."""
    first = run(shop)
    assert (first.outcome, shop.forecasts.cutoffs()) == (Outcome.PUBLISHED, [week(WEEKS - 1)])

    write(shop.inbox / "Umsatz KW41.csv", range(WEEKS, WEEKS + 1))
    write(shop.inbox / "Plan.csv", range(WEEKS + 1, WEEKS + 3), is_plan=True)
    second = run(shop)

    assert shop.forecasts.cutoffs() == [week(WEEKS - 1), week(WEEKS)]
    ingested = second.result(IngestResult)
    assert ingested
    assert ingested.completeness.status is WeekStatus.WHOLE
    assert (ingested.quarantined, shop.archive.waiting([SALES, PLANS], 0)) == (0, [])
    forecast = shop.forecasts.read(week(WEEKS))
    assert forecast["promotion_known"].all()
    # The first forecast is scored with what the second file brought.
    scores = shop.monitoring.scores()
    assert scores.loc[scores["dimension"] == "total", "cutoff"].dt.date.tolist() == [week(WEEKS - 1)]
    assert int(scores.loc[scores["dimension"] == "total", "series"].iloc[0]) == len(STORES) * len(PRODUCTS)
