"""The panel: sales joined with promotions up to the cutoff, gaps visible; and the plan that lies ahead of it."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.spec import ForecastSpec


def build_panel(sales: pd.DataFrame, promotions: pd.DataFrame, series: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Return sales of `series` with their covariates, one row per (`store`, `product`, `week`) up to the cutoff.

    Every series has a row for each week from its first sale to the cutoff: `units` is empty where the series
    has a gap, covariates where they are unknown. Sorted by cell.

    Args:
        sales: table `sales`; rows after the cutoff are ignored.
        promotions: table `promotions`.
        series: the `store` and `product` of each.
    """
    until = pd.Timestamp(cutoff)
    past = sales[sales["week"] <= until].merge(series, on=schemas.SERIES)
    first = past.groupby(schemas.SERIES, as_index=False)["week"].min()
    weeks = pd.DataFrame({"week": pd.date_range(past["week"].min(), until, freq="7D", unit="us")})
    cells = first.rename(columns={"week": "first"}).merge(weeks, how="cross")
    cells = cells.loc[cells["week"] >= cells["first"], schemas.CELL]
    panel = cells.merge(past[[*schemas.CELL, "units"]], on=schemas.CELL, how="left")
    covariates = [name for name in promotions if name not in (*schemas.CELL, "known")]
    panel = panel.merge(promotions[[*schemas.CELL, *covariates]], on=schemas.CELL, how="left")
    panel = panel.astype(dict.fromkeys(["units", *covariates], "float64"))
    return panel.sort_values(schemas.CELL, ignore_index=True)


def future_cells(series: pd.DataFrame, spec: ForecastSpec) -> pd.DataFrame:
    """Return the cells to forecast: one row per (`store`, `product`, `week`, `step`), sorted by series and step."""
    steps = pd.DataFrame(
        {"week": pd.DatetimeIndex(spec.weeks).as_unit("us"), "step": np.array(spec.steps, dtype="int64")}
    )
    return series[schemas.SERIES].sort_values(schemas.SERIES).merge(steps, how="cross")


def series_of(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the distinct series of a panel, sorted."""
    return panel[schemas.SERIES].drop_duplicates().sort_values(schemas.SERIES, ignore_index=True)


@dataclass(frozen=True, eq=False)
class ChainOffers:
    """What the chain offers: the medians of its stores, which stand in where a store has announced nothing.

    by_week: of each (`product`, `week`) after the cutoff.
    usual: of each `product` up to the cutoff; prices and numbers only.
    """

    by_week: pd.DataFrame
    usual: pd.DataFrame

    @staticmethod
    def of(promotions: pd.DataFrame, cutoff: date, last: date, definition: PanelDefinition) -> "ChainOffers":
        """Return the offers of the stores in `promotions` up to the week `last`."""
        past = promotions["week"] <= pd.Timestamp(cutoff)
        ahead = ~past & (promotions["week"] <= pd.Timestamp(last))
        by_week = _median_offer(promotions[ahead].groupby(["product", "week"]), definition.names, definition)
        return ChainOffers(by_week, _median_offer(promotions[past].groupby("product"), _usual(definition), definition))


def complete_promotions(
    promotions: pd.DataFrame,
    series: pd.DataFrame,
    cutoff: date,
    last: date,
    definition: PanelDefinition,
    chain: ChainOffers | None = None,
) -> pd.DataFrame:
    """Return promotions up to the week `last`, with an offer in every week after the cutoff; `known`: announced.

    Every one of `series`, and every other product that has promotions in their stores, gets what `complete_plan`
    assumes where nothing was announced. A product without any price gets none. Rows up to the cutoff stay as they are.

    Args:
        chain: of the whole chain, where `promotions` are those of some of its stores.
    """
    rows = promotions[promotions["week"] <= pd.Timestamp(last)]
    rows = rows.assign(known=rows[definition.names].notna().all(axis=1))
    here = rows.loc[rows["store"].isin(series["store"].unique()), schemas.SERIES]
    pairs = pd.concat([series[schemas.SERIES], here]).drop_duplicates()
    weeks = pd.DataFrame({"week": pd.date_range(cutoff + WEEK, last, freq="7D", unit="us")})
    plan = complete_plan(rows, pairs.merge(weeks, how="cross"), cutoff, definition, chain)
    assumed = plan[~plan["known"] & plan[definition.names].notna().all(axis=1)]
    announced = rows[rows["known"] | (rows["week"] <= pd.Timestamp(cutoff))]
    table = schemas.promotions(definition)
    return pd.concat([announced, table.cast(assumed).assign(known=False)], ignore_index=True)


def complete_plan(
    promotions: pd.DataFrame,
    cells: pd.DataFrame,
    cutoff: date,
    definition: PanelDefinition,
    chain: ChainOffers | None = None,
) -> pd.DataFrame:
    """Return the covariates of every cell, with `known` where all were announced.

    What a store has not announced is taken from the chain: the median of its other stores for that product and week,
    as promotions are planned for the chain. What no store has announced is, for a price or number, the series' usual
    value up to the cutoff, failing that the product's; for a flag or share 0. A price that nobody knows stays empty.
    """
    names, flags = definition.names, [each.name for each in definition.of_role("flag")]
    usual = _usual(definition)
    zero = [each.name for each in definition.of_role("flag", "share", "number")]
    asked = promotions.loc[promotions["week"].isin(cells["week"].unique()), [*schemas.CELL, *names]]
    plan = cells[schemas.CELL].merge(asked, on=schemas.CELL, how="left")
    plan = plan.astype(dict.fromkeys(names, "float64"))
    plan["known"] = plan[names].notna().all(axis=1)
    past = promotions["week"] <= pd.Timestamp(cutoff)
    ahead = promotions["week"].isin(plan["week"].unique())

    def own_usual() -> pd.DataFrame:
        return _median_offer(promotions[past].groupby(schemas.SERIES), usual, definition)

    def by_week() -> pd.DataFrame:
        if chain:
            return chain.by_week
        return _median_offer(promotions[ahead].groupby(["product", "week"]), names, definition)

    def usual_of_product() -> pd.DataFrame:
        return chain.usual if chain else _median_offer(promotions[past].groupby("product"), usual, definition)

    guesses = (
        (["product", "week"], by_week, names),
        (schemas.SERIES, own_usual, usual),
        (["product"], usual_of_product, usual),
    )
    for keys, offers, columns in guesses:
        if columns and plan[columns].isna().any(axis=None):
            guess = plan[keys].join(offers(), on=keys)
            plan[columns] = plan[columns].fillna(guess[columns])
    plan[zero] = plan[zero].fillna(0.0)
    plan[flags] = plan[flags].round()
    return plan


def _usual(definition: PanelDefinition) -> list[str]:
    """Return the covariates that have a usual value."""
    return [each.name for each in definition.of_role("price", "number")]


def _median_offer(
    groups: pd.api.typing.DataFrameGroupBy, columns: list[str], definition: PanelDefinition
) -> pd.DataFrame:
    """Return the median of each column; between two middle prices their geometric mean.

    The models see logarithms of prices, and the median of logarithms must be the logarithm of the median.
    """
    found = groups[columns].median()
    for price in definition.of_role("price"):
        lower, upper = (groups[price.name].quantile(0.5, interpolation=end) for end in ("lower", "higher"))
        found[price.name] = lower.where(lower == upper, np.sqrt(lower * upper))
    return found
