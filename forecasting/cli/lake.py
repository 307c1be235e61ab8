"""The commands that fill a lake, and the one that tells what is in it: `oj simulate`, `import` and `status`."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from flows import parameters as p
from flows.options import LakeOptions
from forecasting.cli.app import app
from forecasting.cli.session import by_name, user_errors


@app.command()
def simulate(
    lake: p.LakeRoot = None,
    history_until: Annotated[
        date | None,
        typer.Option(
            **p.A_WEEK,
            help="Last week of the history that an empty lake is filled with.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Play the world: let one real week go by, and drop its files into the inbox."""
    with user_errors():
        from forecasting.pipeline.simulation import FIRST_HISTORY_UNTIL
        from forecasting.pipeline.simulation import simulate as let_a_week_go_by
        from forecasting.presentation.terminal.lake import show_simulated

        home = LakeOptions(lake=lake).home
        show_simulated(home, let_a_week_go_by(home, history_until=history_until or FIRST_HISTORY_UNTIL))


@app.command("import")
def import_panel(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files of one layout.", show_default=False)],
    store: Annotated[str, typer.Option(help="Column of the store, a number or a name.")] = "store",
    product: Annotated[str, typer.Option(help="Column of the product, a number or a name.")] = "product",
    week: Annotated[str, typer.Option(help="Column of the first day of the week.")] = "week",
    units: Annotated[str, typer.Option(help="Column of the units sold; empty in weeks ahead.")] = "units",
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=COLUMN",
            help="Column of a covariate, as price=UnitPrice; repeat it for others (docs/data-contract.md names them).",
            show_default=False,
        ),
    ] = None,
    lake: p.LakeRoot = None,
) -> None:
    """Fill a new lake with the history of a panel that someone else laid out."""
    with user_errors():
        from forecasting.pipeline.panel_import import ColumnMapping
        from forecasting.pipeline.panel_import import import_panel as read_panel
        from forecasting.presentation.terminal.lake import show_import

        home = LakeOptions(lake=lake).home
        covariates = by_name("covariate", covariate or [], str)
        show_import(home, read_panel(home, files, ColumnMapping(store, product, week, units, covariates)))


@app.command()
def status(lake: p.LakeRoot = None) -> None:
    """What is in the lake: weeks, forecasts, the last run, and what is waiting in the inbox."""
    with user_errors():
        from forecasting.presentation.terminal.lake import show_status

        show_status(LakeOptions(lake=lake).home)
