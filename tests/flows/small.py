"""A lake of a few real stores, whose sales are collected already: a run of one of its weeks needs no inbox."""

from datetime import date
from pathlib import Path

import pandas as pd

from forecasting import schemas
from forecasting.adapters.feed import shipped
from forecasting.adapters.lake import Lake
from forecasting.weeks import THURSDAY

STORES = [2, 5, 8, 12]


def small_lake(root: Path, first: date, last: date) -> Lake:
    """The sales of these stores from `first` to `last`, and their plans for four weeks more."""
    lake = Lake(root)
    lake.prepare()
    lake.write_calendar(THURSDAY, "America/Chicago")
    lake.write_reference(shipped(schemas.STORES), shipped(schemas.BRANDS))
    sales, promotions = (
        rows[rows["store"].isin(STORES) & (rows["week"] >= pd.Timestamp(first))]
        for rows in (shipped(schemas.SALES), shipped(schemas.PROMOTIONS))
    )
    lake.add_sales(sales[sales["week"] <= pd.Timestamp(last)])
    lake.add_promotions(promotions[promotions["week"] <= pd.Timestamp(last) + pd.Timedelta(weeks=4)])
    return lake
