"""The week of a file whose name declares none: the last week of which it has units."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from forecasting.contracts.calendar import DAYS_IN_WEEK, weeks_of
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.cross_checks import WEEKS_TO_LEARN_FROM
from forecasting.core.dates import parse_dates
from forecasting.storage.reader import read_rows

# All that is read of a file for it.
READ = ("date", "units")


def last_week(
    name: str, content: bytes, definition: PanelDefinition, layouts: Sequence[Layout], today: date
) -> date | None:
    """Return the first day of the last week, of those that have begun, of which a file has units.

    A later week is a slip of the pen, which must not hold the file back for years. Where days or transactions end
    before their last week does, it is the week before: the rest may come later.

    Returns:
        None for a file without units, such as one of plans, and for one that cannot be read.
    """
    first = read_rows([(name, content)], definition, layouts, most_rows=1).frame
    if first.empty:
        return None
    # By all of its columns the file has found its layout; the others need not be read.
    layout = layouts[int(first["layout"].iloc[0])]
    read = replace(layout, columns={each: layout.columns[each] for each in READ if each in layout.columns})
    rows = read_rows([(name, content)], replace(definition, covariates=()), [read]).frame
    days = _days_with_units(rows, layout, definition)
    first_days = weeks_of(days, definition.week_starts_on)
    ends = (days - first_days).dt.days.groupby(first_days).max()
    ends = ends[ends.index <= pd.Timestamp(today)]
    if ends.empty:
        return None
    last: pd.Timestamp = ends.index[-2 if layout.grain != "week" and _is_unfinished(ends) else -1]
    return last.date()


def _days_with_units(rows: pd.DataFrame, layout: Layout, definition: PanelDefinition) -> pd.Series:
    is_sold = (rows["rule"] == "") & (rows["passed_over"] == "")
    is_sold &= ~rows["units"].str.strip().isin(["", *layout.empty])
    texts = rows.loc[is_sold, "week_or_date"].str.strip()
    return parse_dates(texts, layout.date_format, definition.time_zone).dropna().drop_duplicates()


def _is_unfinished(ends: pd.Series) -> bool:
    """Return whether the last of several weeks ends before its last day, or before the day on which others end.

    Args:
        ends: days from the first to the last with units, by week.
    """
    others = ends.iloc[1:-1]
    # Of few weeks nobody can tell whether the retailer is closed on the last day.
    usual = int(others.max()) if len(others) >= WEEKS_TO_LEARN_FROM else DAYS_IN_WEEK - 2
    return len(ends) > 1 and int(ends.iloc[-1]) < usual
