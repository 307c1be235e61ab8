"""What tests of foreign files share: a retailer with shops and articles, whose files are read and validated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Covariate, Key, PanelDefinition
from forecasting.core.collected import CollectedFrames
from forecasting.core.validation import Validated, validate
from forecasting.storage.reader import RowsRead, read_rows

SHOPS = PanelDefinition(
    name="shops",
    unit="piece",
    units="pieces",
    currency="€",
    store=Key("shop", "shops"),
    product=Key("article", "articles"),
    covariates=(Covariate("price", "price", "price", "euros a piece"),),
    week_starts_on=0,
    time_zone="Europe/Berlin",
    new_ids="accept",
)
COLUMNS = {"store": ("shop",), "product": ("article",), "date": ("day",), "units": ("pieces",), "price": ("price",)}
WEEKS = Layout("weeks", COLUMNS)
DAYS = Layout("days", COLUMNS, grain="day")
TILL = Layout("till", COLUMNS, grain="transaction")
HEADER = "shop,article,day,pieces,price\n"
LEFT_OUT = replace(SHOPS, unsold="left_out")


def taken(
    files: str | Mapping[str, str | bytes],
    definition: PanelDefinition = SHOPS,
    layouts: Sequence[Layout] = (WEEKS,),
    collected: pd.DataFrame | None = None,
    announced: pd.DataFrame | None = None,
    **given: Any,
) -> Validated:
    """Read files, or the lines of one file below `HEADER`, and validate their rows."""
    found = rows_of(files, definition, layouts)
    empty = schemas.sales(definition).empty()
    known = empty if collected is None else collected
    stores, products = (pd.DataFrame({name: known[name].unique()}).astype(known[name].dtype) for name in schemas.SERIES)
    checked = validate(
        found.frame,
        stores=stores.rename(columns={0: "store"}),
        products=products,
        collected=CollectedFrames(known, definition, announced),
        definition=definition,
        layouts=layouts,
        **given,
    )
    assert checked.rows_in == checked.accepted + checked.dropped + sum(checked.passed_over.values()) + len(
        checked.quarantined
    )
    assert sum(each.rows_in for each in checked.files) == checked.rows_in
    return checked


def rows_of(
    files: str | Mapping[str, str | bytes],
    definition: PanelDefinition = SHOPS,
    layouts: Sequence[Layout] = (WEEKS,),
) -> RowsRead:
    named = {"sales.csv": HEADER + files} if isinstance(files, str) else files
    contents = {name: each if isinstance(each, bytes) else each.encode() for name, each in named.items()}
    return read_rows(contents.items(), definition, layouts)


def sold(found: Validated) -> dict[tuple[Any, Any, date], float]:
    return {(row.store, row.product, row.week.date()): row.units for row in found.sales.itertuples()}


def history(definition: PanelDefinition, *cells: tuple[Any, Any, str, float]) -> pd.DataFrame:
    """Return collected sales of these cells."""
    rows = pd.DataFrame(cells, columns=[*schemas.CELL, "units"])
    return schemas.sales(definition).cast(rows.assign(week=pd.to_datetime(rows["week"])))
