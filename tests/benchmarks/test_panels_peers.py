"""What the other libraries are given: histories without gaps, and what is known of each week."""

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.test_scripts import script

peers = script("panels_peers")
WEEKS = pd.date_range("2024-01-01", periods=6, freq="7D")
CUTOFF = WEEKS[3]


@pytest.fixture
def sales() -> pd.DataFrame:
    """One series of every week, and one that begins a week later and lacks the week of the cutoff."""
    rows = [("a", "x", week, 10.0 + place) for place, week in enumerate(WEEKS)]
    rows += [("b", "x", WEEKS[1], 5.0), ("b", "x", WEEKS[2], 7.0), ("b", "x", WEEKS[4], 9.0)]
    return pd.DataFrame(rows, columns=[*peers.CELL, "units"])


@pytest.fixture
def cells() -> pd.DataFrame:
    """Both series, two weeks ahead."""
    rows = [(CUTOFF, store, "x", WEEKS[3 + step], step) for store in "ab" for step in (1, 2)]
    return pd.DataFrame(rows, columns=["cutoff", *peers.CELL, "step"])


def test_a_history_ends_at_the_cutoff_and_its_gaps_repeat_the_week_before(
    sales: pd.DataFrame, cells: pd.DataFrame
) -> None:
    """Nothing sold after the cutoff is seen, and no week before a first sale is made up."""
    past = peers.history(sales, cells, CUTOFF)
    assert past.loc[past["store"] == "a", "y"].tolist() == [10, 11, 12, 13]
    assert past.loc[past["store"] == "b", "y"].tolist() == [5, 7, 7]
    assert past.loc[past["store"] == "b", "seen"].tolist() == [1, 1, 0]


def test_prices_of_coming_weeks_are_known_and_relative_to_those_up_to_the_cutoff(
    sales: pd.DataFrame, cells: pd.DataFrame
) -> None:
    """A price that nobody states is the last one."""
    prices = [2.0, 2.0, 2.0, 4.0, 1.0, np.nan]
    covariates = pd.DataFrame({"store": "a", "product": "x", "week": WEEKS, "cost": prices})
    known = peers.features(peers.history(sales, cells, CUTOFF), cells, covariates, "cost")
    of_a = known[known["store"] == "a"]
    assert of_a["price_relative"].tolist() == pytest.approx(np.log([1, 1, 1, 2, 0.5, 0.5]))
    assert of_a["price_change"].tolist()[3:] == pytest.approx(np.log([2, 0.25, 1]))
    assert known.loc[known["store"] == "b", "cost"].isna().all()
    assert known[["unique_id", "ds"]].duplicated().sum() == 0


def test_a_sample_of_the_series_is_always_the_same(cells: pd.DataFrame) -> None:
    """Whole series, whatever the order of the rows; no more than there are."""
    one = peers.sample(cells, 1)
    assert len(one) == 2
    assert len(set(one["store"])) == 1
    assert set(peers.sample(cells[::-1], 1)["store"]) == set(one["store"])
    assert len(peers.sample(cells, 3)) == len(cells)
