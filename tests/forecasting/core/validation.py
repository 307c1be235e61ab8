"""What the tests of the validation share: a call with the known stores and products, and short views of its outcome."""

from datetime import date
from typing import Any

import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.collected import CollectedFrames
from forecasting.core.validation import Validated, validate
from tests.strategies import FIRST_WEEK, KNOWN_PRODUCTS, KNOWN_STORES, raw_rows

LAST_YEAR = [FIRST_WEEK - WEEK * offset for offset in range(1, 11)]
NEXT_WEEK = FIRST_WEEK + WEEK
JUICE: dict[str, Any] = {"definition": ORANGE_JUICE, "layouts": LAYOUTS}
KNOWN: dict[str, Any] = {"stores": KNOWN_STORES, "products": KNOWN_PRODUCTS, **JUICE}
NOTHING = orange_juice.SALES.empty()


def checked(
    *rows: dict[str, Any], collected: pd.DataFrame = NOTHING, overrides: pd.DataFrame | None = None
) -> Validated:
    return validate(
        raw_rows(*rows),
        **KNOWN,
        collected=CollectedFrames(collected, ORANGE_JUICE),
        overrides=overrides,
    )


def history(units: dict[int, int], weeks: list[date] = LAST_YEAR) -> pd.DataFrame:
    """Collected sales of product 1: the same units in each week, by store."""
    rows = [(store, 1, week, sold) for store, sold in units.items() for week in weeks]
    return orange_juice.SALES.cast(pd.DataFrame(rows, columns=[*schemas.CELL, "units"]))


def rules(found: Validated) -> list[str]:
    return found.quarantined["rule"].tolist()


def units(found: Validated) -> dict[tuple[int, int, date], int]:
    return {(row.store, row.product, row.week.date()): row.units for row in found.sales.itertuples()}


def prices(found: Validated) -> list[float]:
    return found.promotions["price"].tolist()
