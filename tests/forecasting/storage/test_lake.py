"""The stores of a lake, and what spans them."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import DataError, OptionError
from forecasting.storage.lake import Lake

WEEK, NEXT = date(1992, 4, 16), date(1992, 4, 23)


def sales(week: date, units: dict[int, int]) -> pd.DataFrame:
    return schemas.SALES.cast(
        pd.DataFrame({"store": list(units), "product": 1, "week": pd.Timestamp(week), "units": list(units.values())})
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    return lake


def test_sales_have_one_file_a_week(lake: Lake) -> None:
    """Rows go to the file of their week; `until` leaves out what came later."""
    lake.sales.add(pd.concat([sales(NEXT, {2: 1}), sales(WEEK, {2: 5, 5: 7})]))
    assert lake.sales.weeks() == [WEEK, NEXT]
    assert lake.sales.read()["units"].tolist() == [5, 1, 7]
    assert lake.sales.read(until=WEEK)["units"].tolist() == [5, 7]


def test_late_rows_join_their_week(lake: Lake) -> None:
    """Rows that come later are added to those already there."""
    lake.sales.add(sales(WEEK, {2: 5}))
    lake.sales.add(sales(WEEK, {5: 7}))
    assert lake.sales.read()["store"].tolist() == [2, 5]


def test_nothing_new_leaves_the_file_untouched(lake: Lake) -> None:
    """Adding rows that are already there does not write."""
    lake.sales.add(sales(WEEK, {2: 5}))
    path = lake.root / "sales" / f"{WEEK}.parquet"
    inode = path.stat().st_ino
    lake.sales.add(sales(WEEK, {2: 5}))
    assert path.stat().st_ino == inode


def test_an_empty_lake_answers_with_empty_tables(lake: Lake) -> None:
    """Nothing is there, and nothing breaks."""
    assert lake.sales.read().empty
    assert list(lake.promotions.read().columns) == orange_juice.PROMOTIONS.columns
    assert lake.forecasts.cutoffs() == []
    assert lake.forecasts.run_id(WEEK) is None
    assert lake.runs.last() is None
    assert lake.quarantine.read(WEEK).empty


def test_a_missing_reference_table_names_the_remedy(lake: Lake) -> None:
    """A lake without stores says how to get them."""
    with pytest.raises(DataError, match="no table of stores; fill it with `oj simulate`"):
        lake.reference.stores()


def test_files_of_other_names_are_skipped(lake: Lake) -> None:
    """A file in a folder of weeks that is not named by a week is no week."""
    lake.sales.add(sales(WEEK, {2: 5}))
    (lake.root / "sales" / "notes.parquet").write_text("hello")
    assert lake.sales.weeks() == [WEEK]


def test_a_file_sent_again_replaces_its_quarantined_rows(lake: Lake) -> None:
    """Other files' rows stay."""

    def rows(file: str, rule: str) -> pd.DataFrame:
        empty = dict.fromkeys(orange_juice.QUARANTINE.columns, "")
        return pd.DataFrame([empty | {"file": file, "line": 2, "rule": rule, "detail": "x"}])

    both = ["a.csv", "b.csv"]
    lake.quarantine.add(WEEK, pd.concat([rows("a.csv", "negative"), rows("b.csv", "negative")]), both)
    lake.quarantine.add(WEEK, rows("a.csv", "infinite"), ["a.csv"])
    assert lake.quarantine.read(WEEK)[["file", "rule"]].values.tolist() == [
        ["a.csv", "infinite"],
        ["b.csv", "negative"],
    ]
    lake.quarantine.add(WEEK, orange_juice.QUARANTINE.empty(), both)
    assert lake.quarantine.read(WEEK).empty


def test_a_root_that_cannot_be_written_is_an_option_error(tmp_path: Path) -> None:
    """The error names the folder and the remedy."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OptionError, match=r"cannot be written .*--lake or OJ_LAKE"):
        Lake(tmp_path / "file" / "lake").prepare()


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
