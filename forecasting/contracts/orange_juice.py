"""The shipped data set: orange juice in the stores of Dominick's, a chain in Chicago. Its tables and its calendar.

Source: Montgomery 1997; the data are in the R package bayesm (data/README.md).
"""

from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import DAYS_IN_WEEK, WEEK
from forecasting.contracts.layout import store_files
from forecasting.contracts.panel_definition import ORANGE_JUICE

SALES = schemas.sales(ORANGE_JUICE)
CORRECTIONS = schemas.corrections(ORANGE_JUICE)
FORECAST = schemas.forecast(ORANGE_JUICE)
ALL_POINTS = schemas.all_points(ORANGE_JUICE)
BACKTEST = schemas.backtest(ORANGE_JUICE)
PARAMETERS = schemas.parameters(ORANGE_JUICE)
STORES = schemas.stores(ORANGE_JUICE)
PRODUCTS = schemas.products(ORANGE_JUICE)
PROMOTIONS = schemas.promotions(ORANGE_JUICE)
ANNOUNCED_PROMOTIONS = schemas.announced_promotions(ORANGE_JUICE)
REPORT = schemas.report(ORANGE_JUICE)
ORDER_SHEET = schemas.order_sheet(ORANGE_JUICE)
QUARANTINE = schemas.quarantine(ORANGE_JUICE)

# The source numbers its weeks; they open on Thursday.
DOMINICKS_WEEK_1 = date(1989, 9, 14)


def dominicks_week(number: int) -> date:
    """Return the first day of the week that the source gives this number."""
    return DOMINICKS_WEEK_1 + WEEK * (number - 1)


def dominicks_weeks(numbers: "pd.Series | np.ndarray") -> pd.DatetimeIndex:
    """Return the first days of many numbered weeks."""
    return pd.Timestamp(DOMINICKS_WEEK_1) + pd.to_timedelta((np.asarray(numbers) - 1) * DAYS_IN_WEEK, unit="D")


LAYOUTS = store_files(ORANGE_JUICE)
