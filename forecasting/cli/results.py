"""The commands that give published forecasts to people and programs: `oj report`, `export`, `load` and others."""

from datetime import date
from pathlib import Path
from typing import Annotated

from flows.options import CutoffOption, LakeRoot, RequiredDatabase, existing_lake
from flows.parameters import takes
from forecasting.cli.app import RESULTS, WEEKLY, command
from forecasting.cli.session import by_name
from forecasting.contracts.spec import Option


@command(WEEKLY)
@takes(CutoffOption)
def report(options: CutoffOption) -> None:
    """Write the report page of a published week, by default of the newest, and print its path."""
    from forecasting.presentation.html import write_page
    from forecasting.presentation.terminal.results import show_page

    lake = existing_lake(options.lake)
    show_page(write_page(lake, options.cutoff or lake.forecasts.newest()))


@command(WEEKLY)
def scores(lake: LakeRoot = None) -> None:
    """Show the scores of published forecasts by week, beside the naive forecast, and drift alarms."""
    from forecasting.presentation.terminal.console import console
    from forecasting.presentation.terminal.results import scores_table

    opened = existing_lake(lake)
    found = opened.monitoring.scores()
    if found.empty:
        console.print("No forecast has matured yet: the next run scores those whose week it collects.")
        return
    console.print(scores_table(found, opened.reference.definition))
    alarms = opened.monitoring.alarms(found["week"].max().date())
    for alarm in alarms:
        console.print(f"{alarm.week}  {alarm.sentence}", style="red")
    if not alarms:
        console.print("No alarm has been raised.", style="dim")


@command(RESULTS)
def export(
    to: Annotated[Path, Option("File to write: .xlsx for Excel, or .csv.", metavar="FILE")],
    cutoff: Annotated[date | None, Option("Cutoff of the forecast; default: the newest published.")] = None,
    lake: LakeRoot = None,
) -> None:
    """Write a published forecast, with names, plans and last week's sales, to an Excel or CSV file."""
    from forecasting.presentation.excel import export_forecast
    from forecasting.presentation.terminal.results import show_exported

    exported = export_forecast(existing_lake(lake), cutoff, to)
    show_exported(to, exported.cutoff, exported.rows)


@command(RESULTS)
def load(
    database: RequiredDatabase,
    first: Annotated[date | None, Option("First week to load again even if nothing differs.", flag="--from")] = None,
    last: Annotated[date | None, Option("Last of these weeks; default: the newest.", flag="--to")] = None,
    lake: LakeRoot = None,
) -> None:
    """Load what is published into a database; rows that differ from the files are replaced."""
    from forecasting.pipeline.database import load_database
    from forecasting.presentation.terminal.results import show_loaded

    again = (first or date.min, last or date.max) if first or last else None
    show_loaded(load_database(existing_lake(lake), database, again))


@command(RESULTS)
def whatif(
    store: Annotated[str, Option("The store, as you write it.", metavar="ID")],
    product: Annotated[str, Option("The product, as you write it.", metavar="ID")],
    week: Annotated[date, Option("First day of a coming week.")],
    given: Annotated[
        list[str] | None,
        Option(
            "Value of a covariate, as price=1.99; repeat the option for others. What is not set is as planned.",
            flag="--set",
            metavar="NAME=VALUE",
        ),
    ] = None,
    lake: LakeRoot = None,
) -> None:
    """Forecast one series of a coming week under another offer, beside the forecast under the plan."""
    from forecasting.pipeline.what_if import outlook_of, what_if
    from forecasting.presentation.terminal.results import show_answer

    opened = existing_lake(lake)
    definition = opened.reference.definition
    series = definition.store.parse(store), definition.product.parse(product)
    outlook, model = outlook_of(opened)
    answer = what_if(outlook, *series, week, **by_name("set", given or [], float))
    show_answer(opened, *series, week, model, answer)


@command(RESULTS)
def snapshot(
    cutoff: Annotated[date, Option("Cutoff of the forecast.")],
    to: Annotated[Path, Option("Folder to write sales.parquet and promotions.parquet to.", metavar="FOLDER")],
    lake: LakeRoot = None,
) -> None:
    """Write the sales and promotions that a published forecast was made from, without later corrections."""
    from forecasting.contracts.errors import OptionError
    from forecasting.presentation.terminal.lake import show_snapshot
    from forecasting.storage.files import write_table
    from forecasting.storage.location import local_file

    opened = existing_lake(lake)
    then = opened.snapshot_of(cutoff)
    try:
        write_table(local_file(to / "sales.parquet"), then.sales, opened.sales.table)
        write_table(local_file(to / "promotions.parquet"), then.promotions, opened.promotions.table)
    except OSError as error:
        raise OptionError(f"to={to}", f"cannot be written ({error.strerror})", "name a folder of yours") from error
    show_snapshot(to, then, opened.forecasts.as_of(cutoff))
