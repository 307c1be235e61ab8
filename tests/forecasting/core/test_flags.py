"""Flags in words."""

import pandas as pd

from forecasting.core.flags import FALSE, TRUE, flags_as_numbers


def test_words_are_0_and_1() -> None:
    """In any case; what is no flag stays, and breaks the rule for numbers."""
    texts = pd.Series(["TRUE", "no", " Yes", "0", "1.0", "", "maybe", "2"], dtype="str")
    assert list(flags_as_numbers(texts)) == ["1", "0", "1", "0", "1", "", "maybe", "2"]


def test_no_word_means_both() -> None:
    """Or a flag would be what is looked up last."""
    assert not set(TRUE) & set(FALSE)
