"""The commands about what is in a lake: `oj status`, `accept`, `simulate`, `init` and `import`."""

from datetime import date
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from flows.options import LakeRoot, existing_lake, open_lake
from forecasting.cli.app import DATA, WEEKLY, command
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


@command(DATA)
def init(
    files: Annotated[
        list[Path], typer.Argument(help="Your files: CSV, Parquet or xlsx, or their folder.", show_default=False)
    ],
    yes: Annotated[bool, Option("Write the proposal without asking.")] = False,
    replace: Annotated[bool, Option("Replace the panel definition of a lake without sales.")] = False,
    lake: LakeRoot = None,
) -> None:
    """Look at your files and propose what they hold: the panel definition of a new lake, for you to edit."""
    from forecasting.pipeline.panel_proposal import propose_panel, require_undeclared
    from forecasting.presentation.terminal.proposal import show_proposal, show_written

    opened = open_lake(lake)
    require_undeclared(opened, replace=replace)
    proposed = propose_panel(files)
    show_proposal(proposed)
    if not yes:
        typer.confirm(f"\nWrite it to {opened.reference.panel_path}?", default=True, abort=True)
    opened.prepare()
    proposal = proposed.proposal
    opened.reference.write_panel(proposal.definition, proposal.layouts, proposal.doubts)
    show_written(opened)


@command(DATA, "import")
def import_panel(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files, folders or patterns, in a layout of the panel definition.", show_default=False),
    ],
    lake: LakeRoot = None,
    max_quarantined: Annotated[
        float, Option("Share of quarantined rows above which nothing is taken in.", 0, 1)
    ] = 0.01,
    check: Annotated[bool, typer.Option("--check", help="Show what each file would give, and change nothing.")] = False,
) -> None:
    """Add your own files to a lake: sales history, later weeks, corrections, plans."""
    from forecasting.clock import now
    from forecasting.contracts.errors import DataError
    from forecasting.pipeline.panel_import import import_panel as add_files
    from forecasting.presentation.import_list import write_import_list
    from forecasting.presentation.terminal.lake import show_import
    from forecasting.presentation.terminal.progress import progress_bar
    from forecasting.storage.import_files import find_files

    opened, moment = open_lake(lake), now()
    with progress_bar("reading") as on_progress:
        imported = add_files(
            opened,
            find_files(files),
            moment,
            max_quarantined=max_quarantined,
            is_check=check,
            on_progress=on_progress,
        )
    listed_in = None
    if imported.quarantined and not check:
        listed_in = opened.import_list(moment)
        write_import_list(listed_in, imported.listed)
    show_import(opened, imported, listed_in, is_check=check)
    if imported.is_refused:
        raise DataError(
            f"{imported.quarantined:,} of {imported.rows_in:,} rows are quarantined, more than the share "
            f"{max_quarantined:g}, so nothing is taken in",
            "correct the layout or the files, or raise --max-quarantined",
        )
