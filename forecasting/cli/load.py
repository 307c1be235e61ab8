"""`oj load`: make a database agree with the lake."""

from datetime import date
from typing import Annotated

import typer

from flows import parameters as p
from flows.options import LakeOptions
from forecasting.cli.app import app
from forecasting.cli.session import user_errors


@app.command()
def load(
    database: p.RequiredDatabase,
    first: Annotated[
        date | None,
        typer.Option(
            "--from", **p.A_WEEK, help="First week that is loaded anew, whether it differs or not.", show_default=False
        ),
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", **p.A_WEEK, help="Last of them; empty: the newest.", show_default=False)
    ] = None,
    lake: p.LakeRoot = None,
) -> None:
    """Load a database with what is published; what differs from the files is replaced."""
    with user_errors():
        from forecasting.pipeline.database import load_database
        from forecasting.presentation.terminal.files import show_loaded

        anew = (first or date.min, last or date.max) if first or last else None
        show_loaded(load_database(LakeOptions(lake=lake).home, database, anew))
