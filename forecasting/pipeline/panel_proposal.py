"""The first step with one's own data: look at files, propose the panel definition of a new lake, and write it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecasting.contracts.errors import OptionError
from forecasting.core.inspection import Rows
from forecasting.core.proposal import Proposal, propose
from forecasting.storage.import_files import find_files
from forecasting.storage.lake import Lake
from forecasting.storage.reader import read_rows
from forecasting.storage.sample import head_of, sample_files

ROWS_SHOWN = 10


def require_undeclared(lake: Lake, *, replace: bool) -> None:
    """Check that a panel definition may be written into a lake.

    Args:
        lake: may not exist yet.
        replace: whether one that is there is replaced.

    Raises:
        OptionError: the lake has sales, or a panel definition that is not to be replaced.
    """
    if not lake.is_empty:
        raise OptionError(f"lake={lake.root}", "has sales already, read by its panel definition", "name a new lake")
    if lake.reference.panel_path.exists() and not replace:
        raise OptionError(
            f"lake={lake.root}",
            "has a panel definition already",
            f"edit {lake.reference.panel_path}, or write a new one with --replace",
        )


@dataclass(frozen=True, eq=False)
class ProposedPanel:
    """A proposal, and the first rows of the files as it reads them.

    rows: store, product, date, units and covariates. refused: sentences about those of the first rows that do not fit.
    """

    proposal: Proposal
    rows: pd.DataFrame
    refused: tuple[str, ...]


def propose_panel(given: Sequence[Path]) -> ProposedPanel:
    """Return the proposal for files.

    Args:
        given: files, folders, whose files of known kinds are taken, or patterns with `*`.

    Raises:
        OptionError: there is no file.
        DataError: what the files hold cannot be understood.
    """
    files = find_files(given)
    samples = sample_files(files)
    proposal = propose(samples)
    first = next(path for path in files if path.name == proposal.example)
    read = read_rows([(first.name, head_of(first))], proposal.definition, proposal.layouts, most_rows=ROWS_SHOWN)
    rows = Rows(read.frame, proposal.definition, proposal.layouts)
    rows.parse()
    columns = next(layout.columns for layout in proposal.layouts if "units" in layout.columns)
    covariates = [name for name in proposal.definition.names if name in columns]
    shown = rows.good[["store", "product", "date", "units", *covariates]]
    return ProposedPanel(proposal, shown, _refusals(rows.quarantined()))


def _refusals(quarantined: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence for each rule that rows break, with the first of them."""
    sentences = []
    for _, rows in quarantined.groupby("rule", sort=False):
        first, more = rows.iloc[0], len(rows) - 1
        others = f", and {more} more of the first {ROWS_SHOWN} rows, do" if more else " does"
        sentences.append(f"Line {first['line']} of {first['file']}{others} not fit: {first['detail']}")
    return tuple(sentences)
