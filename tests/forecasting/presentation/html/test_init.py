"""The page of a week is written."""

from datetime import date

import pytest
from typer.testing import CliRunner

from forecasting.cli import app
from forecasting.contracts.errors import DataError
from forecasting.presentation.html import write_page
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import WEEK


def test_a_week_without_forecast_has_no_page(page_lake: Lake) -> None:
    """The error names the newest that there is, and how to make the missing one."""
    with pytest.raises(DataError, match="No forecast is published for the week of 1992-05-07.*newest is 1992-04-16"):
        write_page(page_lake, date(1992, 5, 7))
    with pytest.raises(DataError, match="has no published forecast; make one first: oj run"):
        Lake(page_lake.root / "elsewhere").forecasts.newest()


def test_oj_report_prints_where_the_page_is(page_lake: Lake) -> None:
    """The newest week, where none is named; what is wrong ends in one sentence."""
    done = CliRunner().invoke(app, ["report", "--lake", str(page_lake.root)])
    assert done.exit_code == 0, done.output
    assert "Report: " in done.output
    assert "1992-04-16.html" in done.output.replace("\n", "")
    wrong = CliRunner().invoke(app, ["report", "--lake", str(page_lake.root), "--cutoff", "1992-05-07"])
    assert wrong.exit_code == 1


def test_the_parts_of_a_page_go_with_it(page_lake: Lake) -> None:
    """A page that needs fewer parts than the one before it leaves none of the old ones."""
    folder = page_lake.reports.page_path(WEEK).with_suffix("")
    folder.mkdir(parents=True)
    (folder / "000-old.js").write_text("")
    write_page(page_lake, WEEK)
    assert list(folder.iterdir()) == []
