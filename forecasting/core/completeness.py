"""The completeness of a week: which stores were expected, which have reported, and whether the week may go on.

A week is `waiting` until its deadline while an expected store is missing. After the deadline it is `closed_with_gaps`
where enough stores have reported, else it is refused. A person may accept its gaps at any time.

In the orange juice data gaps are whole stores: of the stores seen in the four weeks before, 2.5 are missing in an
average week and 8 at most; one week in six is whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError, WeekNotWhole
from forecasting.contracts.layout import PassedOver
from forecasting.contracts.panel_definition import Id, PanelDefinition, Unsold, in_order, readable
from forecasting.core.panel import series_of

# A store without sales in these weeks is not expected to report.
WEEKS_EXPECTED_AFTER_LAST_SALE = 4
# It is still forecast for a quarter: in the orange juice data stores come back after gaps of up to eight weeks.
WEEKS_FORECAST_AFTER_LAST_SALE = 13


class WeekStatus(StrEnum):
    """What the completeness check decided about a week."""

    OPEN = "open"
    WAITING = "waiting"
    WHOLE = "whole"
    CLOSED_WITH_GAPS = "closed_with_gaps"
    ACCEPTED_WITH_GAPS = "accepted_with_gaps"


@dataclass(frozen=True)
class Acceptance:
    """A person's decision to let a week go on with its gaps, or to take an outlier as it is."""

    by: str
    why: str
    when: datetime


@dataclass(frozen=True)
class Incomplete:
    """An expected store with some rows, and what it lacks: days, where it reports daily, else products."""

    store: Id
    products: tuple[Id, ...] = ()
    days: tuple[date, ...] = ()


@dataclass(frozen=True)
class CompletenessReport:
    """What was expected of a week, and what arrived.

    rows: accepted rows of the week, one per series.
    week_before: the last week before it that the lake has sales of.
    expected: stores that reported in any of the four weeks before.
    received: stores of which every expected series arrived, new stores among them.
    missing: expected stores without a row.
    incomplete: expected stores with some rows.
    accepted: who accepted the gaps, where somebody did.
    """

    week: date
    rows: int
    week_before: date | None
    expected: tuple[Id, ...]
    received: tuple[Id, ...]
    missing: tuple[Id, ...]
    incomplete: tuple[Incomplete, ...]
    status: WeekStatus = WeekStatus.OPEN
    accepted: Acceptance | None = None

    @property
    def n_gaps(self) -> int:
        """How many of the expected stores are not whole."""
        return len(self.missing) + len(self.incomplete)

    def gaps(self, definition: PanelDefinition, names: Mapping[Id, str] | None = None) -> tuple[str, ...]:
        """Return the expected stores that are not whole in words, sorted by id.

        Args:
            names: of stores that have one.
        """
        lacking = dict.fromkeys(self.missing, "")
        for each in self.incomplete:
            word = definition.product.word if len(each.products) == 1 else definition.product.words
            days, products = ", ".join(map(str, each.days)), ", ".join(map(readable, each.products))
            lacking[each.store] = f" lacks the sales of {days}" if days else f" lacks {word} {products}"
        names = names or {}
        return tuple(
            f"{definition.store.named(names.get(store, store))}{lacking[store]}" for store in in_order(lacking)
        )

    @property
    def share_reporting(self) -> float:
        """Share of the expected stores that are whole; 1 where none was expected."""
        return 1 - self.n_gaps / len(self.expected) if self.expected else 1.0


def check_completeness(
    sales: pd.DataFrame,
    week: date,
    missing_days: Mapping[tuple[Id, date], tuple[date, ...]] | None = None,
    unsold: Unsold = "written",
    stores_send_files: bool = True,
) -> CompletenessReport:
    """Compare the series expected in `week` with those received.

    Args:
        sales: the lake's sales with the week's accepted rows among them (table `sales`).
        missing_days: days still missing of stores that report daily, by (store, week).
        unsold: of the panel definition; where it is `left_out`, a store that reported anything lacks no product.
        stores_send_files: whether files are of one store each. Else, where unsold products are left out, a store
            without a row sold nothing, and is not expected.
    """
    received = sales.loc[sales["week"] == pd.Timestamp(week), schemas.SERIES]
    expected = expected_series(sales, week)
    if unsold == "left_out" and not stores_send_files:
        expected = expected[expected["store"].isin(received["store"])]
    stores_expected, stores_received = set(expected["store"].tolist()), set(received["store"].tolist())
    days = {store: days for (store, of_week), days in (missing_days or {}).items() if of_week == week}
    absent = expected[~pd.MultiIndex.from_frame(expected).isin(pd.MultiIndex.from_frame(received))]
    lacking: dict[Id, Incomplete] = {}
    for store, products in absent.groupby("store")["product"]:
        if store in days:
            lacking[store] = Incomplete(store, days=days[store])
        elif store in stores_received and unsold == "written":
            lacking[store] = Incomplete(store, tuple(products.tolist()))
    before = sales.loc[sales["week"] < pd.Timestamp(week), "week"].max()
    return CompletenessReport(
        week=week,
        rows=len(received.drop_duplicates()),
        week_before=None if pd.isna(before) else before.date(),
        expected=in_order(stores_expected),
        received=in_order(stores_received - set(lacking)),
        missing=in_order(stores_expected - stores_received - set(lacking)),
        incomplete=tuple(lacking.values()),
    )


def gate(
    completeness: CompletenessReport,
    definition: PanelDefinition,
    *,
    min_reporting: float,
    is_closed: bool = True,
    accepted: Acceptance | None = None,
    not_accepted: Mapping[str, int] | None = None,
) -> CompletenessReport:
    """Decide whether the week may be forecast, and record how.

    Args:
        definition: what the sales are, for the errors.
        min_reporting: least share of the expected stores that must be whole once the week is closed.
        is_closed: whether the deadline for missing stores has passed.
        accepted: a person's decision that the week may go on with its gaps.
        not_accepted: rows of the inbox that were not accepted, by the rule that they broke or the reason for which they
            were passed over; for the error.

    Returns:
        The report with its status; `waiting` where stores may still report.

    Raises:
        WeekNotWhole: the week is closed, fewer stores than `min_reporting` are whole and nobody accepted the gaps.
        DataError: the week is closed and not one row of it has been accepted, or it does not follow a week of the lake.
    """
    if not completeness.rows:
        if not is_closed:
            return replace(completeness, status=WeekStatus.WAITING)
        rules = not_accepted or {}
        other_days = "the other days of the week beside them, " if PassedOver.PARTIAL_WEEK in rules else ""
        raise DataError(
            f"No {definition.store.word} has reported the week of {completeness.week} with a row that could be accepted"
            + (f" (not accepted: {', '.join(f'{rows} {rule}' for rule, rows in rules.items())})" if rules else ""),
            f"put its files, in the declared form, into the inbox (`oj status` shows what is there), {other_days}or "
            "name another week with --cutoff",
        )
    if completeness.week_before and not completeness.expected:
        if accepted:
            return replace(completeness, status=WeekStatus.ACCEPTED_WITH_GAPS, accepted=accepted)
        raise DataError(
            f"No {definition.store.word} was expected in the week of {completeness.week}: the last week before it is "
            f"{completeness.week_before}",
            'correct the date of the file, or go on with --accept-gaps "your reason"',
        )
    if not completeness.n_gaps:
        return replace(completeness, status=WeekStatus.WHOLE)
    if is_closed and completeness.share_reporting >= min_reporting:
        return replace(completeness, status=WeekStatus.CLOSED_WITH_GAPS)
    if accepted:
        return replace(completeness, status=WeekStatus.ACCEPTED_WITH_GAPS, accepted=accepted)
    if not is_closed:
        return replace(completeness, status=WeekStatus.WAITING)
    raise WeekNotWhole(
        completeness.week,
        completeness.gaps(definition),
        completeness.share_reporting,
        min_reporting,
        definition.store.words,
    )


def expected_series(sales: pd.DataFrame, week: date) -> pd.DataFrame:
    """Return the series with sales in any of the four weeks before `week`, sorted."""
    since = pd.Timestamp(week - WEEK * WEEKS_EXPECTED_AFTER_LAST_SALE)
    return series_of(sales[(sales["week"] >= since) & (sales["week"] < pd.Timestamp(week))])


def first_active_week(cutoff: date) -> date:
    """Return the first of the weeks in which a series must have sold to be forecast."""
    return cutoff - WEEK * (WEEKS_FORECAST_AFTER_LAST_SALE - 1)


def active_series(sales: pd.DataFrame, cutoff: date, unsold: Unsold = "written") -> pd.DataFrame:
    """Return the series to forecast, sorted: those with sales in the last quarter up to the cutoff week.

    Args:
        unsold: of the definition; where it is `left_out`, rows of 0 units say that a product was left out, and it is
            forecast no longer than if they were not there.
    """
    since = pd.Timestamp(first_active_week(cutoff))
    recent = sales[(sales["week"] >= since) & (sales["week"] <= pd.Timestamp(cutoff))]
    if unsold == "left_out":
        recent = recent[recent["units"] > 0]
    return series_of(recent)
