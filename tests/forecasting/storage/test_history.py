"""What a lake has collected by which moment: nothing is ever overwritten."""

import re
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
from forecasting.storage.lake import Lake

ROOT = Path(__file__).parents[3]
FIRST = date(1992, 4, 16)
SECOND = FIRST + WEEK
NOON = datetime(1992, 4, 24, 12, tzinfo=UTC)
ONE_LATER = timedelta(microseconds=1)


def sales(week: date, units: dict[int, int]) -> pd.DataFrame:
    return schemas.SALES.cast(
        pd.DataFrame({"store": list(units), "product": 1, "week": pd.Timestamp(week), "units": list(units.values())})
    )


def announced(by: date, price: float, *weeks: date) -> pd.DataFrame:
    rows = pd.DataFrame({"store": 2, "product": 1, "week": pd.to_datetime(list(weeks)), "price": price})
    return orange_juice.ANNOUNCED_PROMOTIONS.cast(rows.assign(announced=pd.Timestamp(by), deal=0, feat=0.0))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


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
    monkeypatch.chdir(lake.root.parent)  # the documents speak of a lake named `lake`

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
