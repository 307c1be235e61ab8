"""The panel: sales joined with promotions up to the cutoff, gaps visible; and the plan that lies ahead of it."""

from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.spec import ForecastSpec

COVARIATES = ["price", "deal", "feat"]


def build_panel(sales: pd.DataFrame, promotions: pd.DataFrame, series: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Sales of `series` joined with their promotions, one row per (`store`, `product`, `week`) up to the cutoff.

    Every series has a row for each week from its first sale to the cutoff: `units` is empty where the series
    has a gap, `price`, `deal` and `feat` where they are unknown. Sorted by cell.
    """
    until = pd.Timestamp(cutoff)
    past = sales[sales["week"] <= until].merge(series, on=schemas.SERIES)
    first = past.groupby(schemas.SERIES, as_index=False)["week"].min()
    weeks = pd.DataFrame({"week": pd.date_range(past["week"].min(), until, freq="7D", unit="us")})
    cells = first.rename(columns={"week": "first"}).merge(weeks, how="cross")
    cells = cells.loc[cells["week"] >= cells["first"], schemas.CELL]
    panel = cells.merge(past[[*schemas.CELL, "units"]], on=schemas.CELL, how="left")
    panel = panel.merge(promotions[[*schemas.CELL, *COVARIATES]], on=schemas.CELL, how="left")
    panel = panel.astype(dict.fromkeys(["units", *COVARIATES], "float64"))
    return panel.sort_values(schemas.CELL, ignore_index=True)


def future_cells(series: pd.DataFrame, spec: ForecastSpec) -> pd.DataFrame:
    """The cells to forecast: one row per (`store`, `product`, `week`, `step`), sorted by series and step."""
    steps = pd.DataFrame(
        {"week": pd.DatetimeIndex(spec.weeks).as_unit("us"), "step": np.array(spec.steps, dtype="int64")}
    )
    return series[schemas.SERIES].sort_values(schemas.SERIES).merge(steps, how="cross")


def series_of(panel: pd.DataFrame) -> pd.DataFrame:
    """The distinct series of a panel, sorted."""
    return panel[schemas.SERIES].drop_duplicates().sort_values(schemas.SERIES, ignore_index=True)


def complete_promotions(promotions: pd.DataFrame, series: pd.DataFrame, cutoff: date, last: date) -> pd.DataFrame:
    """Promotions up to the week `last`, with an offer in every week after the cutoff; `known` tells announced ones.

    Every one of `series`, and every other product that has promotions in their stores, gets what `complete_plan`
    assumes where nothing was announced. A product without any price gets none. Rows up to the cutoff stay as they are.
    """
    rows = promotions[promotions["week"] <= pd.Timestamp(last)]
    rows = rows.assign(known=rows["price"].notna())
    here = rows.loc[rows["store"].isin(series["store"].unique()), schemas.SERIES]
    pairs = pd.concat([series[schemas.SERIES], here]).drop_duplicates()
    weeks = pd.DataFrame({"week": pd.date_range(cutoff + WEEK, last, freq="7D", unit="us")})
    plan = complete_plan(rows, pairs.merge(weeks, how="cross"), cutoff)
    assumed = plan[~plan["known"] & plan["price"].notna()]
    told = rows[rows["known"] | (rows["week"] <= pd.Timestamp(cutoff))]
    return pd.concat([told, schemas.PROMOTIONS.cast(assumed).assign(known=False)], ignore_index=True)


def complete_plan(promotions: pd.DataFrame, cells: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Price, deal and feat of every cell, with `known` telling whether the plan had them.

    Where a store's plan is unknown the chain's is taken (the median of its other stores for that product and
    week, as promotions are planned for the chain); where that is unknown too, the series' usual price up to
    the cutoff without deal and advert; failing that the product's.
    """
    asked = promotions.loc[promotions["week"].isin(cells["week"].unique()), [*schemas.CELL, *COVARIATES]]
    plan = cells[schemas.CELL].merge(asked, on=schemas.CELL, how="left")
    plan = plan.astype(dict.fromkeys(COVARIATES, "float64"))
    plan["known"] = plan["price"].notna()
    past = promotions["week"] <= pd.Timestamp(cutoff)
    guesses = (
        (["product", "week"], promotions["week"].isin(plan["week"].unique()), COVARIATES),
        (schemas.SERIES, past, ["price"]),
        (["product"], past, ["price"]),
    )
    for keys, rows, columns in guesses:
        if plan["price"].notna().all():
            break
        guess = plan[keys].join(_median_offer(promotions[rows].groupby(keys), columns), on=keys)
        plan[columns] = plan[columns].fillna(guess[columns])
    plan["deal"] = plan["deal"].fillna(0.0).round()
    plan["feat"] = plan["feat"].fillna(0.0)
    return plan


def _median_offer(groups: pd.api.typing.DataFrameGroupBy, columns: list[str]) -> pd.DataFrame:
    """Return the median of each column; between two middle prices their geometric mean.

    The models see logarithms of prices, and the median of logarithms must be the logarithm of the median.
    """
    found = groups[columns].median()
    lower, upper = (groups["price"].quantile(0.5, interpolation=end) for end in ("lower", "higher"))
    return found.assign(price=lower.where(lower == upper, np.sqrt(lower * upper)))
