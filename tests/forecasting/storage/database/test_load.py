"""The database agrees with the lake, whatever happened to either, in SQLite and in a real PostgreSQL."""

import os
import random
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import SchemaError
from forecasting.storage.database.load import load
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS, WEEKS, Target, assert_agrees, in_a_process, publish_anew, scores_of

KILLS = 2


def test_what_is_published_is_in_the_database(lake: Lake, target: Target) -> None:
    """Forecasts of all cutoffs, sales, promotions and names; a second load finds nothing to do."""
    first = load(lake, target.name)
    assert first.rows == {"stores": 3, "products": 2, "forecast": 36, "sales": 30, "announced_promotions": 60}
    assert first.weeks == tuple(WEEKS)
    assert_agrees(lake, target)
    again = load(lake, target.name)
    assert (again.weeks, again.rows) == ((), {})
    loads = target.ask("SELECT run_id, rows, length(sha256) FROM loads WHERE table_name = 'forecast'")
    assert loads == [("naive-1.0-2", 12, 64)] * 3


def test_a_newer_forecast_replaces_the_older(lake: Lake, target: Target) -> None:
    """Other numbers, more rows, fewer rows: never two forecasts of one cell."""
    load(lake, target.name)
    for horizon, factor in ((2, 1.5), (3, 1.0), (1, 2.0)):
        publish_anew(lake, CUTOFFS[1], factor=factor, horizon=horizon)
        loaded = load(lake, target.name)
        assert (loaded.weeks, dict(loaded.rows)) == ((CUTOFFS[1],), {"forecast": 6 * horizon})
        assert_agrees(lake, target)


CHANGES = [
    "DELETE FROM forecast WHERE store = 5 AND step = 2",
    "UPDATE forecast SET forecast = forecast + 0.01 WHERE store = 2 AND product = 1 AND step = 1",
    "UPDATE forecast SET reason = 'raised' WHERE store = 9",
    "UPDATE forecast SET week = '1993-01-07' WHERE store = 9 AND step = 1",
    "UPDATE sales SET store = 100 - store WHERE week = '1992-01-09'",
    "UPDATE announced_promotions SET price = 0, deal = 0 WHERE product = 3 AND week = '1992-01-09'",
    "UPDATE products SET name = 'another'",
    "INSERT INTO sales VALUES (77, 1, '1992-01-09', 5)",
    "INSERT INTO sales VALUES (77, 1, '1999-01-07', 5)",
    "DELETE FROM loads WHERE table_name = 'forecast'",
    # Values that changed places: their sum is the same, the rows are not.
    "UPDATE sales SET units = (SELECT sum(s.units) FROM sales s WHERE s.week = sales.week AND s.product = 1 AND "
    "s.store < 9) - units WHERE store < 9 AND week = '1992-01-09' AND product = 1",
]


def test_what_somebody_changed_is_rebuilt(lake: Lake, target: Target) -> None:
    """The file counts, for rows that were removed, changed, exchanged or added."""
    load(lake, target.name)
    for statement in CHANGES if target.is_file else CHANGES[::-3]:
        target.ask(statement)
        loaded = load(lake, target.name)
        assert loaded.weeks or loaded.rows, statement
        assert_agrees(lake, target)


def test_named_weeks_are_loaded_whether_they_differ_or_not(lake: Lake, target: Target) -> None:
    """For who trusts no checksum."""
    load(lake, target.name)
    loaded = load(lake, target.name, (CUTOFFS[0], CUTOFFS[1]))
    assert (loaded.weeks, loaded.rows["forecast"]) == ((CUTOFFS[0], CUTOFFS[1]), 24)
    assert_agrees(lake, target)


def test_a_forecast_that_is_gone_from_the_lake_is_gone_from_the_database(lake: Lake, target: Target) -> None:
    """It is a copy, not an archive."""
    load(lake, target.name)
    Path(lake.forecasts.path(CUTOFFS[0])).unlink()
    load(lake, target.name)
    assert_agrees(lake, target)
    assert target.ask("SELECT count(*) FROM loads WHERE table_name = 'forecast'") == [(2,)]


def test_a_damaged_file_does_not_hold_up_the_other_weeks(lake: Lake, target: Target) -> None:
    """The error names it; the database keeps its rows of that week."""
    load(lake, target.name)
    path = lake.forecasts.path(CUTOFFS[0])
    path.write_bytes(path.read_bytes()[:-100])
    publish_anew(lake, CUTOFFS[2], factor=3.0)
    with pytest.raises(SchemaError, match="cannot be read from"):
        load(lake, target.name)
    held = target.rows(orange_juice.FORECAST)
    assert held.groupby("cutoff").size().tolist() == [12] * 3
    newest = held[held["cutoff"] == pd.Timestamp(CUTOFFS[2])].reset_index(drop=True)
    pd.testing.assert_frame_equal(newest, lake.forecasts.read(CUTOFFS[2]))


def test_scores_are_loaded_with_their_forecast(lake: Lake, target: Target) -> None:
    """Those of the current run, and again when more of its weeks have matured."""
    lake.monitoring.write_scores(CUTOFFS[0], "naive-1.0-2", scores_of(CUTOFFS[0], steps=1), {})
    lake.monitoring.write_scores(CUTOFFS[0], "another run", scores_of(CUTOFFS[0], steps=2), {})
    load(lake, target.name)
    assert target.ask("SELECT step, coverage_80 FROM scores") == [(1, 0.5)]
    lake.monitoring.write_scores(CUTOFFS[0], "naive-1.0-2", scores_of(CUTOFFS[0], steps=2), {})
    assert load(lake, target.name).rows == {"scores": 2}
    pd.testing.assert_frame_equal(target.rows(schemas.SCORES), lake.monitoring.scores())


def test_loads_at_the_same_time_wait_for_each_other(lake: Lake, target: Target) -> None:
    """Four processes create the tables and load at once: all succeed, and every row is there once."""
    processes = [in_a_process(lambda: load(lake, target.name)) for _ in range(4)]
    assert [os.waitpid(process, 0)[1] for process in processes] == [0] * 4
    assert_agrees(lake, target)


def test_a_load_that_is_killed_leaves_no_part_of_a_week(lake: Lake, target: Target) -> None:
    """SIGKILL at random moments: each week is as before or as in the lake, and the next load completes it."""
    began = time.monotonic()
    load(lake, target.name)
    seconds = time.monotonic() - began
    moments = random.Random(7)
    for number in range(KILLS):
        for cutoff in CUTOFFS:
            publish_anew(lake, cutoff, factor=2.0 + number)
        process = in_a_process(lambda: load(lake, target.name))
        time.sleep(moments.uniform(0, seconds))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        held = target.rows(orange_juice.FORECAST)
        assert held.groupby("cutoff").size().tolist() == [12] * 3
        naive = lake.forecasts.read(CUTOFFS[0])["forecast"].iloc[0] / (2.0 + number)
        assert round(held["forecast"].iloc[0] / naive, 9) in (1.0, *(2.0 + earlier for earlier in range(number + 1)))
        load(lake, target.name)
        assert_agrees(lake, target)
