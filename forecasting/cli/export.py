"""`oj export`: one cutoff's forecast as a file for people."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from flows import parameters as p
from flows.options import LakeOptions
from forecasting.cli.app import app
from forecasting.cli.session import user_errors


@app.command()
def export(
    to: Annotated[Path, typer.Option(help="File to write: .xlsx for Excel, .csv for all else.", show_default=False)],
    cutoff: Annotated[
        date | None,
        typer.Option(
            **p.A_WEEK,
            help="Cutoff of the forecast; empty: the newest that is published.",
            show_default=False,
        ),
    ] = None,
    lake: p.LakeRoot = None,
) -> None:
    """Write a published forecast, with names, plans and last week's sales, to a file for people."""
    with user_errors():
        from forecasting.presentation.excel import export_forecast
        from forecasting.presentation.terminal.files import show_exported

        exported = export_forecast(LakeOptions(lake=lake).home, cutoff, to)
        show_exported(to, exported.cutoff, exported.rows)
