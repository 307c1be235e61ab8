"""The list of an import: every row that was not taken in, as a CSV file that spreadsheet programs open."""

import pandas as pd

from forecasting.presentation.excel import harmless
from forecasting.storage.location import Location


def write_import_list(place: Location, rows: pd.DataFrame) -> None:
    """Write rows as CSV in which no text is taken for a formula; see `excel.harmless`.

    Args:
        place: of the file; its folder need not exist.
        rows: table `quarantine`.
    """
    texts = rows.select_dtypes(exclude="number").columns
    safe = rows.assign(**{name: rows[name].map(_cell, na_action="ignore") for name in texts})
    # With a byte order mark, as Excel reads names with accents wrongly without it.
    place.write_bytes(safe.to_csv(index=False).encode("utf-8-sig", errors="replace"))


def _cell(text: str) -> str:
    # Programs take NUL for the end of the text.
    return harmless(text).replace("\0", "\\0")
