"""What the tests of the validation share: a call with the known stores and brands, and short views of its outcome."""

from datetime import date
from typing import Any

import pandas as pd

from forecasting import schemas
from forecasting.validate import Validated, validate
from forecasting.weeks import WEEK
from tests.strategies import FIRST_WEEK, KNOWN_BRANDS, KNOWN_STORES, raw_rows

LAST_YEAR = [FIRST_WEEK - WEEK * offset for offset in range(1, 11)]
NEXT_WEEK = FIRST_WEEK + WEEK
NOTHING = schemas.SALES.empty()


def checked(*rows: dict[str, Any], collected: pd.DataFrame = NOTHING, unusual: pd.DataFrame | None = None) -> Validated:
    return validate(raw_rows(*rows), stores=KNOWN_STORES, brands=KNOWN_BRANDS, collected=collected, unusual=unusual)


def history(units: dict[int, int], weeks: list[date] = LAST_YEAR) -> pd.DataFrame:
    """Collected sales of brand 1: the same units in each week, by store."""
    rows = [(store, 1, week, sold) for store, sold in units.items() for week in weeks]
    return schemas.SALES.cast(pd.DataFrame(rows, columns=[*schemas.CELL, "units"]))


def rules(found: Validated) -> list[str]:
    return found.quarantined["rule"].tolist()


def units(found: Validated) -> dict[tuple[int, int, date], int]:
    return {(row.store, row.brand, row.week.date()): row.units for row in found.sales.itertuples()}


def prices(found: Validated) -> list[float]:
    return found.promotions["price"].tolist()
