"""A lake answers the validation as tables in memory do, in blocks of stores."""

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.collected import CollectedFrames
from forecasting.pipeline.simulation import shipped
from forecasting.storage import collected
from forecasting.storage.collected import LakeCollected
from forecasting.storage.lake import Lake


@pytest.mark.parametrize("at_once", [1, 25, 10_000])
def test_the_answers_are_those_of_all_that_was_collected(
    simulated_lake: Lake, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """To the bit, however many series are held at once."""
    monkeypatch.setattr(collected, "SERIES_AT_ONCE", at_once)
    sales, lake = simulated_lake.sales.read(), LakeCollected(simulated_lake)
    held = CollectedFrames(sales, ORANGE_JUICE, simulated_lake.promotions.read())
    weeks, stores = held.weeks()[-2:], [2, 5, 8, 137]
    corrected = sales[(sales["store"] == 5) & (sales["week"] == pd.Timestamp(weeks[0]))]

    assert lake.weeks() == held.weeks()
    pd.testing.assert_frame_equal(lake.series(), held.series())
    pd.testing.assert_frame_equal(
        lake.sales(weeks), held.sales(weeks).sort_values(["week", "store"], ignore_index=True)
    )
    ahead = [pd.Timestamp("1992-04-16").date()]
    pd.testing.assert_frame_equal(lake.announced(ahead), held.announced(ahead).reset_index(drop=True))
    usual = lake.usual_units(stores, corrected)
    expected = held.usual_units(usual.index.get_level_values("store").unique(), corrected)
    pd.testing.assert_frame_equal(usual, expected)
    assert {*stores} <= {*usual.index.get_level_values("store")}
    prices = lake.usual_prices(stores)
    pd.testing.assert_frame_equal(prices, held.usual_prices(prices.index.get_level_values("store").unique()))


def test_an_empty_lake_has_collected_nothing(tmp_path: object) -> None:
    """Not even a series."""
    lake = LakeCollected(Lake(str(tmp_path)))
    assert list(lake.weeks()) == []
    assert lake.series().empty
    assert lake.usual_units([2], shipped(orange_juice.SALES).iloc[:0]).empty
