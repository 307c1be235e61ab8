"""Simulation: the weeks of the shipped data arrive in a lake's inbox, one after the other."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.orange_juice import ANNOUNCED_PROMOTIONS, LAYOUTS, PRODUCTS, SALES, STORES, dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE, PanelDefinition
from forecasting.contracts.table import Table
from forecasting.storage.files import read_table
from forecasting.storage.inbox import list_inbox
from forecasting.storage.lake import Lake
from forecasting.storage.location import Location, local_file

# In a wheel the data are a folder of the package, in the repository a folder beside it.
_PACKAGED = Path(__file__).parents[1] / "data"
SHIPPED = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "data"
FIRST_HISTORY_UNTIL = dominicks_week(135)
WEEKS_AHEAD = 4  # weeks for which a store announces its promotions


@dataclass(frozen=True)
class SimulatedWeek:
    """What one call did. `history_until` is set where it filled an empty lake."""

    week: date
    files: int
    history_until: date | None


def simulate(lake: Lake, *, history_until: date = FIRST_HISTORY_UNTIL, source: Path = SHIPPED) -> SimulatedWeek:
    """Put the files of the next week into the inbox, one CSV a store.

    A file holds the store's sales of that week and its promotions of the weeks ahead. An empty lake is first filled
    with history up to `history_until`.

    Raises:
        OptionError: `history_until` is not a week of the data, or the lake holds another panel.
        DataError: the data end here.
    """
    lake.prepare()
    if lake.reference.definition != ORANGE_JUICE if lake.is_empty else not is_simulated(lake):
        raise OptionError(f"lake={lake.root}", "holds another panel than the shipped one", "name another with --lake")
    definition = ORANGE_JUICE if lake.is_empty else lake.reference.definition
    sales, promotions = shipped(SALES, source), shipped(schemas.promotions(definition), source)
    filled = None
    if lake.is_empty:
        _fill(lake, sales, promotions, history_until, source)
        filled = history_until
    week = _latest_week(lake) + WEEK
    of_week = sales[sales["week"] == pd.Timestamp(week)]
    if of_week.empty:
        raise DataError(
            f"The shipped data end with the week of {sales['week'].max().date()}, there is no week of {week}",
            f"start again in a new lake (`oj simulate --lake another-folder`), or remove {lake.root}",
        )
    ahead = pd.Timestamp(week + WEEK * WEEKS_AHEAD)
    plan = promotions[(promotions["week"] >= pd.Timestamp(week)) & (promotions["week"] <= ahead)]
    rows = plan.merge(of_week, on=schemas.CELL, how="left")
    rows["units"] = rows["units"].astype("Int64")
    reporting = rows[rows["store"].isin(of_week["store"])]
    for store, of_store in reporting.groupby("store"):
        _drop(lake.inbox / f"{week}_store-{int(str(store)):03d}.csv", of_store, definition)
    return SimulatedWeek(week, of_week["store"].nunique(), filled)


def is_simulated(lake: Lake) -> bool:
    """Return whether the lake holds the shipped panel."""
    return lake.reference.products().equals(shipped(PRODUCTS))


def _fill(lake: Lake, sales: pd.DataFrame, promotions: pd.DataFrame, until: date, source: Path) -> None:
    last = pd.Timestamp(until)
    if last not in set(sales["week"]):
        first, end = sales["week"].min().date(), sales["week"].max().date()
        raise OptionError(
            f"history-until={until}", "is not a week of the shipped data", f"name a Thursday from {first} to {end}"
        )
    with lake.filling():
        lake.reference.write_panel(ORANGE_JUICE, LAYOUTS)
        lake.reference.write(shipped(STORES, source), shipped(PRODUCTS, source))
        lake.promotions.add(_announced(promotions[promotions["week"] <= last]))
        lake.sales.add(sales[sales["week"] <= last])


def _announced(promotions: pd.DataFrame) -> pd.DataFrame:
    """Return a history as table `announced_promotions`, announced as far ahead as the weeks after it."""
    announced = promotions["week"] - pd.Timedelta(weeks=WEEKS_AHEAD)
    return ANNOUNCED_PROMOTIONS.cast(promotions.assign(announced=announced.clip(lower=promotions["week"].min())))


def _latest_week(lake: Lake) -> date:
    dropped = [file.week for file in list_inbox(lake.inbox) if file.week]
    return max([*lake.sales.weeks(), *dropped])


def _drop(place: Location, rows: pd.DataFrame, definition: PanelDefinition) -> None:
    ordered = rows.sort_values(["week", "product"])[schemas.inbox_columns(definition)]
    place.write_text(ordered.to_csv(index=False, date_format="%Y-%m-%d"))


def shipped(table: Table, source: Path = SHIPPED) -> pd.DataFrame:
    """Return a table of the shipped data.

    Raises:
        DataError: it is not there.
    """
    path = source / f"{table.name}.parquet"
    if not path.exists():
        raise DataError(f"The shipped data are not at {path}", "install the package anew")
    return read_table(local_file(path), table)
