"""Outliers: units and prices out of all proportion to what is usual."""

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import PanelDefinition

# Calibrated on the real data, whose widest honest jump is 38.6 times a series' highest week, shared by the
# product's stores; set against those, no honest row exceeds 11 times.
MIN_WEEKS = 8
TO_OWN_MAXIMUM = 3.0
TO_OTHER_STORES = 20.0
BEYOND_ANY_DOUBT = 60.0
# A slipped decimal point makes ten times the price, or a tenth; honest prices of the real data lie from 0.28 to 1.6
# times the usual one.
TO_USUAL_PRICE = 5.0


def out_of_proportion(sold: pd.DataFrame, usual: pd.DataFrame, collected: pd.DataFrame) -> pd.Series:
    """Return which rows lie far beyond their series' highest week, where the product's other stores do not explain it.

    Args:
        sold: `store, product, week, units`, one row per line that has units.
        usual: `collected.units_by_series` of the sales that were collected before, without those that `sold` corrects:
            a row is no evidence for itself.
        collected: of these sales those of the weeks of `sold` (table `sales`).

    Returns:
        True or False for the rows of `sold` that are suspect at all, by its index.
    """
    sold = sold.join(usual, on=schemas.SERIES)
    own = sold["units"] / sold["max"].clip(lower=1)
    suspects = sold[(sold["size"] >= MIN_WEEKS) & (own > TO_OWN_MAXIMUM)]
    # The product's other stores may have reported the week before, in an earlier inbox.
    earlier = collected[collected["week"].isin(suspects["week"])].join(usual, on=schemas.SERIES)
    witnesses = pd.concat([sold, earlier])
    witnesses["relative"] = witnesses["units"] / witnesses["median"].clip(lower=1)
    out = own[suspects.index] > BEYOND_ANY_DOUBT
    key = ["product", "week"]
    of_suspects = dict(list(witnesses.merge(suspects[key].drop_duplicates(), on=key).groupby(key)))
    for row in suspects.itertuples():
        same = of_suspects[row.product, row.week]
        others = same.loc[same["store"] != row.store, "relative"].median()
        shared = 1.0 if pd.isna(others) else max(others, 1.0)
        out[row.Index] |= row.units / max(row.median, 1.0) / shared > TO_OTHER_STORES
    return out


def unusual_prices(rows: pd.DataFrame, usual: pd.DataFrame, definition: PanelDefinition) -> dict[str, np.ndarray]:
    """Return, by the name of each price, which rows have one far from the usual price of their series.

    Args:
        rows: `store, product` and the covariates.
        usual: `collected.prices_by_series` of what was announced before.
        definition: says which covariates are prices.
    """
    found = {}
    for each in definition.of_role("price"):
        known = usual[each.name]
        known = known[known["count"] >= MIN_WEEKS].reset_index()
        medians = rows[schemas.SERIES].merge(known, on=schemas.SERIES, how="left")["median"].to_numpy()
        ratio = rows[each.name].to_numpy() / medians
        found[each.name] = (ratio >= TO_USUAL_PRICE) | (ratio <= 1 / TO_USUAL_PRICE)
    return found
