"""The bar shows how much is done, and leaves nothing behind."""

from io import StringIO

import pytest

from forecasting.presentation.terminal.console import console
from forecasting.presentation.terminal.progress import progress_bar


def test_a_bar_moves_and_goes(printed: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the share is drawn; the line is erased at the end."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(console, "_force_terminal", True)
    monkeypatch.setattr(console, "is_interactive", True)
    with progress_bar("reading") as on_progress:
        on_progress(50, 100)
    assert "reading" in printed.getvalue()
    assert "50%" in printed.getvalue()


def test_a_file_gets_no_bar(printed: StringIO) -> None:
    """Nothing is printed that somebody would have to remove."""
    with progress_bar("reading") as on_progress:
        on_progress(100, 100)
    assert printed.getvalue() == ""
