"""What the commands of results print: `oj report`, `load`, `export`, `scores` and `whatif`."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import Id, PanelDefinition, readable
from forecasting.core.metrics import SUMS, with_metrics
from forecasting.pipeline.what_if import Answer, Offer
from forecasting.presentation import words
from forecasting.presentation.stages import loaded
from forecasting.presentation.terminal.console import console
from forecasting.storage.database import DatabaseLoad
from forecasting.storage.lake import Lake
from forecasting.storage.location import Location


def show_page(path: Location) -> None:
    """Print where a page was written to."""
    console.print(f"Report: {words.as_typed(path)}")


def show_exported(path: Path, cutoff: date, rows: int) -> None:
    """Print what was exported, and where it is."""
    console.print(f"{words.count(rows, 'forecast')} of the {words.week_of(cutoff)} are in {path}.")


def show_loaded(load: DatabaseLoad) -> None:
    """Print what a database load did."""
    console.print(f"The database {loaded(load)}.")


WEEKS_SHOWN = 26


def scores_table(scores: pd.DataFrame, panel: PanelDefinition) -> Table:
    """Return the scores of the last matured weeks, each of its newest forecast, and of all weeks together.

    Args:
        scores: table `scores`, not empty.
        panel: what the sales are.
    """
    total = scores[scores["dimension"] == "total"]
    newest = total.sort_values(["week", "step"]).drop_duplicates("week")
    table = Table(
        box=None,
        pad_edge=False,
        caption="; ".join(f"{label}: {meaning}" for label, _, meaning in words.metric_columns())
        + f". {words.in_percent()}",
        caption_justify="left",
    )
    table.add_column("week", no_wrap=True)
    for name in ("step", "series", "sold", *(label for label, *_ in words.metric_columns())):
        table.add_column(name, justify="right", no_wrap=True)
    for row in newest.tail(WEEKS_SHOWN).itertuples():
        table.add_row(str(row.week.date()), str(row.step), *_score_cells(row._asdict(), panel))
    if len(newest) > 1:
        (together,) = with_metrics(newest[SUMS].sum().to_frame().T).to_dict("records")
        table.add_row(f"all {len(newest)} weeks", "", *_score_cells(together, panel), style="bold")
    return table


def _score_cells(row: Mapping[str, Any], panel: PanelDefinition) -> list[str]:
    scores = [words.score(name, row[name]).removesuffix(" %") for _, name, _ in words.metric_columns()]
    return [words.number(row["series"]), words.amount(panel, row["actual"]), *scores]


def show_answer(lake: Lake, store: Id, product: Id, week: date, model: str, answer: Answer) -> None:
    """Print the forecast by the plan and by the question side by side, and why not to rely on it."""
    panel = lake.reference.definition
    names = lake.reference.products().set_index("product")["name"]
    name, named = readable(str(names.get(product, product))), panel.product.named(product)
    of_product = named if name == readable(str(product)) else f"{name} ({named})"
    where = f"{words.capital(panel.store.named(store))}, {of_product}"
    console.print(Text(f"{where}, {words.week_of(week)}, {words.ahead(answer.step)}", "bold"))
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for title in (*(each.label for each in panel.covariates), panel.units, "80 % interval", "95 % interval"):
        table.add_column(title, justify="right", no_wrap=True)
    planned = "the plan" if answer.plan_known else "assumed (no plan)"
    table.add_row(planned, *_answer_cells(panel, answer.plan, answer.by_plan))
    table.add_row("what if", *_answer_cells(panel, answer.asked, answer.by_asked), style="bold")
    console.print(table)
    before, change = answer.by_plan["forecast"], answer.by_asked["forecast"] - answer.by_plan["forecast"]
    share = f" ({words.change(change / before)})" if before else ""
    console.print(f"{words.signed(panel, change)} {panel.units}{share} against the plan")
    for warning in answer.warnings:
        console.print(Text(warning, style="yellow"))
    console.print(f"By {model}.", style="dim")


def _answer_cells(panel: PanelDefinition, offer: Offer, expected: Mapping[str, float]) -> list[str]:
    plan = [words.covariate(panel, each, offer[each.name]) for each in panel.covariates]
    intervals = [words.interval(panel, expected[f"lo_{level}"], expected[f"hi_{level}"]) for level in schemas.LEVELS]
    return [*plan, words.amount(panel, expected["forecast"]), *intervals]
