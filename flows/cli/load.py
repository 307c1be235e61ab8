"""`oj load`: make a database agree with the lake."""

from datetime import date
from typing import Annotated

import typer

from flows import parameters as p
from flows.cli.app import app
from flows.session import user_errors
from flows.settings import lake_root


def _week(name: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, parser=date.fromisoformat, metavar="YYYY-MM-DD", help=text, show_default=False
    )
    return option


@app.command()
def load(
    database: p.RequiredDatabase,
    first: Annotated[date | None, _week("--from", "First week that is loaded anew, whether it differs or not.")] = None,
    last: Annotated[date | None, _week("--to", "Last of them; empty: the newest.")] = None,
    lake: p.LakeRoot = None,
) -> None:
    """Load a database with what is published; what differs from the files is replaced."""
    with user_errors():
        from flows.terminal.tables import show_loaded
        from forecasting.adapters.database.load import load as load_database
        from forecasting.adapters.lake import Lake

        anew = (first or date.min, last or date.max) if first or last else None
        show_loaded(load_database(Lake(lake_root(lake)), database, anew).as_dict())
