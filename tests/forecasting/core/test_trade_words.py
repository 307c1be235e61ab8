"""The vocabulary is one that names, as they are split, can have."""

import re

from forecasting.core import trade_words as trade
from forecasting.core.column_names import tokens


def test_words_are_as_names_are_split() -> None:
    """Lower case, no accents: any other word would never be found."""
    sets = [value for value in vars(trade).values() if isinstance(value, frozenset)]
    assert len(sets) > 5
    for word in [*trade.KEY_WORDS, *trade.COUNTED, *(word for each in sets for word in each)]:
        assert tokens(word) == (word,), word


def test_patterns_are_patterns() -> None:
    """And stand from the surest to the least."""
    assert [score for score, _ in trade.QUANTITIES] == sorted((score for score, _ in trade.QUANTITIES), reverse=True)
    for _, pattern in trade.QUANTITIES:
        re.compile(pattern)
    re.compile(trade.REVENUE)


def test_people_read_words_of_their_own() -> None:
    """One and many."""
    assert (trade.KEY_WORDS["pays"].word, trade.KEY_WORDS["pays"].words) == ("country", "countries")
