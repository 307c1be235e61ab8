"""The panel: sales joined with promotions up to the cutoff, gaps visible; and the plan that lies ahead of it."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.pool import only_pooled

WEEK_OF_PRODUCT = ["product", "week"]


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


def complete_promotions(
    promotions: pd.DataFrame,
    series: pd.DataFrame,
    cutoff: date,
    last: date,
    definition: PanelDefinition,
    guesses: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return promotions up to the week `last`, with an offer in every week after the cutoff; `known`: announced.

    Every one of `series`, and every other product that has promotions in their stores, gets what `complete_plan`
    assumes where nothing was announced. A product without any price gets none. Rows up to the cutoff stay as they are.

    guesses: of the weeks after the cutoff (`guess_offers`); None where the promotions are those of the whole chain.
    """
    rows = promotions[promotions["week"] <= pd.Timestamp(last)]
    rows = rows.assign(known=rows[definition.names].notna().all(axis=1))
    here = rows.loc[rows["store"].isin(series["store"].unique()), schemas.SERIES]
    pairs = pd.concat([series[schemas.SERIES], here]).drop_duplicates()
    weeks = pd.DataFrame({"week": pd.date_range(cutoff + WEEK, last, freq="7D", unit="us")})
    plan = complete_plan(rows, pairs.merge(weeks, how="cross"), cutoff, definition, guesses)
    assumed = plan[~plan["known"] & plan[definition.names].notna().all(axis=1)]
    announced = rows[rows["known"] | (rows["week"] <= pd.Timestamp(cutoff))]
    table = schemas.promotions(definition)
    return pd.concat([announced, table.cast(assumed).assign(known=False)], ignore_index=True)


def complete_plan(
    promotions: pd.DataFrame,
    cells: pd.DataFrame,
    cutoff: date,
    definition: PanelDefinition,
    guesses: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the covariates of every cell, with `known` where all were announced.

    What a store has not announced is taken from the chain: the median of its other stores for that product and week,
    as promotions are planned for the chain. What no store has announced is, for a price or number, the series' usual
    value up to the cutoff, failing that the product's; for a flag or share 0. A price that nobody knows stays empty.

    guesses: what the chain tells (`guess_offers`); None where `promotions` are those of the whole chain.
    """
    names, flags = definition.names, [each.name for each in definition.of_role("flag")]
    usual = [each.name for each in definition.of_role("price", "number")]
    zero = [each.name for each in definition.of_role("flag", "share", "number")]
    asked = promotions.loc[promotions["week"].isin(cells["week"].unique()), [*schemas.CELL, *names]]
    plan = cells[schemas.CELL].merge(asked, on=schemas.CELL, how="left")
    plan = plan.astype(dict.fromkeys(names, "float64"))
    plan["known"] = plan[names].notna().all(axis=1)
    if guesses is not None:
        of_week, of_product = guesses.dropna(subset="week"), guesses[guesses["week"].isna()].drop(columns="week")
    found: tuple[tuple[list[str], list[str], Callable[[], pd.DataFrame]], ...] = (
        (
            WEEK_OF_PRODUCT,
            names,
            lambda: _guesses_of_weeks(promotions, plan["week"], definition) if guesses is None else of_week,
        ),
        (schemas.SERIES, usual, lambda: _usual_offers(promotions, cutoff, schemas.SERIES, definition)),
        (
            ["product"],
            usual,
            lambda: _usual_of_products(promotions, cutoff, definition) if guesses is None else of_product,
        ),
    )
    for keys, columns, guess in found:
        if columns and plan[columns].isna().any(axis=None):
            plan[columns] = plan[columns].fillna(plan[keys].join(guess().set_index(keys), on=keys)[columns])
    plan[zero] = plan[zero].fillna(0.0)
    plan[flags] = plan[flags].round()
    return plan


def guess_offers(
    promotions: pd.DataFrame, weeks: pd.DatetimeIndex, cutoff: date, definition: PanelDefinition
) -> pd.DataFrame:
    """Return what is assumed of products where a store announced nothing: a small table, from the pooled stores alone.

    One row per product and week of `weeks` with what the stores announced for it, and one per product without a week:
    its usual prices and numbers up to the cutoff. With it the stores of a chain are completed part by part.

    promotions: of all stores, or at least of the pooled ones (`forecasting.core.pool.pooled_series`).
    """
    of_week = _guesses_of_weeks(promotions, weeks, definition)
    return pd.concat([of_week, _usual_of_products(promotions, cutoff, definition)], ignore_index=True)


def _guesses_of_weeks(
    promotions: pd.DataFrame, weeks: pd.Series | pd.DatetimeIndex, definition: PanelDefinition
) -> pd.DataFrame:
    announced = only_pooled(promotions[promotions["week"].isin(weeks.unique())])
    return _median_offers(announced, WEEK_OF_PRODUCT, definition.names, definition)


def _usual_of_products(promotions: pd.DataFrame, cutoff: date, definition: PanelDefinition) -> pd.DataFrame:
    return _usual_offers(only_pooled(promotions), cutoff, ["product"], definition)


def _usual_offers(promotions: pd.DataFrame, cutoff: date, keys: list[str], definition: PanelDefinition) -> pd.DataFrame:
    past = promotions[promotions["week"] <= pd.Timestamp(cutoff)]
    return _median_offers(past, keys, [each.name for each in definition.of_role("price", "number")], definition)


def _median_offers(
    promotions: pd.DataFrame, keys: list[str], columns: list[str], definition: PanelDefinition
) -> pd.DataFrame:
    """Return the median of each column by key; between two middle prices their geometric mean.

    The models see logarithms of prices, and the median of logarithms must be the logarithm of the median.
    """
    groups = promotions.groupby(keys)
    found = groups[columns].median()
    for price in (each for each in definition.of_role("price") if each.name in columns):
        lower, upper = (groups[price.name].quantile(0.5, interpolation=end) for end in ("lower", "higher"))
        found[price.name] = lower.where(lower == upper, np.sqrt(lower * upper))
    return found.reset_index()
