"""What is printed of files and databases that were written."""

from datetime import date
from io import StringIO
from pathlib import Path

from forecasting.presentation.terminal.files import show_exported, show_loaded, show_page
from forecasting.storage.database import DatabaseLoad
from tests.forecasting.presentation.terminal.printed import joined, text_of


def test_what_was_written_is_named(printed: StringIO) -> None:
    """The page, the exported file with its rows, and what was loaded."""
    show_page(Path("report/[b]1992-04-16.html"))
    show_exported(Path("[orders].xlsx"), date(1992, 4, 16), 1826)
    show_loaded(DatabaseLoad("reporting", (date(1992, 4, 16),), {"forecast": 1826}))

    text = joined(text_of(printed))
    assert joined("Report: report/[b]1992-04-16.html") in text
    assert joined("1,826 forecasts of the week of 1992-04-16 are in [orders].xlsx.") in text
    assert joined("The database reporting has new rows of 1 week (forecast 1,826).") in text
