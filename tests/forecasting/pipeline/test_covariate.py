"""A covariate that is only added to the panel definition goes through every stage: its definition is all it takes."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.layout import store_files
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.panel import build_panel, series_of
from forecasting.core.report import order_sheet
from forecasting.core.validation import validate
from forecasting.models import MODELS
from forecasting.pipeline.forecast import forecast, train
from forecasting.pipeline.report import report
from forecasting.pipeline.what_if import outlook, what_if
from forecasting.storage.collected import LakeCollected
from forecasting.storage.database.load import load
from forecasting.storage.files import read_table
from forecasting.storage.inbox import list_inbox, read_inbox
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file
from tests.databases import Target
from tests.forecasting.models.made_up import made_up

AISLE_END = Covariate("aisle_end", "flag", "aisle end", "1 where the product stood at the end of an aisle, else 0")
DEFINITION = replace(
    ORANGE_JUICE, name="juice at the end of an aisle", covariates=(*ORANGE_JUICE.covariates, AISLE_END)
)
PANEL: dict[str, Any] = {"definition": DEFINITION, "layouts": store_files(DEFINITION)}
STORES, PRODUCTS = (2, 5), (1, 2)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of this definition: 60 weeks of history, and the files of the week after it in its inbox."""
    market = made_up(stores=STORES, products=PRODUCTS, n_weeks=61, ahead=2)
    lake = Lake(tmp_path_factory.mktemp("aisle_end") / "lake")
    lake.prepare()
    lake.reference.write_panel(DEFINITION, store_files(DEFINITION))
    stores, products = schemas.stores(DEFINITION), schemas.products(DEFINITION)
    lake.reference.write(
        stores.cast(pd.DataFrame({"store": STORES}).reindex(columns=stores.columns)),
        products.cast(pd.DataFrame({"product": PRODUCTS, "name": ["a", "b"], "ounces": 64})),
    )
    plan = market.promotions.assign(aisle_end=(market.promotions["store"] == 2).astype("int8"))
    last = pd.Timestamp(market.cutoff)
    lake.sales.add(market.sales[market.sales["week"] < last])
    lake.promotions.add(plan[plan["week"] < last].assign(announced=plan["week"].min()))
    rows = plan[plan["week"] >= last].merge(market.sales[market.sales["week"] == last], on=schemas.CELL, how="left")
    rows["units"] = rows["units"].astype("Int64")
    for store, of_store in rows.groupby("store"):
        path = lake.inbox / f"{market.cutoff}_store-{store}.csv"
        of_store[schemas.inbox_columns(DEFINITION)].to_csv(path, index=False, date_format="%Y-%m-%d")
    return lake


@pytest.fixture(scope="module")
def week(lake: Lake) -> date:
    """Collect the week of the inbox, and return it."""
    files, rows, _ = read_inbox(list_inbox(lake.inbox), lake.reference.definition, lake.reference.layouts)
    known = {"stores": lake.reference.stores(), "products": lake.reference.products()}
    checked = validate(rows, **known, collected=LakeCollected(lake), **PANEL)
    assert checked.quarantined.empty
    lake.sales.add(checked.sales)
    lake.promotions.add(checked.promotions)
    assert files[0].week is not None
    return files[0].week


@pytest.mark.parametrize("text", ["2", "", "0.5", "often"])
def test_its_values_are_validated_by_its_role(lake: Lake, text: str) -> None:
    """A flag is 0 or 1."""
    _, rows, _ = read_inbox(list_inbox(lake.inbox), DEFINITION, store_files(DEFINITION))
    known = {"stores": lake.reference.stores(), "products": lake.reference.products()}

    found = validate(rows.assign(aisle_end=text), **known, collected=LakeCollected(lake), **PANEL)

    assert found.accepted == 0
    assert found.quarantined["detail"].str.startswith(f"aisle_end is {text!r}: ").all()
    assert (found.quarantined["aisle_end"] == text).all()


def test_it_reaches_the_panel_and_the_plan(lake: Lake, week: date) -> None:
    """Known for past weeks, and completed by the chain's where nothing was announced."""
    sales, promotions = lake.sales.read(), lake.promotions.read()

    panel = build_panel(sales, promotions, series_of(sales), week)

    assert panel.groupby("store")["aisle_end"].unique().map(list).to_dict() == {2: [1.0], 5: [0.0]}


@pytest.mark.parametrize("model", [name for name in MODELS if name != "ensemble"])
def test_every_model_forecasts_with_it(lake: Lake, week: date, model: str) -> None:
    """Those that look at no promotions forecast what they forecast without it."""
    spec = ForecastSpec(week, model=model, definition=DEFINITION)
    sales, promotions = lake.sales.read(), lake.promotions.read()

    found = forecast(sales, promotions, spec)

    assert len(found) == 2 * len(STORES) * len(PRODUCTS)
    if model not in ("price_response", "boosted_trees", "arima_regression"):
        without = forecast(sales, promotions.drop(columns="aisle_end"), replace(spec, definition=ORANGE_JUICE))
        pd.testing.assert_frame_equal(found, without, check_exact=True)


def test_it_stands_in_report_order_sheet_and_database(lake: Lake, week: date, tmp_path: Path) -> None:
    """Beside the other covariates, for past and coming weeks."""
    spec = ForecastSpec(week, model="naive", definition=lake.reference.definition)
    rows = forecast(lake.sales.read(), lake.promotions.read(), spec)
    lake.forecasts.publish([rows], series_of(rows), spec, "run-1")

    found = read_table(local_file(Path(report(lake).table)), schemas.report(DEFINITION))

    assert found.groupby("store")["aisle_end"].unique().map(list).to_dict() == {2: [1], 5: [0]}
    sheet = order_sheet(
        rows,
        lake.sales.read(),
        lake.promotions.read(),
        lake.reference.stores(),
        lake.reference.products(),
        lake.reference.definition,
    )
    assert sheet.groupby("store")["aisle_end"].unique().map(list).to_dict() == {2: [1], 5: [0]}
    url = f"sqlite:///{tmp_path}/oj.db"
    load(lake, url)
    of_database = Target("", url).ask(
        "SELECT store, MIN(aisle_end), MAX(aisle_end), COUNT(*) FROM report GROUP BY store"
    )
    assert of_database == [(2, 1, 1, len(found) // 2), (5, 0, 0, len(found) // 2)]


def test_it_can_be_asked_about(lake: Lake, week: date) -> None:
    """The default model looks at it as at every flag, and the answer differs."""
    spec = ForecastSpec(week, definition=DEFINITION)
    sales, promotions = lake.sales.read(), lake.promotions.read()
    of = outlook(train(sales, promotions, spec), sales, promotions, spec)

    answer = what_if(of, 5, 1, week + WEEK, aisle_end=1)

    assert (answer.plan["aisle_end"], answer.asked["aisle_end"]) == (0, 1)
    assert answer.by_asked != answer.by_plan
    assert answer.warnings == ()
