"""What `oj whatif` prints."""

from collections.abc import Mapping
from datetime import date

from rich.table import Table
from rich.text import Text

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.pipeline.what_if import Answer, Offer
from forecasting.presentation import words
from forecasting.presentation.terminal.console import console
from forecasting.storage.lake import Lake


def show_answer(lake: Lake, store: int, product: int, week: date, model: str, answer: Answer) -> None:
    """Print the forecast by the plan and by the question side by side, and why not to rely on it."""
    panel = lake.reference.definition
    names = lake.reference.products().set_index("product")["name"]
    name = str(names.get(product, product))
    console.print(
        Text(f"Store {store}, {name} (product {product}), {words.week_of(week)}, {words.ahead(answer.step)}", "bold")
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for title in (*(each.label for each in panel.covariates), panel.units, "80 % interval", "95 % interval"):
        table.add_column(title, justify="right", no_wrap=True)
    planned = "the plan" if answer.plan_known else "assumed (no plan)"
    table.add_row(planned, *_cells(panel, answer.plan, answer.by_plan))
    table.add_row("what if", *_cells(panel, answer.asked, answer.by_asked), style="bold")
    console.print(table)
    before, change = answer.by_plan["forecast"], answer.by_asked["forecast"] - answer.by_plan["forecast"]
    share = f" ({words.change(change / before)})" if before else ""
    console.print(f"{words.signed(change)} {panel.units}{share} against the plan")
    for warning in answer.warnings:
        console.print(Text(warning, style="yellow"))
    console.print(f"By {model}.", style="dim")


def _cells(panel: PanelDefinition, offer: Offer, expected: Mapping[str, float]) -> list[str]:
    plan = [words.covariate(panel, each, offer[each.name]) for each in panel.covariates]
    intervals = [words.interval(expected[f"lo_{level}"], expected[f"hi_{level}"]) for level in schemas.LEVELS]
    return [*plan, words.number(expected["forecast"]), *intervals]
