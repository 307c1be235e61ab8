"""Quarantined rows, found by what they mean: their values are texts as they were received."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from forecasting.contracts.calendar import weeks_of
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Id, PanelDefinition
from forecasting.core.dates import parse_dates
from forecasting.core.ids import parse_id


def rows_of_cell(
    rows: pd.DataFrame, week: date, store: Id, product: Id, definition: PanelDefinition, layouts: Sequence[Layout]
) -> pd.DataFrame:
    """Return the quarantined rows of a cell.

    Args:
        rows: table `quarantine`.
        week, store, product: the cell.
        definition: what the rows hold.
        layouts: how dates may be written.
    """
    is_of_cell = pd.Series(False, index=rows.index)
    texts = rows["week_or_date"].str.strip()
    for date_format in {"iso", *(layout.date_format for layout in layouts)}:
        days = parse_dates(texts, date_format, definition.time_zone)
        is_of_cell |= weeks_of(days, definition.week_starts_on) == pd.Timestamp(week)
    for name, key, wanted in (("store", definition.store, store), ("product", definition.product, product)):
        ids = {text: parse_id(text, key.id).value for text in rows[name].unique()}
        is_of_cell &= rows[name].map(ids) == wanted
    return rows[is_of_cell]
