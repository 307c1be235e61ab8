"""Any retailer's panel, under the names that its columns have there."""

from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.schemas import SERIES
from forecasting.contracts.spec import ForecastSpec
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.panel_import import ColumnMapping, import_panel
from forecasting.pipeline.simulation import simulate
from forecasting.storage.lake import Lake

MAPPING = ColumnMapping("Store", "Product", "WeekStarting", "Quantity", {"price": "Price", "feat": "Advert"})
HEADER = "WeekStarting,Store,Product,Quantity,Advert,Price\n"
ROWS = "1990-06-18,2,minute.maid,10,0,1.99\n1990-06-18,2,dominicks,7,1,1.49\n1990-06-25,2,dominicks,,1,1.29\n"


def imported(tmp_path: Path, text: str, mapping: ColumnMapping = MAPPING) -> Lake:
    file = tmp_path / "panel.csv"
    file.write_text(text, encoding="utf-8")
    lake = Lake(tmp_path / "lake")
    import_panel(lake, [file], mapping)
    return lake


def test_names_get_numbers_and_are_kept(tmp_path: Path) -> None:
    """Text products are numbered in the order of their names; stores that are numbers keep theirs."""
    lake = imported(tmp_path, HEADER + ROWS)
    assert lake.reference.products()[["product", "name"]].to_numpy().tolist() == [[1, "dominicks"], [2, "minute.maid"]]
    assert lake.reference.stores()["store"].tolist() == [2]
    assert lake.sales.read()[[*SERIES, "units"]].to_numpy().tolist() == [[2, 1, 7], [2, 2, 10]]


def test_rows_without_units_are_plans(tmp_path: Path) -> None:
    """They reach into the future of the promotions, and never into sales."""
    lake = imported(tmp_path, HEADER + ROWS)
    assert lake.promotions.read()["price"].tolist() == [1.49, 1.29, 1.99]
    assert [str(week) for week in lake.sales.weeks()] == ["1990-06-18"]


def test_the_weekday_that_opens_a_week_is_the_panels_own(tmp_path: Path) -> None:
    """Monday here; a forecast of this lake takes Mondays as cutoffs and refuses Thursdays."""
    lake = imported(tmp_path, HEADER + ROWS)
    assert lake.reference.week_starts_on == 0
    (week,) = lake.sales.weeks()
    spec = ForecastSpec(week, horizon=1, model="naive", definition=lake.reference.definition)
    assert len(forecast(lake.sales.read(), lake.promotions.read(), spec)) == 2
    with pytest.raises(OptionError, match="name the Thursday before"):
        ForecastSpec(week)


def test_a_panel_without_covariates_is_forecast_too(tmp_path: Path) -> None:
    """No price, no advert: every week costs the same, and each model still answers."""
    weeks = pd.date_range("1990-06-18", periods=30, freq="7D").strftime("%Y-%m-%d")
    rows = "".join(f"{week},a,x,{10 + number % 3}\n" for number, week in enumerate(weeks))
    lake = imported(tmp_path, "Week,Shop,Item,Sold\n" + rows, ColumnMapping("Shop", "Item", "Week", "Sold"))
    for model in ("naive", "price_response"):
        spec = ForecastSpec(lake.sales.weeks()[-1], model=model, definition=lake.reference.definition)
        table = forecast(lake.sales.read(), lake.promotions.read(), spec)
        assert table["forecast"].between(8, 14).all()


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (HEADER + ROWS.replace("10", "ten"), DataError, "Line 2 of panel.csv has 'ten' for units"),
        (HEADER + ROWS.replace("10", "1.5"), DataError, "must be a whole number"),
        (HEADER + ROWS.replace("10", "-1"), DataError, "must be a whole number, 0 or more"),
        (HEADER + ROWS.replace("1.49", ""), DataError, "Line 3 of panel.csv has '' for price"),
        (HEADER + ROWS.replace("1.49", "0"), DataError, "must be above 0"),
        (HEADER + ROWS.replace(",1,1.49", ",2,1.49"), DataError, "must be from 0 to 1"),
        (HEADER + ROWS.replace("1990-06-25", "25/06/1990"), DataError, "a date written as YYYY-MM-DD"),
        (HEADER + ROWS.replace("1990-06-25", "1990-06-26"), DataError, r"Monday \(2 rows\), Tuesday \(1 rows\)"),
        (HEADER + ROWS + ROWS.splitlines()[0] + "\n", DataError, "Line 5 of panel.csv gives a store, product and week"),
        (HEADER.replace("Price", "Cost") + ROWS, OptionError, "Price is not a column of panel.csv, which has"),
        ("\xff", DataError, "cannot be read|No columns"),
    ],
)
def test_what_cannot_be_read_names_its_place(tmp_path: Path, text: str, error: type[Exception], says: str) -> None:
    """File, line, value and what it must be; nothing is taken in."""
    (tmp_path / "lake").mkdir()
    with pytest.raises((error, OptionError), match=says if text != "\xff" else "is not a column"):
        imported(tmp_path, text)
    assert Lake(tmp_path / "lake").sales.weeks() == []


def test_a_lake_with_sales_is_left_alone(tmp_path: Path) -> None:
    """An import fills a new lake only, and the simulation does not mix the orange juice into another panel."""
    lake = imported(tmp_path, HEADER + ROWS)
    with pytest.raises(OptionError, match="has sales already"):
        import_panel(lake, [tmp_path / "panel.csv"], MAPPING)
    with pytest.raises(OptionError, match="holds another panel"):
        simulate(lake)


def test_parquet_is_read_too(tmp_path: Path) -> None:
    """With typed columns, and dates as dates."""
    frame = pd.DataFrame(
        {"Store": ["n", "s"], "Product": ["x", "x"], "Week": pd.to_datetime(["1990-06-18"] * 2), "Sold": [1, 2]}
    )
    frame.to_parquet(tmp_path / "panel.parquet")
    lake = Lake(tmp_path / "lake")
    found = import_panel(lake, [tmp_path / "panel.parquet"], ColumnMapping("Store", "Product", "Week", "Sold"))
    assert (found.sales, found.series, found.week_starts_on) == (2, 2, 0)
    assert lake.reference.stores()["name"].tolist() == ["n", "s"]
