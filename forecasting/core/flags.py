"""Flags as people and programs write them: 0 and 1, TRUE and FALSE, yes and no."""

import pandas as pd

# In lower case; x marks what holds.
TRUE = ("1", "1.0", "true", "t", "yes", "y", "x", "ja", "wahr", "oui", "vrai", "si", "sí")
FALSE = ("0", "0.0", "false", "f", "no", "n", "nein", "falsch", "non", "faux")
_NUMBERS = {**dict.fromkeys(TRUE, "1"), **dict.fromkeys(FALSE, "0")}


def flags_as_numbers(texts: pd.Series) -> pd.Series:
    """Return the texts with 1 and 0 in the place of words for flags; others stay as they are."""
    return texts.str.strip().str.lower().map(_NUMBERS).fillna(texts)
