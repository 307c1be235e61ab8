"""Import of a panel: a retailer's files are read by the layouts of the lake's panel file, and added to the lake.

Reader, rules and tables are those of the inbox. An import fills an empty lake with history, or adds weeks, corrections
and plans to one that has sales; it takes new stores and products in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import DataError, OptionError
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.core.collected import CollectedFrames
from forecasting.core.point_in_time import newest_announced
from forecasting.core.unsold import unsold_of
from forecasting.core.validation import FileRows, Validated, validate
from forecasting.pipeline.ingest import add_rows
from forecasting.storage.collected import LakeCollected
from forecasting.storage.inbox import InboxFile, read_inbox
from forecasting.storage.lake import Lake
from forecasting.storage.leases import waiting_lease
from forecasting.storage.location import local_file

Progress = Callable[[int, int], None]  # called with the bytes that are read, and those of all files
MAX_QUARANTINED = 0.01


@dataclass(frozen=True)
class BrokenRule:
    """A rule that rows broke, with the first of them and the remedy."""

    rule: str
    rows: int
    file: str
    line: int
    detail: str


@dataclass(frozen=True)
class ImportResult:
    """What an import took in: rows_in = accepted + dropped + all of passed_over + quarantined.

    files: the same by file. rules: the rules that rows broke, most rows first.
    listed: the rows that were not taken in (table `quarantine`).
    max_quarantined: share of quarantined rows above which nothing is taken in.
    sales: cells with units. unsold: cells of 0 units of products that the files leave out.
    plans: cells with covariates, of past and coming weeks.
    series: of the sales. new_stores, new_products: how many the lake did not know.
    corrected: rows that gave a week other units than the lake had.
    first, last: weeks with units; None without one.
    """

    files: tuple[FileRows, ...]
    rules: tuple[BrokenRule, ...]
    listed: pd.DataFrame = field(compare=False, repr=False)
    max_quarantined: float
    rows_in: int
    accepted: int
    dropped: int
    passed_over: Mapping[str, int]
    sales: int = 0
    unsold: int = 0
    plans: int = 0
    series: int = 0
    new_stores: int = 0
    new_products: int = 0
    corrected: int = 0
    first: date | None = None
    last: date | None = None
    notes: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        """The number of quarantined rows."""
        return sum(rule.rows for rule in self.rules)

    @property
    def is_refused(self) -> bool:
        """Whether too many rows are quarantined for anything to be taken in."""
        return self.quarantined > self.max_quarantined * self.rows_in


def import_panel(
    lake: Lake,
    files: Sequence[Path],
    at: datetime,
    *,
    max_quarantined: float = MAX_QUARANTINED,
    is_check: bool = False,
    on_progress: Progress = lambda *_: None,
) -> ImportResult:
    """Add the rows of files to a lake, where no more than a share of them is quarantined; else change nothing.

    Args:
        lake: has a panel file.
        files: of any layout of the panel file.
        at: the moment of the import. What an empty lake is filled with counts as known from the beginning.
        max_quarantined: share of quarantined rows above which nothing is taken in.
        is_check: change nothing, whatever the rows are.

    Raises:
        OptionError: the lake has no panel file.
        DataError: the files have no rows, or none with units while the lake has no sales.
    """
    definition = _require_panel(lake)
    stores, products = lake.reference.known()
    nothing = CollectedFrames(lake.sales.table.empty(), definition)
    rows, notes = _read(lake, files, on_progress)
    if rows.empty:
        raise DataError(f"{_named(files)} has no rows", "name files with a line for each sale below their header")
    checked = validate(
        rows,
        stores=stores,
        products=products,
        collected=nothing if lake.is_empty else LakeCollected(lake),
        overrides=lake.acceptances.overrides(),
        definition=replace(definition, new_ids="accept"),
        layouts=lake.reference.layouts,
        today=at.astimezone(ZoneInfo(definition.time_zone)).date(),
    )
    result = _result(checked, max_quarantined, notes)
    if result.is_refused or is_check:
        return result
    if lake.is_empty and checked.sales.empty:
        raise DataError(
            f"No row of {_named(files)} has units, and the lake has no sales yet",
            "import the files with sales first, or name the column of the units in the layout",
        )
    return _add(lake, checked, at, result)


def _require_panel(lake: Lake) -> PanelDefinition:
    if not lake.reference.panel_path.exists():
        raise OptionError(
            f"lake={lake.root}",
            "has no panel file, which says what its sales are and how files are written",
            f"write it with `oj init FILE… --lake {lake.root}`, then import",
        )
    return lake.reference.definition


def _read(lake: Lake, files: Sequence[Path], on_progress: Progress) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows of the files as text, and notes; the progress goes by the size of the files."""
    definition, layouts = lake.reference.definition, lake.reference.layouts
    # A link that a user names is followed; the inbox reads none.
    listed = [InboxFile(place, None, place.find()) for place in (local_file(file.resolve()) for file in files)]
    total, done = sum(_size(file) for file in listed), 0
    tables, notes = [], []
    for file in listed:
        on_progress(done, total)
        _, rows, of_file = read_inbox([file], definition, layouts)
        tables.append(rows)
        notes += of_file
        done += _size(file)
    on_progress(done, total)
    return pd.concat(tables, ignore_index=True), tuple(notes)


def _size(file: InboxFile) -> int:
    return file.entry.size if file.entry else 0


def _result(checked: Validated, max_quarantined: float, notes: tuple[str, ...]) -> ImportResult:
    by_rule = checked.quarantined.groupby("rule")
    firsts = by_rule[["file", "line", "detail"]].first()
    rules = [
        BrokenRule(str(row.Index), int(by_rule.size()[row.Index]), row.file, row.line, row.detail)
        for row in firsts.itertuples()
    ]
    weeks = checked.sales["week"]
    return ImportResult(
        files=checked.files,
        rules=tuple(sorted(rules, key=lambda each: -each.rows)),
        listed=checked.quarantined,
        max_quarantined=max_quarantined,
        rows_in=checked.rows_in,
        accepted=checked.accepted,
        dropped=checked.dropped,
        passed_over=checked.passed_over,
        sales=len(checked.sales),
        plans=len(checked.promotions),
        series=len(checked.sales[schemas.SERIES].drop_duplicates()),
        new_stores=len(checked.new_stores),
        new_products=len(checked.new_products),
        corrected=sum(checked.corrected_by_week.values()),
        first=None if weeks.empty else weeks.min().date(),
        last=None if weeks.empty else weeks.max().date(),
        notes=(*notes, *checked.notes),
    )


def _add(lake: Lake, checked: Validated, at: datetime, result: ImportResult) -> ImportResult:
    """Write what was accepted to the lake."""
    weeks = [] if lake.is_empty else lake.sales.weeks()
    collected = lake.sales.of_weeks(weeks if lake.reference.definition.unsold == "left_out" else [])
    unsold = unsold_of(checked.sales, collected, checked.held_back, lake.reference.definition)
    sales = pd.concat([checked.sales, unsold], ignore_index=True)
    first = min([*weeks, *(week.date() for week in sales["week"].unique())])
    # Files do not say when their plans became known: they count as announced from the beginning.
    checked = replace(checked, promotions=newest_announced(checked.promotions).assign(announced=pd.Timestamp(first)))
    if lake.is_empty:
        with lake.filling():
            lake.reference.add(checked.new_stores, checked.new_products, checked.attributes)
            lake.promotions.add(checked.promotions)
            lake.sales.add(sales)
    else:
        with waiting_lease(lake.lock("collect")):
            add_rows(lake, lake.sales.weeks()[-1], checked, sales, lake.begin_collecting(at))
    # As those of a run are: where somebody accepts one, its file is imported again.
    outliers = checked.quarantined[checked.quarantined["rule"] == "outlier"]
    lake.quarantine.add(lake.sales.weeks()[-1], outliers, [each.name for each in checked.files])
    return replace(result, unsold=len(unsold))


def _named(files: Sequence[Path]) -> str:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0].name}{more}"
