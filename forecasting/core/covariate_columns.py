"""Which columns are covariates: those that a person knows in advance, with a role each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.contracts.panel_definition import RESERVED, Covariate, Empty, Role
from forecasting.core import column_names as names
from forecasting.core.column_roles import Reading
from forecasting.core.panel_rows import words_of
from forecasting.core.text_column import NO_VALUE

# At most this share of prices of 0 are mistakes; an import goes on with 1 % of rows in quarantine.
FEW_FREE = 0.005


@dataclass(frozen=True)
class CovariateColumns:
    """Covariates with their columns, the texts that mean no value in them, and what to check."""

    columns: tuple[tuple[Covariate, str], ...]
    empty: tuple[str, ...]
    doubts: tuple[str, ...]


def propose_price(reading: Reading, *, is_transaction: bool) -> CovariateColumns:
    """Return the covariate `price` of a column.

    Args:
        reading: the column.
        is_transaction: whether rows are transactions, of which some are free with others.
    """
    values = reading.values()
    lacking, free, below = reading.lacking, int((values == 0).sum()), int((values < 0).sum())
    empty: Empty = "unknown" if lacking or free > FEW_FREE * len(values) else "quarantine"
    doubts = []
    if lacking:
        doubts.append(f"`{reading.name}` is empty in {lacking:,} of {len(values):,} rows: such a price is unknown")
    if free:
        meant = "such a price is unknown" if is_transaction or empty == "unknown" else "such rows are quarantined"
        doubts.append(f"`{reading.name}` is 0 in {free:,} of {len(values):,} rows: {meant}")
    if below:
        doubts.append(f"`{reading.name}` is below 0 in {below:,} of {len(values):,} rows: such rows are quarantined")
    covariate = Covariate("price", "price", "price", f"money a unit (column {reading.name})", empty)
    return CovariateColumns(((covariate, reading.name),), _no_value_texts([reading]), tuple(doubts))


def propose_covariates(readings: Sequence[Reading], *, reaches_ahead: bool, file: str) -> CovariateColumns:
    """Return the covariates among columns that are nothing else.

    Args:
        readings: columns without a role, in the order of the file.
        reaches_ahead: whether the file has rows after the last sales, so that its numbers are known in advance.
        file: named in doubts.
    """
    found: list[tuple[Covariate, Reading]] = []
    unsure = []
    for reading in readings:
        role = _role(reading)
        is_known = reaches_ahead or (
            names.is_known_flag(reading.name) if role == "flag" else names.is_known_number(reading.name)
        )
        if role is None or names.is_never_key(reading.name) or names.is_price(reading.name):
            continue
        if not is_known:
            unsure.append(reading.name)
            continue
        found.append((_covariate(reading, role, {each.name for each, _ in found}), reading))
    doubts = []
    if unsure:
        doubts.append(
            f"{words_of(unsure)} of {file} {'is' if len(unsure) == 1 else 'are'} not used: declare as covariates only "
            "what is known before a week begins, no parts of the quantity"
        )
    for empty, meant in (("zero", "an empty one counts as 0"), ("unknown", "an empty one is unknown")):
        lacking = [(reading.name, reading.lacking) for covariate, reading in found if covariate.empty == empty]
        if lacking:
            counts = " and ".join(f"{count:,} of {name}" for name, count in lacking)
            rows = len(found[0][1].column.codes)
            doubts.append(f"{counts} are empty in the {rows:,} rows of {file}: {meant}")
    numbers = [reading.name for covariate, reading in found if covariate.role == "number"]
    if numbers:
        doubts.append(
            f"{words_of(numbers)} must be known, or forecast by somebody, for the weeks ahead; else remove them"
        )
    columns = tuple((covariate, reading.name) for covariate, reading in found)
    return CovariateColumns(columns, _no_value_texts([reading for _, reading in found]), tuple(doubts))


def _role(reading: Reading) -> Role | None:
    if reading.is_flag:
        return "flag"
    if reading.numbers is None or not reading.is_pure:
        return None
    finite = reading.numbers[np.isfinite(reading.numbers)]
    if not len(finite):
        return None
    is_share = finite.min() >= 0 and finite.max() <= 1 and not np.all(finite % 1 == 0)
    return "share" if is_share else "number"


def _covariate(reading: Reading, role: Role, taken: set[str]) -> Covariate:
    name = names.identifier(reading.name)
    while name in RESERVED or name in taken or name == "price":
        name += "_value"
    empty: Empty = "quarantine"
    if reading.lacking:
        empty = "zero" if role != "number" or names.is_zero_if_empty(reading.name) else "unknown"
    label = name.replace("_", " ")
    meaning = {"flag": "1 where it holds, else 0", "share": "share, 0 to 1", "number": "number"}.get(role, "")
    return replace(Covariate(name, role, label, f"{meaning} (column {reading.name})"), empty=empty)


def _no_value_texts(readings: Sequence[Reading]) -> tuple[str, ...]:
    found = {text for reading in readings for text in NO_VALUE if (reading.column.texts == text).any()}
    return tuple(text for text in NO_VALUE if text in found)
