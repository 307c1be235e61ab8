"""What `oj scores` prints: the scores of forecasts that have matured."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.table import Table

from forecasting.core.metrics import SUMS, with_metrics
from forecasting.presentation import words

WEEKS_SHOWN = 26


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
        caption="; ".join(f"{label}: {meaning}" for label, _, meaning in words.metric_columns()) + ". All in percent.",
        caption_justify="left",
    )
    table.add_column("week", no_wrap=True)
    for name in ("step", "series", "sold", *(label for label, *_ in words.metric_columns())):
        table.add_column(name, justify="right", no_wrap=True)
    for row in newest.tail(WEEKS_SHOWN).itertuples():
        table.add_row(str(row.week.date()), str(row.step), *_cells(row._asdict()))
    if len(newest) > 1:
        (together,) = with_metrics(newest[SUMS].sum().to_frame().T).to_dict("records")
        table.add_row(f"all {len(newest)} weeks", "", *_cells(together), style="bold")
    return table


def _cells(row: Mapping[str, Any]) -> list[str]:
    shares = [words.percent(row[name], 1).removesuffix(" %") for _, name, _ in words.metric_columns()]
    return [words.number(row["series"]), words.number(row["actual"]), *shares]
