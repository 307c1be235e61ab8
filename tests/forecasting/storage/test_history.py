"""What a lake has collected by which moment: nothing is ever overwritten."""

import re
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.table import Table
from forecasting.storage.backends import Folder
from forecasting.storage.history import BEGINNING, WeeklyTable, later_than
from forecasting.storage.lake import Lake
from forecasting.storage.location import open_location
from tests.strategies import whole_offers

ROOT = Path(__file__).parents[3]
FIRST = date(1992, 4, 16)
SECOND = FIRST + WEEK
NOON = datetime(1992, 4, 24, 12, tzinfo=UTC)
ONE_LATER = timedelta(microseconds=1)


class Units(WeeklyTable):
    """Sales of a folder, without the rest of a lake."""

    def __init__(self, root: Path) -> None:
        super().__init__(open_location(root / "units"), open_location(root / "vintages"))

    @property
    def table(self) -> Table:
        return orange_juice.SALES

    def _arranged(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows


def sales(week: date, units: dict[int, int]) -> pd.DataFrame:
    return orange_juice.SALES.cast(
        pd.DataFrame({"store": list(units), "product": 1, "week": pd.Timestamp(week), "units": list(units.values())})
    )


def announced(by: date, price: float, *weeks: date) -> pd.DataFrame:
    rows = pd.DataFrame({"store": 2, "product": 1, "week": pd.to_datetime(list(weeks)), "price": price})
    return orange_juice.ANNOUNCED_PROMOTIONS.cast(
        whole_offers(rows.assign(announced=pd.Timestamp(by), deal=0, feat=0.0))
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_sales_have_one_file_a_week(lake: Lake) -> None:
    """Rows go to the file of their week; `until` leaves out what came later."""
    lake.sales.add(pd.concat([sales(SECOND, {2: 1}), sales(FIRST, {2: 5, 5: 7})]))
    assert lake.sales.weeks() == [FIRST, SECOND]
    assert lake.sales.read()["units"].tolist() == [5, 1, 7]
    assert lake.sales.read(until=FIRST)["units"].tolist() == [5, 7]


def test_late_rows_join_their_week(lake: Lake) -> None:
    """Rows that come later are added to those already there."""
    lake.sales.add(sales(FIRST, {2: 5}))
    lake.sales.add(sales(FIRST, {5: 7}))
    assert lake.sales.read()["store"].tolist() == [2, 5]


def test_nothing_new_leaves_the_file_untouched(lake: Lake) -> None:
    """Adding rows that are already there does not write."""
    lake.sales.add(sales(FIRST, {2: 5}))
    path = lake.root / "sales" / f"{FIRST}.parquet"
    inode = Path(path).stat().st_ino
    lake.sales.add(sales(FIRST, {2: 5}))
    assert Path(path).stat().st_ino == inode


def test_files_of_other_names_are_skipped(lake: Lake) -> None:
    """A file in a folder of weeks that is not named by a week is no week."""
    lake.sales.add(sales(FIRST, {2: 5}))
    (lake.root / "sales" / "notes.parquet").write_text("hello")
    assert lake.sales.weeks() == [FIRST]


def test_the_vintage_before_a_correction_stays(lake: Lake) -> None:
    """Both vintages can be read; the week as known now is the newer one."""
    lake.sales.add(sales(FIRST, {2: 5, 5: 7}), NOON)
    lake.sales.add(sales(FIRST, {2: 6}), NOON + ONE_LATER)

    assert lake.sales.read()["units"].tolist() == [6, 7]
    assert lake.sales.read(as_of=NOON)["units"].tolist() == [5, 7]
    assert lake.sales.read(as_of=NOON - ONE_LATER).empty


def test_history_is_known_from_the_beginning(lake: Lake) -> None:
    """Also after a correction, when the old content becomes the first vintage."""
    lake.sales.add(sales(FIRST, {2: 5}))
    assert lake.last_collected() == BEGINNING
    assert not (lake.root / "vintages").exists()

    lake.sales.add(sales(FIRST, {2: 6}), NOON)

    assert lake.sales.read(as_of=BEGINNING)["units"].tolist() == [5]
    assert lake.sales.read(as_of=NOON)["units"].tolist() == [6]


def test_a_promotion_is_known_from_the_week_that_announced_it(lake: Lake) -> None:
    """A run of the first week does not read what the second week's files announced."""
    lake.promotions.add(announced(FIRST, 1.5, FIRST, SECOND), NOON)
    lake.promotions.add(announced(SECOND, 2.99, SECOND), NOON + ONE_LATER)

    assert lake.promotions.read(FIRST)["price"].tolist() == [1.5, 1.5]
    assert lake.promotions.read(SECOND)["price"].tolist() == [1.5, 2.99]
    assert lake.promotions.read(SECOND, as_of=NOON)["price"].tolist() == [1.5, 1.5]


def test_a_late_announcement_fills_only_cells_that_newer_files_left_open(lake: Lake) -> None:
    """The file of a later week counts, whichever came first."""
    lake.promotions.add(announced(SECOND, 1.5, SECOND), NOON)
    lake.promotions.add(announced(FIRST, 2.99, SECOND, SECOND + WEEK), NOON + ONE_LATER)

    assert lake.promotions.read()["price"].tolist() == [1.5, 2.99]


def test_the_query_of_the_documents_gives_the_promotions_as_known_now(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For tools that read the files themselves."""
    lake.promotions.add(announced(FIRST, 1.5, FIRST, SECOND), NOON)
    lake.promotions.add(announced(SECOND, 2.99, SECOND, SECOND + WEEK), NOON + ONE_LATER)
    (query,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "vintages.md").read_text(), flags=re.DOTALL)
    monkeypatch.chdir(Path(lake.root).parent)  # the documents speak of a lake named `lake`

    found = orange_juice.PROMOTIONS.cast(duckdb.execute(query).df()).sort_values(schemas.CELL, ignore_index=True)

    pd.testing.assert_frame_equal(found, lake.promotions.read())


def test_corrections_have_both_values(lake: Lake) -> None:
    """New cells and unchanged ones are no corrections; those of a second run are added."""
    lake.sales.add(sales(FIRST, {2: 5, 5: 7}))
    for units, moment in ({2: 6, 5: 7, 8: 1}, NOON), ({2: 4}, NOON + ONE_LATER):
        lake.corrections.add(SECOND, sales(FIRST, units), moment)
        lake.sales.add(sales(FIRST, units), moment)

    found = lake.corrections.read(SECOND)

    assert found[["store", "units_before", "units_after"]].to_numpy().tolist() == [[2, 5, 6], [2, 6, 4]]
    assert found["collected"].tolist() == [pd.Timestamp(NOON), pd.Timestamp(NOON + ONE_LATER)]
    assert lake.corrections.read(FIRST).empty


def test_a_correction_is_written_once_though_its_run_died_before_it_added_the_sales(lake: Lake) -> None:
    """The correction counts once the next run has added the sales."""
    lake.sales.add(sales(FIRST, {2: 5}))
    lake.corrections.add(SECOND, sales(FIRST, {2: 6}), NOON)
    assert lake.corrections.read(SECOND).empty

    moment = lake.begin_collecting(NOON + ONE_LATER)
    lake.corrections.add(SECOND, sales(FIRST, {2: 6}), moment)
    lake.sales.add(sales(FIRST, {2: 6}), moment)

    assert lake.corrections.read(SECOND)["collected"].tolist() == [pd.Timestamp(moment)]


def test_moments_stay_in_order_though_the_clock_goes_back(lake: Lake) -> None:
    """What is collected later has the later moment."""
    lake.sales.add(sales(FIRST, {2: 5}), NOON)

    assert lake.begin_collecting(NOON - timedelta(hours=1)) == NOON + ONE_LATER
    assert lake.begin_collecting(NOON + timedelta(hours=1)) == NOON + timedelta(hours=1)


def test_a_vintage_is_never_written_over(lake: Lake) -> None:
    """Adding a week twice at one moment is an error."""
    lake.sales.add(sales(FIRST, {2: 5}), NOON)

    with pytest.raises(FileExistsError, match="would be overwritten"):
        lake.sales.add(sales(FIRST, {2: 6}), NOON)
    assert lake.sales.read()["units"].tolist() == [5]


def test_nothing_new_is_no_vintage(lake: Lake) -> None:
    """A file that is sent again unchanged adds no vintage."""
    lake.sales.add(sales(FIRST, {2: 5}), NOON)
    lake.sales.add(sales(FIRST, {2: 5}), NOON + ONE_LATER)

    assert lake.last_collected() == NOON


def test_the_next_run_puts_a_vintage_in_place_that_an_interrupted_run_left(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies between the two steps loses nothing; also in a copy of the lake."""
    lake.sales.add(sales(FIRST, {2: 5}), NOON)
    put = Folder.put

    def die(self: Folder, key: str, content: bytes) -> None:
        if key == f"sales/{SECOND}.parquet":
            raise KeyboardInterrupt
        if key != f"sales/{FIRST}.parquet":
            put(self, key, content)

    monkeypatch.setattr(Folder, "put", die)
    with pytest.raises(KeyboardInterrupt):
        lake.sales.add(pd.concat([sales(FIRST, {2: 6}), sales(SECOND, {2: 1})]), NOON + ONE_LATER)
    monkeypatch.undo()
    assert lake.sales.read()["units"].tolist() == [5]

    shutil.copytree(lake.root, Path(lake.root).parent / "copy")
    for copy in (lake, Lake(Path(lake.root).parent / "copy")):
        assert copy.sales.read(as_of=NOON + ONE_LATER)["units"].tolist() == [6, 1]
        copy.begin_collecting(NOON + timedelta(hours=1))
        assert copy.sales.read()["units"].tolist() == [6, 1]
        vintage = copy.root / "vintages" / "sales" / str(SECOND) / "19920424T120000.000001Z.parquet"
        assert vintage.read_bytes() == copy.sales.path(SECOND).read_bytes()


batches = st.lists(
    st.tuples(
        st.dictionaries(st.tuples(st.sampled_from([FIRST, SECOND]), st.sampled_from([2, 5])), st.integers(0, 9)),
        st.dictionaries(st.sampled_from([FIRST, SECOND]), st.sampled_from([1.5, 2.99])),
        st.integers(-5, 5),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(batches)
def test_what_was_collected_by_a_moment_never_changes(collected: list[tuple]) -> None:  # type: ignore[type-arg]
    """Whatever is collected later, by whatever clock, reading as of a moment gives what it gave at that moment."""
    with tempfile.TemporaryDirectory() as folder:
        lake, now = Lake(Path(folder)), NOON
        lake.sales.add(sales(FIRST, {2: 3}))
        read_then = []
        for units, prices, minutes in collected:
            now += timedelta(minutes=minutes)
            moment = lake.begin_collecting(now)
            cells = [sales(week, {store: sold}) for (week, store), sold in units.items()]
            lake.sales.add(pd.concat([sales(FIRST, {}), *cells]), moment)
            plans = [announced(week, price, *sorted({week, SECOND})) for week, price in prices.items()]
            lake.promotions.add(pd.concat([announced(FIRST, 0.0), *plans]), moment)
            known = lake.snapshot(SECOND, lake.last_collected())
            pd.testing.assert_frame_equal(known.sales, lake.sales.read(SECOND))
            pd.testing.assert_frame_equal(known.promotions, lake.promotions.read(SECOND))
            read_then.append((lake.last_collected(), known))
        for moment, known in read_then:
            pd.testing.assert_frame_equal(lake.sales.read(SECOND, moment), known.sales)
            pd.testing.assert_frame_equal(lake.promotions.read(SECOND, moment), known.promotions)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.dictionaries(st.sampled_from([2, 5, 8]), st.integers(0, 9), min_size=1)),
        max_size=5,
    ),
    st.lists(st.integers(-10, 320), min_size=1, max_size=5),
)
def test_the_newest_vintage_up_to_a_moment_is_what_is_read(
    collected: list[tuple[int, dict[int, int]]], minutes: list[int]
) -> None:
    """Of each cell the last value that was collected by that moment, and no cell that came later."""
    with tempfile.TemporaryDirectory() as folder:
        table, now, states = Units(Path(folder)), NOON, [(BEGINNING, {2: 3})]
        table.add_weeks({FIRST: sales(FIRST, {2: 3})}, None)
        for later, units in collected:
            now += timedelta(minutes=later)
            table.add_weeks({FIRST: sales(FIRST, units)}, now)
            states.append((now, states[-1][1] | units))
        for moment in (*(NOON + timedelta(minutes=each) for each in minutes), *(then for then, _ in states)):
            _, expected = max(state for state in states if state[0] <= moment)
            found = table.rows(as_of=moment)
            assert dict(zip(found["store"], found["units"], strict=True)) == expected
        assert table.of_week(FIRST).equals(table.rows())
        assert dict(table.of_week(FIRST)[["store", "units"]].to_numpy().tolist()) == states[-1][1]


def test_a_vintage_is_found_by_its_moment(tmp_path: Path) -> None:
    """In whatever time zone the moment is named."""
    table = Units(tmp_path)
    table.add_weeks({FIRST: sales(FIRST, {2: 5})}, NOON)
    table.add_weeks({SECOND: sales(SECOND, {2: 5})}, NOON + ONE_LATER)
    assert table.has_vintage(FIRST, NOON.astimezone(tz=None))
    assert not table.has_vintage(FIRST, NOON + ONE_LATER)
    assert table.newest() == NOON + ONE_LATER


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC), max_value=datetime(9000, 1, 1)))  # noqa: DTZ001
def test_a_moment_is_later_than_the_newest_vintage(at: datetime, newest: datetime) -> None:
    """It is the clock's own where the clock has not gone back."""
    found = later_than(newest, at)
    assert found > newest
    assert found == at or at <= newest


def test_one_week_after_the_other_is_read_as_it_was_known(lake: Lake) -> None:
    """From the first to the last that are asked for; a later correction is not seen, and changes the hash."""
    for week, units in ((FIRST, {2: 4, 5: 6}), (SECOND, {2: 7})):
        lake.sales.add(sales(week, units), NOON)
    then = lake.sales.digests(SECOND, NOON)
    lake.sales.add(sales(FIRST, {2: 40}), NOON + ONE_LATER)

    frames = list(lake.sales.by_week(FIRST, SECOND, NOON))

    assert [rows["units"].tolist() for rows in frames] == [[4, 6], [7]]
    assert [rows["units"].tolist() for rows in lake.sales.by_week(SECOND, SECOND, NOON)] == [[7]]
    assert lake.sales.digests(SECOND, NOON) == then
    assert lake.sales.digests(FIRST, NOON) == then[:1]
    now_known = lake.sales.digests(SECOND, NOON + ONE_LATER)
    assert (now_known[0] == then[0], now_known[1] == then[1]) == (False, True)


def test_some_stores_of_a_range_are_read(lake: Lake) -> None:
    """Of every week."""
    lake.sales.add(sales(FIRST, {2: 4, 5: 6, 8: 1, 12: 3}))
    lake.sales.add(sales(SECOND, {5: 7, 8: 2}))
    found = lake.sales.read(stores=(5, 12), among={2, 8, 12})
    assert found["units"].tolist() == [1, 2, 3]


def test_a_folder_of_vintages_that_is_named_by_no_week_is_passed_over(tmp_path: Path) -> None:
    """Somebody has put a copy beside the weeks."""
    table = Units(tmp_path)
    table.add_weeks({FIRST: sales(FIRST, {2: 5})}, NOON)
    shutil.copytree(tmp_path / "vintages" / str(FIRST), tmp_path / "vintages" / "copy")
    assert table.newest() == NOON
    assert table.rows(as_of=NOON)["units"].tolist() == [5]
