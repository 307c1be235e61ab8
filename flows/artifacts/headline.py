"""The headline: how much is expected next week, what moves most, and a picture of both past and future."""

import base64
import logging
from typing import Any

import pandas as pd

from flows.artifacts.markdown import name, table, text
from flows.artifacts.posting import post
from forecasting.contracts import schemas
from forecasting.core.report import Expectation, biggest_movers, expectation, weekly_totals
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)

MOVERS = 5  # up, and as many down


def show_headline(lake: Lake, record: dict[str, Any]) -> None:
    """What the forecast says, for people."""
    post("headline", "What is expected next week", _read_and_write, lake, record["spec"]["point"])


def _read_and_write(lake: Lake, point: str) -> str:
    report = read_table(lake.reports.table_path, schemas.report(lake.reference.definition))
    logger.info("%s.", headline(expectation(report)))
    return headline_markdown(report, point)


def headline(expected: Expectation) -> str:
    """The forecast in one sentence, without its full stop."""
    change = expected.units / expected.recent - 1 if expected.recent else 0.0
    direction = "more" if change >= 0 else "less"
    much = f"{100 * abs(change):.0f} % {direction} than" if abs(change) >= 0.005 else "as many as"
    return (
        f"{expected.units:,.0f} cartons are expected in the week of {expected.week}, {much} in the mean of the "
        f"last {expected.recent_weeks} weeks ({expected.recent:,.0f})"
    )


def headline_markdown(report: pd.DataFrame, point: str) -> str:
    """The sentence, the chart, and the biggest movers.

    Args:
        report: table `report`.
        point: which point of the distribution it holds.
    """
    from flows.artifacts.chart import total_chart  # matplotlib takes most of a second to import

    expected = expectation(report)
    totals = weekly_totals(report)
    image = base64.b64encode(total_chart(totals)).decode()
    parts = [
        f"## {headline(expected)}",
        f"![{alternative(totals)}](data:image/png;base64,{image})",
        f"## What moves most in the week of {expected.week}",
        _movers(biggest_movers(report, MOVERS)),
        "In cartons. *recent*: mean of the last four weeks; *80 %*: the true number lies in it in four weeks of five.",
    ]
    if point != "mean":
        parts.insert(
            2,
            f"The totals add up each series' {text(point)}. That is less than what the sum will be on average, as "
            "sales are skewed: only means add up. A run with *point* = mean gives totals to plan by.",
        )
    return "\n\n".join(parts)


def alternative(totals: pd.DataFrame) -> str:
    """The chart in words, for who cannot see it."""
    sold, expected = (totals[totals["kind"] == kind] for kind in ("actual", "forecast"))
    forecasts = ", ".join(f"{row.week:%Y-%m-%d}: {row.units:,.0f}" for row in expected.itertuples())
    last = sold.iloc[-1]
    return (
        f"Cartons of all series by week, from {sold['week'].iloc[0]:%Y-%m-%d}. "
        f"Last sold, {last['week']:%Y-%m-%d}: {last['units']:,.0f}. Expected, {forecasts}."
    )


def _movers(movers: pd.DataFrame) -> str:
    rows = [
        (
            str(row.store),
            name(row.product_name),
            f"{row.recent:,.0f}",
            f"**{row.units:,.0f}**",
            f"{row.lo_80:,.0f}–{row.hi_80:,.0f}",
            _plan(row),
        )
        for row in movers.itertuples()
    ]
    head = ["store", "product", "recent", "expected", "80 %", "plan"]
    return table(head, rows, ["right", "left", "right", "right", "right", "left"])


def _plan(row: Any) -> str:
    if pd.isna(row.price):
        return "unknown"
    signs = [name for name, is_on in (("deal", row.deal), ("advert", row.feat)) if is_on]
    return text(f"${row.price:.2f}" + (f", {' and '.join(signs)}" if signs else ""))
