"""`oj snapshot`: what a published forecast was made from."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from flows import parameters as p
from flows.options import LakeOptions
from forecasting.cli.app import app
from forecasting.cli.session import user_errors


@app.command()
def snapshot(
    cutoff: Annotated[
        date,
        typer.Option(**p.A_WEEK, help="Cutoff of the forecast.", show_default=False),
    ],
    to: Annotated[Path, typer.Option(help="Folder for sales.parquet and promotions.parquet.", show_default=False)],
    lake: p.LakeRoot = None,
) -> None:
    """What was known when a published forecast was made: its sales and promotions, whatever has come since."""
    with user_errors():
        from forecasting.contracts import schemas
        from forecasting.contracts.errors import OptionError
        from forecasting.presentation.terminal.lake import show_snapshot
        from forecasting.storage.files import write_table

        home = LakeOptions(lake=lake).home
        then = home.snapshot_of(cutoff)
        try:
            write_table(to / "sales.parquet", then.sales, schemas.SALES)
            write_table(to / "promotions.parquet", then.promotions, home.promotions.table)
        except OSError as error:
            raise OptionError(f"to={to}", f"cannot be written ({error.strerror})", "name a folder of yours") from error
        show_snapshot(to, then, home.forecasts.as_of(cutoff))
