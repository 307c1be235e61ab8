"""The stores of a lake, and what spans them."""

import stat
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.errors import OptionError
from forecasting.storage.lake import Lake

WEEK, NEXT = date(1992, 4, 16), date(1992, 4, 23)


def sales(week: date, units: dict[int, int]) -> pd.DataFrame:
    return orange_juice.SALES.cast(
        pd.DataFrame({"store": list(units), "product": 1, "week": pd.Timestamp(week), "units": list(units.values())})
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    return lake


def test_an_empty_lake_answers_with_empty_tables(lake: Lake) -> None:
    """Nothing is there, and nothing breaks."""
    assert lake.sales.read().empty
    assert list(lake.promotions.read().columns) == orange_juice.PROMOTIONS.columns
    assert lake.forecasts.cutoffs() == []
    assert lake.forecasts.run_id(WEEK) is None
    assert lake.runs.last() is None
    assert lake.quarantine.read(WEEK).empty


def test_a_root_that_cannot_be_written_is_an_option_error(tmp_path: Path) -> None:
    """The error names the folder and the remedy."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OptionError, match=r"cannot be written .*--lake or OJ_LAKE"):
        Lake(tmp_path / "file" / "lake").prepare()


def test_the_folders_for_others_are_as_open_as_the_lake(tmp_path: Path) -> None:
    """Where a group works in it, all of the group put files into the inbox."""
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake").chmod(0o2775)
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    folders = (lake.inbox, lake.acceptances.folder)
    assert {stat.S_IMODE(Path(folder).stat().st_mode) for folder in folders} == {0o2775}


def test_an_interrupted_filling_starts_again(lake: Lake) -> None:
    """Its lake counts as empty, and is cleared first."""

    def break_off() -> None:
        with lake.filling():
            lake.sales.add(sales(WEEK, {2: 5}))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        break_off()
    assert lake.is_empty
    with lake.filling():
        lake.sales.add(sales(NEXT, {2: 5}))
    assert not lake.is_empty
    assert lake.sales.weeks() == [NEXT]


def test_the_digest_of_a_week_follows_its_sales(lake: Lake) -> None:
    """The same rows, the same digest; another sale, another."""
    lake.sales.add(sales(WEEK, {2: 5}))
    first = lake.sales.digest(WEEK)
    lake.sales.add(sales(WEEK, {2: 5}))
    assert lake.sales.digest(WEEK) == first
    lake.sales.add(sales(WEEK, {2: 6}))
    assert lake.sales.digest(WEEK) != first
