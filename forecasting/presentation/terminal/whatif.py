"""What `oj whatif` prints."""

from collections.abc import Mapping
from datetime import date

from rich.table import Table
from rich.text import Text

from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.pipeline.what_if import Answer, Offer
from forecasting.presentation.terminal.console import console
from forecasting.storage.lake import Lake


def show_answer(lake: Lake, store: int, product: int, week: date, model: str, answer: Answer) -> None:
    """The plan and the question side by side, and why not to rely on it."""
    names = lake.reference.products().set_index("product")["name"]
    name = str(names.get(product, product))
    steps = f"{answer.step} week{'s' if answer.step > 1 else ''} ahead"
    console.print(Text(f"Store {store}, {name} (product {product}), week of {week}, {steps}", style="bold"))
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    definition = lake.reference.definition
    labels = [each.label for each in definition.covariates]
    for title in (*labels, definition.units, "80 % interval", "95 % interval"):
        table.add_column(title, justify="right", no_wrap=True)
    planned = "the plan" if answer.plan_known else "assumed (no plan)"
    table.add_row(planned, *_cells(definition, answer.plan, answer.by_plan))
    table.add_row("what if", *_cells(definition, answer.asked, answer.by_asked), style="bold")
    console.print(table)
    change = answer.by_asked["forecast"] - answer.by_plan["forecast"]
    share = f" ({change / answer.by_plan['forecast']:+.0%})" if answer.by_plan["forecast"] else ""
    console.print(f"{change:+,.0f} {definition.units}{share} against the plan")
    for warning in answer.warnings:
        console.print(Text(warning, style="yellow"))
    console.print(f"By {model}.", style="dim")


def _cells(definition: PanelDefinition, offer: Offer, expected: Mapping[str, float]) -> list[str]:
    formats = {"price": definition.currency + "{:.2f}", "flag": "{:.0f}", "share": "{:.0%}", "number": "{:g}"}
    offered = [formats[each.role].format(offer[each.name]) for each in definition.covariates]
    intervals = [f"{expected[f'lo_{level}']:,.0f}–{expected[f'hi_{level}']:,.0f}" for level in (80, 95)]
    return [*offered, f"{expected['forecast']:,.0f}", *intervals]
