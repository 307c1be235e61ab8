"""Tests of the rule of proportion: a slipped digit is caught, an honest jump is not."""

from typing import Any

import pandas as pd
import pytest

from tests.forecasting.core.validation import LAST_YEAR, checked, history, rules
from tests.strategies import FIRST_WEEK, raw_row


def week_of_stores(sold: dict[int, int]) -> list[dict[str, Any]]:
    return [raw_row(store=str(store), units=str(number)) for store, number in sold.items()]


USUAL = {2: 10, 5: 10, 8: 10, 9: 10}


@pytest.mark.parametrize(
    ("sold", "quarantined"),
    [
        (USUAL, []),
        ({**USUAL, 2: 1000}, [2]),
        ({2: 1000}, [2]),
        ({**USUAL, 2: 300}, [2]),
        ({2: 400, 5: 350, 8: 410, 9: 300}, []),
        ({2: 25, 5: 0, 8: 0, 9: 0}, []),
        ({**USUAL, 2: 0}, []),
    ],
    ids=["as usual", "typo ×100", "typo ×100, alone", "×30 alone", "deep special", "×2.5 beside zeros", "none sold"],
)
def test_units_out_of_proportion_are_quarantined(sold: dict[int, int], quarantined: list[int]) -> None:
    """A typo ×100 is caught, a chain-wide deep special is not."""
    found = checked(*week_of_stores(sold), collected=history(USUAL))

    assert rules(found) == ["outlier"] * len(quarantined)
    assert found.quarantined["store"].tolist() == [str(store) for store in quarantined]


@pytest.mark.parametrize("others", [[], [5]])
def test_a_typo_in_a_late_file_is_caught_though_few_other_stores_are_beside_it(others: list[int]) -> None:
    """×40 of the usual is out of proportion, unless *other* stores explain it: a row is no witness for itself."""
    found = checked(*week_of_stores({2: 400, **dict.fromkeys(others, 10)}), collected=history(USUAL))

    assert rules(found) == ["outlier"]


def test_a_series_with_little_history_is_not_judged() -> None:
    """After seven weeks nobody knows what is usual; after eight, somebody does."""
    young, grown = history(USUAL, LAST_YEAR[:7]), history(USUAL, LAST_YEAR[:8])
    rows = week_of_stores({**USUAL, 2: 1000})

    assert rules(checked(*rows, collected=young)) == []
    assert rules(checked(*rows, collected=grown)) == ["outlier"]


def test_units_that_somebody_accepted_are_let_in() -> None:
    """Those of that cell, and no other's."""
    accepted = pd.DataFrame({"store": [2], "product": [1], "week": [pd.Timestamp(FIRST_WEEK)]})
    rows = week_of_stores({2: 1000, 5: 1000, 8: 10, 9: 10})

    found = checked(*rows, collected=history(USUAL), overrides=accepted)

    assert found.quarantined["store"].tolist() == ["5"]
