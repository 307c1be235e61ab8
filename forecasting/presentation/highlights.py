"""What stands out in a forecast: the total of the next week, the series that change most, and the fallbacks."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id, PanelDefinition
from forecasting.core.report import RECENT_WEEKS, Expectation, biggest_movers, expectation
from forecasting.presentation import words


@dataclass(frozen=True)
class Headline:
    """The forecast of the next week in one sentence: the amount, and what is said of it (without a full stop)."""

    expected: Expectation
    amount: str
    rest: str

    @property
    def text(self) -> str:
        """The whole sentence."""
        return f"{self.amount} {self.rest}."


@dataclass(frozen=True)
class Mover:
    """A series whose first forecast differs much from its recent mean; all numbers in units.

    interval: the 80 % interval in words.
    plan, why: the plan of that week in words, and what of it may explain the change.
    """

    store: Id
    product: Id
    product_name: str
    week: pd.Timestamp
    recent: float
    expected: float
    interval: str
    plan: str
    why: str

    @property
    def change(self) -> float:
        """The difference to the recent mean, in units."""
        return self.expected - self.recent


@dataclass(frozen=True)
class FallbackSeries:
    """A series that its model could not forecast; `why` says in words what `reason` means."""

    store: Id
    product: Id
    product_name: str
    reason: str
    why: str
    expected: float


def headline(report: pd.DataFrame, panel: PanelDefinition) -> Headline:
    """Return the headline of a report table."""
    expected = expectation(report)
    rest = (
        f"are expected in the week of {words.day(expected.week)}, "
        f"{words.against(expected.units, expected.recent)} in the mean of the last {expected.recent_weeks} weeks "
        f"({words.amount(panel, expected.recent)})"
    )
    return Headline(expected, f"{words.amount(panel, expected.units)} {panel.units}", rest)


def movers(report: pd.DataFrame, panel: PanelDefinition, most: int) -> tuple[Mover, ...]:
    """Return the series that change most in the first forecast week: rises first, then drops.

    Args:
        report: table `report`.
        most: how many rises, and how many drops.
    """
    found = biggest_movers(report, most)
    if found.empty:
        return ()
    names = [each.name for each in panel.covariates]
    since = report["cutoff"].max() - pd.Timedelta(weeks=RECENT_WEEKS)
    past = report[(report["kind"] == "actual") & (report["week"] > since)]
    past = past[[*schemas.SERIES, *names]].astype(dict.fromkeys(names, "float64"))
    recent = past.groupby(schemas.SERIES)[names].mean().to_dict("index")
    return tuple(
        Mover(
            store=row["store"],
            product=row["product"],
            product_name=str(row["product_name"]),
            week=row["week"],
            recent=float(row["recent"]),
            expected=float(row["units"]),
            interval=words.interval(panel, row["lo_80"], row["hi_80"]),
            plan=words.plan(panel, row),
            why=words.why(panel, row, recent.get((row["store"], row["product"]), {})),
        )
        for row in found.to_dict("records")
    )


def fallbacks(report: pd.DataFrame) -> tuple[FallbackSeries, ...]:
    """Return the series of a report table that have a fallback forecast, with their first forecast."""
    failed = report.dropna(subset="reason").drop_duplicates(schemas.SERIES)
    return tuple(
        FallbackSeries(
            row.store,
            row.product,
            str(row.product_name),
            str(row.reason),
            words.reason(row.reason),
            row.units,
        )
        for row in failed.itertuples()
    )


def point_warning(point: str) -> str:
    """Return why a total of this point is not to be planned by; empty where it is."""
    if point == "mean":
        return ""
    return (
        f"The total adds up each series' {point}, which is less than what the sum will be on average, as sales are "
        "skewed: only means add up. A run with --point mean gives totals to plan by."
    )


class ReportHighlights:
    """The highlights of a table `report`, for the views that hold one."""

    report: pd.DataFrame
    panel: PanelDefinition

    @cached_property
    def headline(self) -> Headline:
        return headline(self.report, self.panel)

    @cached_property
    def fallbacks(self) -> tuple[FallbackSeries, ...]:
        return fallbacks(self.report)

    def movers(self, most: int) -> tuple[Mover, ...]:
        """Return the series that change most: so many rises, and so many drops."""
        return movers(self.report, self.panel, most)
