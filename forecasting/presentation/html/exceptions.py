"""What needs a decision: the exceptions of a week, most important first, as rows for people."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.core.report import REASONS, RECENT_WEEKS, biggest_movers
from forecasting.core.revision import compare_forecasts
from forecasting.presentation.html import words
from forecasting.presentation.html.content import Content

MOVERS = 5  # up, and as many down
MOST_NAMED = 8


@dataclass(frozen=True)
class ExceptionList:
    """Exceptions of one kind.

    key: a word of ours that names the kind.
    title, sentence: what it is, and how much of it.
    head: the names of the columns; store and product come first.
    rows: the store, the product, and the cells as text.
    more: how many rows were left out.
    """

    key: str
    title: str
    sentence: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[int, int, tuple[str, ...]], ...] = ()
    more: int = 0


def exception_lists(content: Content) -> list[ExceptionList]:
    """Every kind of exception of which there are any."""
    found = [movers(content), fallbacks(content), gaps(content), missed(content), corrected(content), moved(content)]
    return [listing for listing in found if listing]


def quiet(content: Content, found: list[ExceptionList]) -> str:
    """What was looked for and not found, in one sentence; empty where there is something of every kind.

    Of stores nothing is said where no ledger tells which of them were expected, nor of intervals in a week of which
    there was no forecast.
    """
    nothing = {
        "movers": "no series is expected to jump or drop",
        "fallbacks": "no series is on fallback",
        "gaps": "every expected store has reported",
        "missed": "no interval was missed last week",
        "corrected": "no sales were corrected",
        "moved": "no forecast was replaced",
    }
    kinds = {listing.key for listing in found}
    kinds |= set() if content.record.get("completeness") else {"gaps"}
    kinds |= set() if (content.matured["week"] == content.cutoff).any() else {"missed"}
    sentence = ", ".join(text for key, text in nothing.items() if key not in kinds)
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def movers(content: Content) -> ExceptionList | None:
    """The biggest jumps and drops of the first forecast week, each with what of the plan may be behind it."""
    found = biggest_movers(content.report, MOVERS)
    if found.empty:
        return None
    recent = content.actual[content.actual["week"] > content.cutoff - pd.Timedelta(weeks=RECENT_WEEKS)]
    promoted = recent["deal"].fillna(0).gt(0) | recent["feat"].fillna(0).gt(0)
    past = recent.assign(promoted=promoted).groupby(schemas.SERIES)
    context = past.agg(recent_price=("price", "mean"), recent_promoted=("promoted", "any")).reset_index()
    rows = [
        _row(
            each,
            content,
            words.cartons(each.recent),
            words.cartons(each.units),
            words.signed(each.change),
            f"{words.cartons(each.lo_80)}–{words.cartons(each.hi_80)}",
            words.why(each),
        )
        for each in found.merge(context, on=schemas.SERIES, how="left").itertuples()
    ]
    return ExceptionList(
        "movers",
        "Biggest jumps and drops",
        f"Cartons expected in the week of {words.day(found['week'].iloc[0])}, against the mean of the last "
        f"{RECENT_WEEKS} weeks. In four weeks of five the true number lies in the 80 % interval.",
        ("store", "product", "recent", "expected", "change", "80 % interval", "why"),
        tuple(rows),
    )


def fallbacks(content: Content) -> ExceptionList | None:
    """The series that the model could not forecast, each with its reason in words."""
    failed = content.forecast.dropna(subset="reason").drop_duplicates(schemas.SERIES)
    if failed.empty:
        return None
    return _first_few(
        "fallbacks",
        "On fallback",
        f"{words.many(len(failed), 'series', 'series')} could not be forecast by the model. "
        "There every past week counts as equally probable; look at the order before you trust it.",
        ("why", "expected"),
        content,
        failed,
        lambda each: (REASONS.get(str(each.reason), str(each.reason)), words.cartons(each.units)),
    )


def gaps(content: Content) -> ExceptionList | None:
    """The stores that the week went on without, and who accepted that."""
    completeness = content.record.get("completeness") or {}
    missing, incomplete = completeness.get("missing", ()), completeness.get("incomplete", {})
    if not missing and not incomplete:
        return None
    accepted = completeness.get("accepted")
    how = f"accepted by {accepted['by']}: {accepted['why']}" if accepted else str(completeness.get("status", ""))
    names = content.store_names
    named = [names.get(int(store), str(store)) for store in missing]
    named += [f"{names.get(int(store), str(store))} (lacks {what})" for store, what in incomplete.items()]
    expected = len(completeness.get("expected", ()))
    return ExceptionList(
        "gaps",
        "Stores that did not report",
        f"{len(named)} of {words.many(expected, 'expected store')}: {', '.join(named)}. "
        f"The week is {how}. The forecasts of these stores rest on older weeks.",
    )


def missed(content: Content) -> ExceptionList | None:
    """Last week's sales that lay outside the interval of which one in twenty should lie outside."""
    last = content.matured
    last = last[last["week"] == content.cutoff]
    last = last.sort_values("step", kind="stable").drop_duplicates(schemas.SERIES)
    below, above = last["actual"] < last["lo_95"], last["actual"] > last["hi_95"]
    out = last[below | above].copy()
    if out.empty:
        return None
    out["off"] = (out["actual"] - out["forecast"]).abs()
    out = out.sort_values("off", ascending=False, kind="stable")
    return _first_few(
        "missed",
        "Intervals missed last week",
        f"{len(out):,} of {words.many(len(last), 'series', 'series')} sold outside their 95 % interval in the week of "
        f"{words.day(content.cutoff)} ({words.percent(len(out) / len(last), 1)}; 5 % is what it promises): "
        f"{int(above.sum()):,} sold more, {int(below.sum()):,} less.",
        ("forecast", "95 % interval", "sold", "off"),
        content,
        out,
        lambda each: (
            words.cartons(each.forecast),
            f"{words.cartons(each.lo_95)}–{words.cartons(each.hi_95)}",
            words.cartons(each.actual),
            words.signed(each.actual - each.forecast),
        ),
    )


def corrected(content: Content) -> ExceptionList | None:
    """What re-sent weeks changed."""
    changed = content.corrections
    if changed.empty:
        return None
    size = (changed["units_after"].fillna(0) - changed["units_before"].fillna(0)).abs()
    ordered = changed.assign(size=size).sort_values("size", ascending=False, kind="stable")
    weeks = changed["week"].nunique()
    return _first_few(
        "corrected",
        "Sales that were corrected",
        f"{words.many(len(changed), 'number')} of {words.many(weeks, 'week')} came again and differed. "
        "What was known before is kept.",
        ("week", "before", "after", "change"),
        content,
        ordered,
        lambda each: (
            words.day(each.week),
            words.cartons(each.units_before),
            words.cartons(each.units_after),
            words.signed((each.units_after or 0) - (each.units_before or 0)),
        ),
    )


def moved(content: Content) -> ExceptionList | None:
    """How the forecast differs from the one it replaced."""
    if content.replaced.empty:
        return None
    both = compare_forecasts(content.replaced, content.forecast.rename(columns={"units": "forecast"}))
    changed = both[both["change"].abs() >= 0.5]
    total = f"{words.cartons(both['before'].sum())} cartons before, {words.cartons(both['after'].sum())} now"
    return _first_few(
        "moved",
        "What moved since the forecast before",
        f"This week was forecast before. {words.many(len(changed), 'number')} of {len(both):,} changed by half a "
        f"carton or more: {total}, over all weeks.",
        ("week", "before", "now", "change"),
        content,
        changed,
        lambda each: (
            words.day(each.week),
            words.cartons(each.before),
            words.cartons(each.after),
            words.signed(each.change),
        ),
    )


def _first_few(
    key: str,
    title: str,
    sentence: str,
    head: tuple[str, ...],
    content: Content,
    found: pd.DataFrame,
    cells: Callable[[Any], tuple[str, ...]],
) -> ExceptionList:
    """A listing of series of which only the first few are named; `head` and `cells` come after store and product."""
    rows = [_row(each, content, *cells(each)) for each in found.head(MOST_NAMED).itertuples()]
    more = max(len(found) - MOST_NAMED, 0)
    return ExceptionList(key, title, sentence, ("store", "product", *head), tuple(rows), more)


def _row(each: Any, content: Content, *cells: str) -> tuple[int, int, tuple[str, ...]]:
    store, product = int(each.store), int(each.product)
    names = content.store_names.get(store, str(store)), content.product_names.get(product, str(product))
    return store, product, (*names, *cells)
