"""Numbers, counts and plans in words: one phrase for one thing, used by every writer."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from forecasting.contracts.panel_definition import Covariate, Id, PanelDefinition
from forecasting.core.metrics import LIVE_METRICS, METRICS, NAIVE_METRICS
from forecasting.storage.lake import Lake
from forecasting.storage.location import Location

MOST_NAMED = 6
# A price that differs by less from the recent one is the same price to a shopper.
NOTABLE_PRICE_CHANGE = 0.05
UNKNOWN = "–"

# Why a series has a fallback forecast.
REASONS = {
    "raised": "the model raised an error",
    "timed_out": "the model took longer than its timeout",
    "worker_lost": "its worker was lost at every attempt",
    "not_finite": "the model's forecast is not a finite number",
    "negative": "the model's forecast is negative",
    "crossing": "the ends of the model's intervals are not in order",
    "missing_row": "the model left out a week, or gave one twice",
    "not_trained": "the registered model was not trained on this series: train a new one",
}


def day(value: Any) -> str:
    """Return a day as 16 April 1992."""
    stamp = pd.Timestamp(value)
    return f"{stamp.day} {stamp:%B} {stamp.year}"


def number(value: float) -> str:
    """Return a whole number; a dash where unknown."""
    return UNKNOWN if pd.isna(value) else f"{value:,.0f}"


def amount(panel: PanelDefinition, value: float) -> str:
    """Return units: whole ones without decimals, others with three digits or more; a dash where unknown."""
    return UNKNOWN if pd.isna(value) else f"{value:,.{_decimals(panel, value)}f}"


def interval(panel: PanelDefinition, lower: float, upper: float) -> str:
    """Return the two ends of an interval in units."""
    return f"{amount(panel, lower)}–{amount(panel, upper)}"


def signed(panel: PanelDefinition, value: float) -> str:
    """Return a change in units, with its sign."""
    return UNKNOWN if pd.isna(value) else _minus(f"{value:+,.{_decimals(panel, value)}f}")


def percent(share: float | None, places: int = 0) -> str:
    """Return a share in percent; a dash where unknown."""
    return UNKNOWN if share is None or pd.isna(share) else _minus(f"{100 * share:.{places}f} %")


def change(share: float | None) -> str:
    """Return a relative change with its sign, `new` where there was nothing before."""
    if share is None or pd.isna(share):
        return "new"
    return _minus(f"{share:+.0%}").replace("%", "\u00a0%") if abs(share) >= 0.005 else "0\u00a0%"


def against(value: float, base: float) -> str:
    """Return how `value` compares with `base`, to be followed by `in …`."""
    if not base:
        return "after none"
    difference = value / base - 1
    if abs(difference) < 0.005:
        return "as many as"
    share = percent(abs(difference)).replace(" ", "\u00a0")  # a headline may not break before the sign
    return f"{share} {'more' if difference > 0 else 'fewer'} than"


def count(amount: int, thing: str, things: str = "") -> str:
    """Return a number with its noun: 1 store, 1,204 stores."""
    return f"{amount:,} {thing if amount == 1 else things or thing + 's'}"


def series(amount: int) -> str:
    """Return a number of series."""
    return count(amount, "series", "series")


def counts(by_name: Mapping[str, int]) -> str:
    """Return numbers by name: raised 3, timed_out 2."""
    return ", ".join(f"{name} {amount:,}" for name, amount in by_name.items())


def named(things: Sequence[str], most: int = MOST_NAMED) -> str:
    """Return the first of the things by name, and how many more there are."""
    more = len(things) - most
    return ", ".join(things[:most]) + (f" and {more:,} more" if more > 0 else "")


def week_of(week: date | pd.Timestamp) -> str:
    """Return a week by its first day, as files and commands name it."""
    return f"week of {pd.Timestamp(week).date()}"


def ahead(step: int) -> str:
    """Return how far ahead a forecast is: 1 week ahead."""
    return f"{count(step, 'week')} ahead"


def sentence(words: str) -> str:
    """Return words as a sentence: a capital letter first, a full stop last."""
    return capital(words) + ("" if words.endswith((".", "!", "?")) else ".")


def capital(word: str) -> str:
    """Return a word as the first of a line, its other letters as they are."""
    return word[:1].upper() + word[1:]


def as_typed(place: Location | Path | str) -> str:
    """Return a path as the user would type it; a URL as it is."""
    if "://" in str(place):
        return str(place)
    absolute = Path(str(place)).resolve()
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def address(place: str) -> str:
    """Return a path as an absolute one; a URL as it is."""
    return place if "://" in place else str(Path(place).resolve())


def lake_option(lake: Lake) -> str:
    """Return the option that names a lake in a command, with a space before it; empty for the usual one."""
    return "" if str(lake.root) == "lake" else f" --lake {shlex.quote(str(lake.root))}"


def reason(name: object) -> str:
    """Return why a series has a fallback forecast."""
    return REASONS.get(str(name), str(name))


def metric_columns() -> Iterator[tuple[str, str, str]]:
    """Yield heading, name and meaning of each metric of published forecasts, and of the naive forecast beside it."""
    for metric in LIVE_METRICS:
        yield metric.label, metric.name, metric.meaning
        if metric in NAIVE_METRICS:
            yield "naive", f"naive_{metric.name}", f"{metric.label} of the last observed week as the forecast"


def score(name: str, value: float) -> str:
    """Return the value of a metric, or of the naive forecast's: a share in percent, else a number."""
    if METRICS[name.removeprefix("naive_")].is_share:
        return percent(value, 1)
    return UNKNOWN if pd.isna(value) else f"{value:,.2f}"


def in_percent() -> str:
    """Return the sentence that says which live metrics `score` gives in percent."""
    others = [metric.label for metric in LIVE_METRICS if not metric.is_share]
    return f"All but {', '.join(others)} in percent." if others else "All in percent."


def money(panel: PanelDefinition, price: float) -> str:
    """Return a price; `unknown` where it is not announced."""
    return "unknown" if pd.isna(price) else f"{panel.currency}{price:,.2f}"


def covariate(panel: PanelDefinition, of: Covariate, value: float) -> str:
    """Return the value of a covariate: $1.99, 1, 50 %."""
    if pd.isna(value):
        return "unknown"
    return {"price": money(panel, value), "share": percent(value)}.get(of.role, f"{value:g}")


def promotions(panel: PanelDefinition, row: Mapping[Any, Any]) -> str:
    """Return the promotions of a week by their labels, separated by commas; empty where there is none."""
    return ", ".join(each.label for each in panel.promotions if _is_on(row[each.name]))


def plan(panel: PanelDefinition, row: Mapping[Any, Any]) -> str:
    """Return the plan of a series and week: its price, then the labels of its promotions. Numbers are no part of it.

    Args:
        row: a value for each covariate of the panel; `unknown` stands for a plan that was not announced.
    """
    if is_unknown(panel, row):
        return "unknown"
    prices = [money(panel, row[each.name]) for each in panel.of_role("price")]
    return " ".join(filter(None, [*prices, promotions(panel, row)])) or (
        "no promotion" if panel.promotions else UNKNOWN
    )


def is_unknown(panel: PanelDefinition, row: Mapping[Any, Any]) -> bool:
    """Return whether nothing of the plan was announced."""
    return bool(panel.covariates) and all(pd.isna(row[each.name]) for each in panel.covariates)


def why(panel: PanelDefinition, row: Mapping[Any, Any], recent: Mapping[Any, Any]) -> str:
    """Return what of the plan may change the sales: a price against the recent one, a promotion that begins or ends.

    Args:
        row: the covariates of the forecast week.
        recent: the same of the last weeks, each the mean; empty where the series sold nothing.
    """
    if is_unknown(panel, row):
        return "no plan is announced for that week"
    reasons = [_price_change(panel, each, row, recent) for each in panel.of_role("price")]
    if planned := promotions(panel, row):
        reasons.append(f"{planned} planned")
    elif any(_is_on(recent.get(each.name)) for each in panel.promotions):
        reasons.append("no promotion, after one in the last weeks")
    return "; ".join(filter(None, reasons)) or "nothing in the plan explains it"


def _price_change(
    panel: PanelDefinition, price: Covariate, row: Mapping[Any, Any], recent: Mapping[Any, Any]
) -> str | None:
    now, before = row[price.name], recent.get(price.name)
    if before is None or pd.isna(before) or pd.isna(now) or abs(now / before - 1) < NOTABLE_PRICE_CHANGE:
        return None
    return f"{price.label} {'down' if now < before else 'up'} to {money(panel, now)} from {money(panel, before)}"


def in_natural_order(keys: Iterable[Id]) -> list[Id]:
    """Return ids as people sort them: item 9 before item 10."""

    def parts(key: Id) -> list[tuple[int, int, str]]:
        found = filter(None, re.split(r"(\d+)", str(key)))
        return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in found]

    return sorted(keys, key=parts)


def _decimals(panel: PanelDefinition, value: float) -> int:
    size = abs(value)
    if panel.whole_units or size >= 100 or not size:
        return 0
    return 1 if size >= 10 else 2 if size >= 0.1 else 3


def _is_on(value: Any) -> bool:
    return value is not None and not pd.isna(value) and value > 0


def _minus(text: str) -> str:
    return text.replace("-", "−")
