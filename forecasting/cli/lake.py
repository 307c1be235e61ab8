"""The commands about what is in a lake: `oj status`, `accept`, `simulate` and `import`."""

from datetime import date
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from flows.options import LakeRoot, existing_lake, open_lake
from forecasting.cli.app import DATA, WEEKLY, command
from forecasting.cli.session import by_name
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import ForecastSpec, Option


@command(WEEKLY)
def status(lake: LakeRoot = None) -> None:
    """Show what is in the lake: weeks, forecasts, the last run, and the files in the inbox."""
    from forecasting.presentation.terminal.lake import show_status

    show_status(existing_lake(lake))


@command(WEEKLY)
def accept(
    week: Annotated[date, Option("First day of the week.")],
    reason: Annotated[str, Option("Why; it is recorded.")],
    store: Annotated[str | None, Option("Store whose units are right, as you write it.", metavar="ID")] = None,
    product: Annotated[str | None, Option("Product whose units are right, as you write it.", metavar="ID")] = None,
    by: Annotated[str | None, Option("Your name; default: your login.", metavar="NAME")] = None,
    lake: LakeRoot = None,
) -> None:
    """Accept a week without its missing stores, or units that validation holds back as outliers."""
    from forecasting.clock import now
    from forecasting.pipeline import ingest
    from forecasting.presentation.terminal.lake import show_acceptance, show_override

    opened, who = existing_lake(lake), by or getuser()
    definition = opened.reference.definition
    ForecastSpec(week, definition=definition)
    opened.prepare()
    if store is None and product is None:
        show_acceptance(week, ingest.accept(opened, week, reason, who, now()))
    elif store is None or product is None:
        raise OptionError("--store and --product", "name one series together", "give both, or neither for the gaps")
    else:
        series = definition.store.parse(store), definition.product.parse(product)
        show_override(*ingest.accept_override(opened, week, *series, reason, who, now()))


@command(DATA)
def simulate(
    lake: LakeRoot = None,
    history_until: Annotated[date | None, Option("Last week of the history that an empty lake is filled with.")] = None,
) -> None:
    """Put the files of the next real week into the inbox (demo); fill an empty lake with history first."""
    from forecasting.pipeline.simulation import FIRST_HISTORY_UNTIL
    from forecasting.pipeline.simulation import simulate as simulate_week
    from forecasting.presentation.terminal.lake import show_simulated

    opened = open_lake(lake)
    show_simulated(opened, simulate_week(opened, history_until=history_until or FIRST_HISTORY_UNTIL))


@command(DATA, "import")
def import_panel(
    files: Annotated[
        list[Path], typer.Argument(help="CSV or Parquet files with the same columns.", show_default=False)
    ],
    store: Annotated[str, Option("Column of the store: a number or a name.", metavar="COLUMN")] = "store",
    product: Annotated[str, Option("Column of the product: a number or a name.", metavar="COLUMN")] = "product",
    week: Annotated[str, Option("Column of the first day of the week.", metavar="COLUMN")] = "week",
    units: Annotated[str, Option("Column of the units sold; empty for weeks ahead.", metavar="COLUMN")] = "units",
    covariate: Annotated[
        list[str] | None,
        Option(
            "Column of a covariate, as price=UnitPrice; repeat it for others (see docs/data-contract.md).",
            metavar="NAME=COLUMN",
        ),
    ] = None,
    lake: LakeRoot = None,
) -> None:
    """Fill a new lake with your own sales history from CSV or Parquet files."""
    from forecasting.pipeline.panel_import import ColumnMapping
    from forecasting.pipeline.panel_import import import_panel as read_panel
    from forecasting.presentation.terminal.lake import show_import

    opened = open_lake(lake)
    mapping = ColumnMapping(store, product, week, units, by_name("covariate", covariate or [], str))
    show_import(opened, read_panel(opened, files, mapping))
