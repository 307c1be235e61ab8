"""What the command line prints of forecasts that have matured."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from forecasting.core.metrics import LIVE_METRICS, NAIVE_METRICS, SUMS, with_metrics

WEEKS_SHOWN = 26


def monitored_lines(monitored: dict[str, Any]) -> Iterator[tuple[str, Text]]:
    """Names and lines of a run's summary: how the newest matured week came out, and its alarms.

    Args:
        monitored: as `forecasting.pipeline.monitoring.monitor` gives it.
    """
    for position, (step, scores) in enumerate(monitored.get("steps", {}).items()):
        ahead = "1 week ahead" if step == "1" else f"{step} weeks ahead"
        errors = f"WAPE {percent(scores['wape'])} % (naive {percent(scores['naive_wape'])} %)"
        line = f"{ahead}: {errors}, bias {percent(scores['bias'])} %"
        yield "" if position else "came out", Text(line if position else f"week of {monitored['week']}\n{line}")
    for alarm in monitored.get("alarms", []):
        yield "alarm", Text(alarm["sentence"], style="bold red")
    if folds := monitored.get("baseline_folds"):
        yield "baseline", Text(f"made of a backtest of {folds} past weeks: from now on drift is watched")
    if error := monitored.get("error"):
        yield "not scored", Text(error, style="yellow")


def scores_table(scores: pd.DataFrame) -> Table:
    """The last weeks that have matured, each as its newest forecast had it, and all weeks together.

    Args:
        scores: table `scores`, not empty.
    """
    total = scores[scores["dimension"] == "total"]
    newest = total.sort_values(["week", "step"]).drop_duplicates("week")
    table = Table(
        box=None,
        pad_edge=False,
        caption="; ".join(f"{metric.label}: {metric.meaning}" for metric in LIVE_METRICS)
        + "; naive: the metric before it, of the last observed week as the forecast. All in percent.",
        caption_justify="left",
    )
    table.add_column("week", no_wrap=True)
    for name in ("step", "series", "sold", *(label for label, _ in _columns())):
        table.add_column(name, justify="right", no_wrap=True)
    for row in newest.tail(WEEKS_SHOWN).itertuples():
        table.add_row(str(row.week.date()), str(row.step), *_cells(row._asdict()))
    if len(newest) > 1:
        (together,) = with_metrics(newest[SUMS].sum().to_frame().T).to_dict("records")
        table.add_row(f"all {len(newest)} weeks", "", *_cells(together), style="bold")
    return table


def percent(share: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if share is None or pd.isna(share) else f"{100 * share:.1f}"


def _cells(row: dict[str, Any]) -> list[str]:
    return [f"{row['series']:,.0f}", f"{row['actual']:,.0f}", *(percent(row[name]) for _, name in _columns())]


def _columns() -> Iterator[tuple[str, str]]:
    """Heading and name of every metric, each beside that of the naive forecast."""
    for metric in LIVE_METRICS:
        yield metric.label, metric.name
        if metric in NAIVE_METRICS:
            yield "naive", f"naive_{metric.name}"
