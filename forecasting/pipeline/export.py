"""What `oj export` writes, and of which forecast."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from forecasting.contracts.errors import OptionError
from forecasting.core.report import order_sheet
from forecasting.presentation.excel import export as write
from forecasting.storage.lake import Lake


@dataclass(frozen=True)
class Exported:
    """What was written: the rows of one cutoff's forecast."""

    cutoff: date
    rows: int


def export(lake: Lake, cutoff: date | None, to: Path) -> Exported:
    """Write the order sheet of a published forecast; of the newest one where no cutoff is given.

    Raises:
        ForecastingError: nothing of that cutoff is published, or the file cannot be written.
    """
    newest, published = lake.forecasts.newest(), lake.forecasts.cutoffs()
    cutoff = cutoff or newest
    if cutoff not in published:
        raise OptionError(
            f"--cutoff {cutoff}",
            "has no published forecast",
            f"name one from {published[0]} to {newest}; oj status tells how many there are",
        )
    forecast, said = lake.forecasts.read(cutoff), lake.forecasts.metadata(cutoff)
    definition = lake.reference.definition
    sheet = order_sheet(
        forecast,
        lake.sales.read(cutoff),
        lake.promotions.read(cutoff),
        lake.reference.stores(),
        lake.reference.products(),
        definition,
    )
    about = {"cutoff": str(cutoff), "point": said.get("point", ""), "run_id": said.get("run_id", "")}
    write(sheet, to, about, definition)
    return Exported(cutoff, len(sheet))
