"""What the command line prints of forecasts that have matured."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from forecasting.contracts import schemas

WEEKS_SHOWN = 26
_SUMS = ["actual", "forecast", "absolute_error", "naive_absolute_error", "series", "within_80", "within_95"]


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
        caption="WAPE: sum of the errors over the sum of sales; naive: that of the last observed week; c80, c95: "
        "share of sales within the intervals. All in percent.",
        caption_justify="left",
    )
    table.add_column("week", no_wrap=True)
    for name in ("step", "series", "sold", "WAPE", "naive", "bias", "c80", "c95"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in newest.tail(WEEKS_SHOWN).itertuples():
        table.add_row(str(row.week.date()), str(row.step), *_cells(row._asdict()))
    if len(newest) > 1:
        sums = newest[_SUMS].sum()
        shares = {
            "wape": sums["absolute_error"] / sums["actual"],
            "naive_wape": sums["naive_absolute_error"] / sums["actual"],
            "bias": sums["forecast"] / sums["actual"] - 1,
            **{f"coverage_{level}": sums[f"within_{level}"] / sums["series"] for level in schemas.LEVELS},
        }
        table.add_row(f"all {len(newest)} weeks", "", *_cells({**sums, **shares}), style="bold")
    return table


def percent(share: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if share is None or pd.isna(share) else f"{100 * share:.1f}"


def _cells(row: dict[str, Any]) -> list[str]:
    names = ("wape", "naive_wape", "bias", *(f"coverage_{level}" for level in schemas.LEVELS))
    return [f"{row['series']:,.0f}", f"{row['actual']:,.0f}", *(percent(row[name]) for name in names)]
