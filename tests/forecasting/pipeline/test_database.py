"""The stage that loads a database: it costs a run nothing, and says what it did."""

import logging
from pathlib import Path

import pytest

from flows.options import WeeklyOptions
from forecasting.contracts.errors import OptionError
from forecasting.pipeline.database import try_database
from forecasting.storage.database import DatabaseLoad
from forecasting.storage.database import load as loads
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS, Target, assert_agrees


def test_a_run_says_what_it_loaded(small_lake: Lake, tmp_path: Path) -> None:
    """Weeks, and rows by table; where nothing differs, none."""
    lake, name = small_lake, f"sqlite:///{tmp_path}/oj.db"
    first = try_database(lake, name)
    assert (first.target, first.error) == (name, None)
    assert first.rows == {"stores": 3, "products": 2, "forecast": 36, "sales": 30, "announced_promotions": 60}
    assert len(first.weeks) == 5
    assert set(CUTOFFS) <= set(first.weeks)
    assert_agrees(lake, Target(name, name))
    assert try_database(lake, name) == DatabaseLoad(name)


def test_a_database_that_is_not_there_is_an_error_in_the_result(
    small_lake: Lake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One sentence for the record and for the log of the run; no error that would end it."""
    result = try_database(small_lake, f"sqlite:///{tmp_path}/no/folder.db")
    assert result.error
    assert "its folder does not exist" in result.error
    assert [record.message for record in caplog.records] == [
        f"The forecast is published, but the database is not loaded: {result.error}"
    ]


def test_whatever_goes_wrong_costs_no_forecast(
    small_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also an error that nobody expects; its message, which may hold an address, is not repeated."""

    def fail(*_: object) -> None:
        raise MemoryError("postgresql://oj:swordfish@host/db")

    monkeypatch.setattr(loads, "load", fail)
    caplog.set_level(logging.DEBUG)
    result = try_database(small_lake, "reporting")
    assert result.error == "The database reporting could not be loaded (MemoryError); try oj load."
    assert "swordfish" not in caplog.text


def test_a_run_refuses_an_address_with_a_password_at_once() -> None:
    """Before it begins; the error does not repeat it."""
    with pytest.raises(OptionError) as error:
        WeeklyOptions(database="postgresql://oj:swordfish@host/db")
    assert "swordfish" not in str(error.value)
