"""The week of a file whose name declares none: the last week of which it has units."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from forecasting.contracts.calendar import weeks_of
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.dates import parse_dates
from forecasting.storage.reader import read_rows

# All that is read of a file for it.
READ = ("date", "units")


def last_week(
    name: str, content: bytes, definition: PanelDefinition, layouts: Sequence[Layout], today: date
) -> date | None:
    """Return the first day of the last week, of those that have begun, of which a file has units.

    A later week is a slip of the pen, which must not hold the file back for years.

    Returns:
        None for a file without units, such as one of plans, and for one that cannot be read.
    """
    read = [
        replace(layout, columns={each: layout.columns[each] for each in READ if each in layout.columns})
        for layout in layouts
    ]
    rows = read_rows([(name, content)], replace(definition, covariates=()), read).frame
    weeks = [
        _weeks_with_units(of_layout, layouts[int(str(place))], definition)
        for place, of_layout in rows.groupby("layout")
    ]
    begun = [found[found <= pd.Timestamp(today)] for found in weeks]
    return max((found.max().date() for found in begun if len(found)), default=None)


def _weeks_with_units(rows: pd.DataFrame, layout: Layout, definition: PanelDefinition) -> pd.Series:
    is_sold = (rows["rule"] == "") & (rows["passed_over"] == "")
    is_sold &= ~rows["units"].str.strip().isin(["", *layout.empty])
    texts = rows.loc[is_sold, "week_or_date"].str.strip()
    days = parse_dates(texts, layout.date_format, definition.time_zone).dropna()
    return weeks_of(days, definition.week_starts_on)
