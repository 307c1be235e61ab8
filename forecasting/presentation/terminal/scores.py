"""What `oj scores` prints: the scores of forecasts that have matured."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.table import Table

from forecasting.contracts import schemas
from forecasting.presentation import words

WEEKS_SHOWN = 26
_SUMS = ["actual", "forecast", "absolute_error", "naive_absolute_error", "series", "within_80", "within_95"]


def scores_table(scores: pd.DataFrame) -> Table:
    """Return the scores of the last matured weeks, each of its newest forecast, and of all weeks together.

    Args:
        scores: table `scores`, not empty.
    """
    total = scores[scores["dimension"] == "total"]
    newest = total.sort_values(["week", "step"]).drop_duplicates("week")
    table = Table(
        box=None,
        pad_edge=False,
        caption="WAPE: sum of the absolute errors over the sum of sales; naive: the same of the last observed week; "
        "c80, c95: share of the actuals inside the intervals. All in percent.",
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


def _cells(row: Mapping[str, Any]) -> list[str]:
    names = ("wape", "naive_wape", "bias", *(f"coverage_{level}" for level in schemas.LEVELS))
    shares = [words.percent(row[name], 1).removesuffix(" %") for name in names]
    return [words.number(row["series"]), words.number(row["actual"]), *shares]
