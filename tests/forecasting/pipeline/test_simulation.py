"""The simulation lets the real weeks arrive."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.orange_juice import LAYOUTS, dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.validation import validate
from forecasting.pipeline.simulation import WEEKS_AHEAD, simulate
from forecasting.storage.collected import LakeCollected
from forecasting.storage.inbox import list_inbox, read_inbox
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file


def test_the_first_call_fills_the_lake_and_drops_one_week(simulated_lake: Lake) -> None:
    """History ends the week before the one that waits in the inbox, one file a store."""
    assert simulated_lake.sales.weeks()[-1] == dominicks_week(135)
    files = list_inbox(simulated_lake.inbox)
    assert {file.week for file in files} == {dominicks_week(136)}
    assert len(files) == 82


def test_every_call_lets_one_more_week_go_by(simulated_lake: Lake) -> None:
    """The next call drops the next week, also where the last one still waits."""
    assert simulate(simulated_lake).week == dominicks_week(137)
    assert simulate(simulated_lake).week == dominicks_week(138)


def test_what_is_dropped_is_what_was_sold(simulated_lake: Lake) -> None:
    """Read and validated, the files give the shipped week, and the plans of the weeks ahead."""
    from forecasting.pipeline.simulation import SHIPPED
    from forecasting.storage.files import read_table

    _, rows, _ = read_inbox(list_inbox(simulated_lake.inbox), ORANGE_JUICE, LAYOUTS)
    checked = validate(
        rows,
        stores=simulated_lake.reference.stores(),
        products=simulated_lake.reference.products(),
        collected=LakeCollected(simulated_lake),
        definition=ORANGE_JUICE,
        layouts=LAYOUTS,
    )
    shipped = read_table(local_file(SHIPPED / "sales.parquet"), orange_juice.SALES)
    week = shipped[shipped["week"] == pd.Timestamp(dominicks_week(136))].reset_index(drop=True)
    pd.testing.assert_frame_equal(checked.sales, week)
    assert checked.quarantined.empty
    ahead = checked.promotions["week"].max().date()
    assert ahead == dominicks_week(136) + WEEK * WEEKS_AHEAD


def test_history_may_end_elsewhere(tmp_path: Path) -> None:
    """The history ends at the given week."""
    simulated = simulate(Lake(tmp_path / "lake"), history_until=dominicks_week(60))
    assert (simulated.history_until, simulated.week) == (dominicks_week(60), dominicks_week(61))


def test_the_end_of_the_data_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """After the last shipped week the error says how to start again."""
    lake = Lake(tmp_path / "lake")
    simulate(lake, history_until=dominicks_week(159))
    with pytest.raises(DataError, match="end with the week of 1992-10-01.*start again in a new lake"):
        simulate(lake)


@pytest.mark.parametrize("until", [date(1992, 4, 15), date(1989, 9, 14)])
def test_history_must_end_with_a_shipped_week(tmp_path: Path, until: date) -> None:
    """A day that opens no week, or a week before the data, is refused."""
    with pytest.raises(OptionError, match="is not a week of the shipped data"):
        simulate(Lake(tmp_path / "lake"), history_until=until)


def test_a_lake_that_is_made_for_another_panel_is_left_alone(tmp_path: Path) -> None:
    """Before its first import it has no sales, but a panel file, which stays as it is."""
    lake = Lake(tmp_path / "lake")
    coffee = replace(ORANGE_JUICE, name="coffee")
    lake.reference.write_panel(coffee, LAYOUTS)
    with pytest.raises(OptionError, match="holds another panel than the shipped one"):
        simulate(lake)
    assert (lake.reference.definition, lake.sales.weeks()) == (coffee, [])
