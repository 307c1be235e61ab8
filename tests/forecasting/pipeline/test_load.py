"""The stage that loads a database: it costs a run nothing, and tells what became of it."""

import logging
from pathlib import Path

import pytest

from flows.options import WeeklyOptions
from forecasting.contracts.errors import OptionError
from forecasting.pipeline.load import in_words, load
from forecasting.storage.database import load as loads
from forecasting.storage.lake import Lake
from tests.databases import Target, assert_agrees


def test_a_run_tells_what_it_loaded(small_lake: Lake, tmp_path: Path) -> None:
    """For the receipt and in words; where nothing differs, that too."""
    lake, name = small_lake, f"sqlite:///{tmp_path}/oj.db"
    first = load(lake, name)
    assert first["rows"] == {"stores": 3, "products": 2, "forecast": 36, "sales": 30, "announced_promotions": 60}
    assert in_words(first) == (
        f"{name} has new rows of 5 weeks (stores 3, products 2, announced_promotions 60, sales 30, forecast 36)"
    )
    assert_agrees(lake, Target(name, name))
    assert in_words(load(lake, name)) == f"{name} agrees with the files already"


def test_a_database_that_is_not_there_is_told_and_nothing_more(
    small_lake: Lake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One sentence for the receipt and for the log of the run; no error that would end it."""
    announced = load(small_lake, f"sqlite:///{tmp_path}/no/folder.db")
    assert "its folder does not exist" in announced["error"]
    assert [record.message for record in caplog.records] == [
        f"The forecast is published; the database is not loaded: {announced['error']}"
    ]


def test_whatever_goes_wrong_costs_no_forecast(
    small_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also what nobody foresaw; of its words, which may hold an address, nothing is told."""

    def fail(*_: object) -> None:
        raise MemoryError("postgresql://oj:swordfish@host/db")

    monkeypatch.setattr(loads, "load", fail)
    caplog.set_level(logging.DEBUG)
    announced = load(small_lake, "reporting")
    assert announced["error"] == "The database reporting could not be loaded (MemoryError); try oj load."
    assert "swordfish" not in caplog.text


def test_a_run_refuses_an_address_with_a_password_at_once() -> None:
    """Before it begins; the error does not repeat it."""
    with pytest.raises(OptionError) as error:
        WeeklyOptions(database="postgresql://oj:swordfish@host/db")
    assert "swordfish" not in str(error.value)
