"""What needs a decision: the exceptions of a week, most important first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id
from forecasting.core.report import RECENT_WEEKS
from forecasting.presentation import words
from forecasting.presentation.stages import revised, status
from forecasting.presentation.week import WeekView

MOVERS = 5  # rises, and as many drops
MOST_NAMED = 8


@dataclass(frozen=True)
class ExceptionList:
    """Exceptions of one kind.

    key: names the kind.
    title, sentence: what it is, and how much of it.
    head: the names of the columns; store and product come first.
    rows: the store, the product, and the cells as text.
    more: how many rows were left out.
    """

    key: str
    title: str
    sentence: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[Id, Id, tuple[str, ...]], ...] = ()
    more: int = 0


def exception_lists(week: WeekView) -> list[ExceptionList]:
    """Return every kind of exception of which there are any."""
    kinds = (movers, fallbacks, gaps, outside_intervals, corrections, revision)
    return [found for kind in kinds if (found := kind(week))]


def none_of(week: WeekView, found: list[ExceptionList]) -> str:
    """Return what was looked for and not found, in one sentence; empty where there is something of every kind.

    Stores are left out where the completeness of the week is not kept, and intervals in a week without a forecast.
    """
    nothing = {
        "movers": "no series is expected to change",
        "fallbacks": "no series is on fallback",
        "gaps": f"every expected {week.panel.store.word} has reported",
        "outside": "no actual was outside its 95 % interval last week",
        "corrections": "no sales were corrected",
        "revision": "no forecast was replaced",
    }
    kinds = {listing.key for listing in found}
    kinds |= set() if week.completeness else {"gaps"}
    kinds |= set() if (week.matured["week"] == week.cutoff).any() else {"outside"}
    absent = [text for key, text in nothing.items() if key not in kinds]
    return words.sentence(", ".join(absent)) if absent else ""


def movers(week: WeekView) -> ExceptionList | None:
    """Return the biggest changes of the first forecast week, each with what of the plan may explain it."""
    found = week.movers(MOVERS)
    if not found:
        return None
    cells = [
        (
            words.amount(week.panel, each.recent),
            words.amount(week.panel, each.expected),
            words.signed(week.panel, each.change),
            each.interval,
            each.why,
        )
        for each in found
    ]
    return ExceptionList(
        "movers",
        "Biggest changes",
        f"{words.capital(week.panel.units)} expected in the week of {words.day(found[0].week)}, against the mean of "
        f"the last {RECENT_WEEKS} weeks. The 80 % interval contains the actual in four weeks of five.",
        (week.panel.store.word, week.panel.product.word, "recent", "expected", "change", "80 % interval", "why"),
        tuple(_row(week, each.store, each.product, *row) for each, row in zip(found, cells, strict=True)),
    )


def fallbacks(week: WeekView) -> ExceptionList | None:
    """Return the series that the model could not forecast, each with its reason in words."""
    if not week.fallbacks:
        return None
    rows = pd.DataFrame([vars(each) for each in week.fallbacks])
    return _first_few(
        week,
        "fallbacks",
        "On fallback",
        f"{words.series(len(rows))} could not be forecast by the model. A fallback forecast takes every past week as "
        "equally probable; check the order before you use it.",
        ("why", "expected"),
        rows,
        lambda each: (each.why, words.amount(week.panel, each.expected)),
    )


def gaps(week: WeekView) -> ExceptionList | None:
    """Return the stores without which the week was forecast, and who accepted that."""
    report = week.completeness
    if report is None or not report.n_gaps:
        return None
    accepted = report.accepted
    how = f"accepted by {accepted.by}: {accepted.why}" if accepted else status(report, week.panel)[0]
    named = report.gaps(week.panel, week.store_names)
    store = week.panel.store
    expected = words.count(len(report.expected), f"expected {store.word}", f"expected {store.words}")
    return ExceptionList(
        "gaps",
        f"{words.capital(store.words)} with gaps",
        f"{len(named)} of {expected}: {', '.join(named)}. "
        f"The week is {how}. The forecasts of these {store.words} are based on older weeks.",
    )


def outside_intervals(week: WeekView) -> ExceptionList | None:
    """Return the actuals of last week outside their 95 % interval."""
    last = week.matured[week.matured["week"] == week.cutoff]
    last = last.sort_values("step", kind="stable").drop_duplicates(schemas.SERIES)
    below, above = last["actual"] < last["lo_95"], last["actual"] > last["hi_95"]
    outside = last[below | above].copy()
    if outside.empty:
        return None
    outside["error"] = (outside["actual"] - outside["forecast"]).abs()
    return _first_few(
        week,
        "outside",
        "Actuals outside their 95 % interval",
        f"{len(outside):,} of {words.series(len(last))} in the week of {words.day(week.cutoff)} "
        f"({words.percent(len(outside) / len(last), 1)}; 5 % are expected): {int(above.sum()):,} above, "
        f"{int(below.sum()):,} below.",
        ("forecast", "95 % interval", "sold", "error"),
        outside.sort_values("error", ascending=False, kind="stable"),
        lambda each: (
            words.amount(week.panel, each.forecast),
            words.interval(week.panel, each.lo_95, each.hi_95),
            words.amount(week.panel, each.actual),
            words.signed(week.panel, each.actual - each.forecast),
        ),
    )


def corrections(week: WeekView) -> ExceptionList | None:
    """Return what re-sent weeks changed."""
    changed = week.corrections
    if changed.empty:
        return None
    change = changed["units_after"].fillna(0) - changed["units_before"].fillna(0)
    ordered = changed.assign(change=change, size=change.abs()).sort_values("size", ascending=False, kind="stable")
    return _first_few(
        week,
        "corrections",
        "Corrected sales",
        f"{words.count(len(changed), 'row')} of {words.count(changed['week'].nunique(), 'week')} arrived again with "
        "other units. The lake keeps both.",
        ("week", "before", "after", "change"),
        ordered,
        lambda each: (
            words.day(each.week),
            words.amount(week.panel, each.units_before),
            words.amount(week.panel, each.units_after),
            words.signed(week.panel, each.change),
        ),
    )


def revision(week: WeekView) -> ExceptionList | None:
    """Return how the forecast differs from the one that it replaced."""
    if week.revision is None:
        return None
    return _first_few(
        week,
        "revision",
        "Revision of the forecast",
        f"This week was forecast before. Revised: {revised(week.revision, week.panel)}.",
        ("week", "before", "after", "change"),
        pd.DataFrame([vars(each) for each in week.revision.biggest[:MOST_NAMED]]),
        lambda each: (
            words.day(each.week),
            words.amount(week.panel, each.before),
            words.amount(week.panel, each.after),
            words.signed(week.panel, each.after - each.before),
        ),
    )


def _first_few(
    week: WeekView,
    key: str,
    title: str,
    sentence: str,
    head: tuple[str, ...],
    found: pd.DataFrame,
    cells: Callable[[Any], tuple[str, ...]],
) -> ExceptionList:
    """Return a list of series of which the first few are named; `head` and `cells` come after store and product."""
    rows = tuple(_row(week, each.store, each.product, *cells(each)) for each in found.head(MOST_NAMED).itertuples())
    return ExceptionList(
        key,
        title,
        sentence,
        (week.panel.store.word, week.panel.product.word, *head),
        rows,
        max(len(found) - MOST_NAMED, 0),
    )


def _row(week: WeekView, store: Id, product: Id, *cells: str) -> tuple[Id, Id, tuple[str, ...]]:
    names = week.store_names.get(store, str(store)), week.product_names.get(product, str(product))
    return store, product, (*names, *cells)
