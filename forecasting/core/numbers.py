"""Numbers as layouts write them. A text is never read as another number than its writer meant."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Whole numbers beyond it are not exact as decimal numbers of a computer.
LARGEST = float(2**53)
NOT_A_NUMBER = {"nan", "na", "null", "none"}
INFINITE = {"inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"}
SPACES = " \u00a0\u202f\u2009"


@dataclass(frozen=True)
class Numbers:
    """Numbers by text.

    numbers: float64, empty where the text is empty or breaks a rule.
    rules: the rule that the text breaks, or empty: `infinite`, `missing_value`, `not_a_number`, `out_of_range`.
    """

    numbers: np.ndarray
    rules: np.ndarray


def parse_numbers(texts: pd.Series, *, is_whole: bool, decimal: str = ".", thousands: str = "") -> Numbers:
    """Return the numbers of texts.

    Args:
        texts: as written; an empty one is no number and breaks no rule.
        is_whole: whether only whole numbers are possible.
        decimal: the decimal mark.
        thousands: the mark between thousands; where it stands, it must stand everywhere in the number, or nowhere.
    """
    lowered = texts.str.lower()
    separator = SPACES if thousands and thousands in SPACES else thousands
    plain = "0|[1-9][0-9]*"
    if thousands:
        plain += rf"|[1-9][0-9]{{0,2}}(?:[{re.escape(separator)}][0-9]{{3}})+"
    fraction = rf"(?:{re.escape(decimal)}[0-9]+)?"
    is_number = texts.str.fullmatch(rf"-?(?:{plain}){fraction}(?:[eE][-+]?[0-9]{{1,3}})?").to_numpy(dtype=bool)
    written = texts.where(is_number)
    if thousands:
        written = written.str.replace(rf"[{re.escape(separator)}]", "", regex=True)
    if decimal != ".":
        written = written.str.replace(decimal, ".", regex=False)
    values = pd.to_numeric(written, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    is_large = np.abs(values) > LARGEST
    if is_whole:
        is_number = is_number & (texts.str.fullmatch(rf"-?(?:{plain})").to_numpy(dtype=bool) | is_large)
    is_empty = (texts == "").to_numpy(dtype=bool)
    rules = np.select(
        [
            is_empty,
            lowered.isin(INFINITE).to_numpy(),
            lowered.isin(NOT_A_NUMBER).to_numpy(),
            ~is_number,
            is_large,
        ],
        ["", "infinite", "missing_value", "not_a_number", "out_of_range"],
        "",
    ).astype(object)
    return Numbers(np.where(rules == "", values, np.nan), rules)
