"""The stages that take a week in: the weeks that are due, what has arrived, valid rows, and whether it goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd

from forecasting.clock import now
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError, WeekWaiting
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import GateSpec
from forecasting.core import completeness
from forecasting.core.completeness import (
    WEEKS_EXPECTED_AFTER_LAST_SALE,
    Acceptance,
    CompletenessReport,
    WeekStatus,
)
from forecasting.core.point_in_time import merge_newer
from forecasting.core.quarantined import rows_of_cell
from forecasting.core.schedule import due_weeks, last_closed
from forecasting.core.unsold import first_week_needed, unsold_of
from forecasting.core.validation import Validated
from forecasting.core.validation import validate as validate_rows
from forecasting.storage.collected import LakeCollected
from forecasting.storage.inbox import SECONDS_UNTOUCHED, InboxFile, await_settled, read_inbox, unread_entries
from forecasting.storage.lake import Lake
from forecasting.storage.leases import waiting_lease


@dataclass(frozen=True)
class Arrived:
    """Files of the inbox of the weeks up to the cutoff, and all their lines as text.

    notes: sentences about files that are not among these, or not as they should be.
    """

    files: list[InboxFile]
    rows: pd.DataFrame
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class IngestResult:
    """What arrived for a week, and what became of each row.

    rows_in: accepted + duplicates + all of passed_over + quarantined.
    quarantined_by_rule: quarantined rows by the name of the rule that they broke.
    passed_over: rows that are no sales of the panel, such as totals, by reason.
    unsold: cells that the files left out, and that count as 0 units.
    new_stores, new_products: ids that the lake did not know.
    corrected_by_week: accepted rows that changed units collected before, by week.
    late_files: names of files of earlier weeks whose forecast was published without them, by week.
    notes: sentences about files of the inbox that somebody should look at.
    """

    completeness: CompletenessReport
    rows_in: int
    accepted: int
    duplicates: int
    quarantined: int
    quarantined_by_rule: Mapping[str, int] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    unsold: int = 0
    new_stores: tuple[Id, ...] = ()
    new_products: tuple[Id, ...] = ()
    corrected_by_week: Mapping[date, int] = field(default_factory=dict)
    late_files: Mapping[date, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def choose_weeks(lake: Lake, at: datetime) -> list[date]:
    """Return the weeks that have arrived and are not published, oldest first; several after an outage.

    Raises:
        DataError: the lake is empty, and so is its inbox.
    """
    weeks = due_weeks(
        dropped=_weeks_of_inbox(lake),
        admitted=lake.completeness.weeks(),
        published=lake.forecasts.cutoffs(),
        collected=lake.sales.weeks(),
        closed=last_closed(at, lake.reference.time_zone, lake.reference.week_starts_on),
    )
    if not weeks:
        raise DataError(
            f"The lake {lake.root} has no sales and its inbox is empty", "let a week arrive with `oj simulate` first"
        )
    return weeks


def weeks_to_backfill(lake: Lake, first: date, last: date | None, at: datetime) -> list[date]:
    """Return the closed weeks from `first` to `last` of which anything has arrived, oldest first.

    Raises:
        DataError: there are none.
    """
    closed = last_closed(at, lake.reference.time_zone, lake.reference.week_starts_on)
    arrived = sorted({*lake.sales.weeks(), *_weeks_of_inbox(lake)})
    weeks = [week for week in arrived if first <= week <= min(last or closed, closed)]
    if not weeks:
        raise DataError(
            f"The lake {lake.root} has no week from {first} to {last or closed} to forecast from",
            f"name weeks from {arrived[0]} to {arrived[-1]}"
            if arrived
            else "let a week arrive with `oj simulate` first",
        )
    return weeks


def collect(lake: Lake, cutoff: date) -> Arrived:
    """Read the inbox: every file of a week up to the cutoff, and files whose name names no week.

    Files that were changed after an earlier run had read them come back into the inbox first. A file that is still
    being written is waited for a moment, and then left for the next run.
    """
    with waiting_lease(lake.lock("collect")):
        notes = lake.archive.return_changed()
    files, unsettled = await_settled(lambda: _waiting(lake, cutoff), lake.archive.clock)
    notes += [
        f"{file.name}: is still being written to (less than {SECONDS_UNTOUCHED:g} seconds ago), and is left for the "
        "next run; run again when it is complete."
        for file in unsettled
    ]
    return _read(lake, files, [*notes, *unread_entries(lake.inbox)])


def validate(lake: Lake, arrived: Arrived) -> Validated:
    """Check every row against the data contract and against what was collected before."""
    return validate_rows(
        arrived.rows,
        stores=lake.reference.stores(),
        products=lake.reference.products(),
        collected=LakeCollected(lake),
        overrides=lake.acceptances.overrides(),
        definition=lake.reference.definition,
        layouts=lake.reference.layouts,
        today=now().astimezone(ZoneInfo(lake.reference.time_zone)).date(),
    )


def look(lake: Lake, week: date, spec: GateSpec, at: datetime) -> CompletenessReport:
    """Return the completeness of a week at this moment, with the files of the inbox. Changes nothing.

    Raises:
        ForecastingError: the week is refused.
    """
    return _assess(lake, week, validate(lake, _read(lake, _waiting(lake, week))), spec, at)


def admit(lake: Lake, week: date, arrived: Arrived, checked: Validated, spec: GateSpec, at: datetime) -> IngestResult:
    """Decide whether the week goes on; if so, add its rows to the lake and archive its files. Else change nothing.

    Raises:
        WeekWaiting: stores may still report until the deadline.
        WeekNotWhole: too few stores have reported, and nobody accepted the gaps.
    """
    report = _assess(lake, week, checked, spec, at)
    if report.status is WeekStatus.WAITING:
        raise WeekWaiting(week, report.gaps(lake.reference.definition), spec.deadline)
    late = _late_files(lake, week, arrived)
    # Another run may be adding late files of an earlier week at this moment.
    with waiting_lease(lake.lock("collect")) as lease:
        collected = lake.begin_collecting(at)
        unsold = _unsold(lake, checked)
        lease.require_held()
        add_rows(lake, week, checked, pd.concat([checked.sales, unsold], ignore_index=True), collected)
        lake.quarantine.add(week, checked.quarantined, [file.name for file in arrived.files])
        lake.completeness.write(report)
    return IngestResult(
        completeness=report,
        rows_in=checked.rows_in,
        accepted=checked.accepted,
        duplicates=checked.dropped,
        quarantined=len(checked.quarantined),
        quarantined_by_rule=checked.quarantined_by_rule,
        passed_over=checked.passed_over,
        unsold=len(unsold),
        new_stores=checked.new_stores,
        new_products=checked.new_products,
        corrected_by_week=checked.corrected_by_week,
        late_files=late,
        notes=(*arrived.notes, *checked.notes, *_archive(lake, week, arrived, checked)),
    )


def add_rows(lake: Lake, week: date, checked: Validated, sales: pd.DataFrame, collected: datetime) -> None:
    """Add checked rows to the lake, with the `sales` that they make; `week` names the file of what they correct."""
    lake.reference.add(checked.new_stores, checked.new_products, checked.attributes)
    lake.corrections.add(week, sales, collected)
    lake.sales.add(sales, collected)
    lake.promotions.add(checked.promotions, collected)


def accept(lake: Lake, week: date, why: str, by: str, at: datetime) -> Acceptance:
    """Record that somebody lets the week go on with its gaps."""
    accepted = Acceptance(by, why, at.replace(microsecond=0))
    lake.acceptances.write(week, accepted)
    return accepted


def accept_override(
    lake: Lake, week: date, store: Id, product: Id, why: str, by: str, at: datetime
) -> tuple[Acceptance, list[str]]:
    """Record that the quarantined units of a cell are right, and put their files into the inbox for the next run.

    Returns:
        What was recorded, and the names of the files.

    Raises:
        DataError: no row of that cell is quarantined as an outlier, or its file is gone.
    """
    of_runs = [lake.quarantine.read(cutoff) for cutoff in lake.quarantine.weeks()]
    rows = pd.concat(of_runs, ignore_index=True) if of_runs else lake.quarantine.read(week)
    definition, layouts = lake.reference.definition, lake.reference.layouts
    of_cell = rows_of_cell(rows[rows["rule"] == "outlier"], week, store, product, definition, layouts)
    files = sorted(of_cell["file"].unique())
    if not files:
        raise DataError(
            f"No row of {definition.named((store, product))} in the week of {week} is quarantined as an outlier",
            "see in the lake's folder `quarantine` which rows are",
        )
    accepted = Acceptance(by, why, at.replace(microsecond=0))
    lake.acceptances.write_override(week, store, product, accepted)
    gone = [file for file in files if not lake.archive.bring_back(file)]
    if gone:
        raise DataError(
            f"The files {', '.join(gone)} are not in the lake's archive",
            "import them again, or put them into the inbox, then run",
        )
    return accepted, files


def _unsold(lake: Lake, checked: Validated) -> pd.DataFrame:
    """Return the rows of 0 units of products that the stores of these weeks left out."""
    if checked.sales.empty:
        return checked.sales
    first = first_week_needed(checked.sales["week"].min().date())
    collected = lake.sales.of_weeks([week for week in lake.sales.weeks() if week >= first])
    return unsold_of(checked.sales, collected, checked.held_back, lake.reference.definition)


def _archive(lake: Lake, week: date, arrived: Arrived, checked: Validated) -> list[str]:
    """Move the files whose rows are in the lake out of the inbox.

    Returns:
        Sentences about files that are still, or again, in the inbox.
    """
    # Files whose week lacks a day stay in the inbox, where the late day completes them.
    incomplete = set(checked.quarantined.loc[checked.quarantined["rule"] == "day_missing", "file"])
    incomplete |= set(checked.unfinished_files)
    with waiting_lease(lake.lock("collect")):
        notes = lake.archive.take(week, [file for file in arrived.files if file.name not in incomplete])
        return notes + lake.archive.return_changed()


def _late_files(lake: Lake, week: date, arrived: Arrived) -> dict[date, tuple[str, ...]]:
    published = set(lake.forecasts.cutoffs())
    late: dict[date, list[str]] = {}
    for file in arrived.files:
        if file.week in published and file.week < week:
            late.setdefault(file.week, []).append(file.name)
    return {earlier: tuple(names) for earlier, names in late.items()}


def _weeks_of_inbox(lake: Lake) -> set[date]:
    return {file.week for file in lake.waiting() if file.week}


def _waiting(lake: Lake, cutoff: date) -> list[InboxFile]:
    """Return the files to be collected: of every week up to the cutoff, and those whose name names no week."""
    return [file for file in lake.waiting() if file.week is None or file.week <= cutoff]


def _read(lake: Lake, files: list[InboxFile], notes: Sequence[str] = ()) -> Arrived:
    found, rows, of_files = read_inbox(files, lake.reference.definition, lake.reference.layouts)
    return Arrived(found, rows, [*notes, *of_files])


def _weeks_compared(lake: Lake, week: date) -> list[date]:
    """Return the weeks whose sales say what is expected of a week: the last ones, and the one before, however old."""
    since = week - WEEK * WEEKS_EXPECTED_AFTER_LAST_SALE
    collected = [each for each in lake.sales.weeks() if each <= week]
    return sorted({*(each for each in collected if each >= since), *[each for each in collected if each < week][-1:]})


def _assess(lake: Lake, week: date, checked: Validated, spec: GateSpec, at: datetime) -> CompletenessReport:
    definition = lake.reference.definition
    report = completeness.check_completeness(
        merge_newer(lake.sales.of_weeks(_weeks_compared(lake, week)), checked.sales),
        week,
        checked.missing_days,
        definition.unsold,
        stores_send_files=any("{store}" in layout.files for layout in lake.reference.layouts),
    )
    is_closed = at >= spec.deadline
    accepted = lake.acceptances.read(week)
    if is_closed and spec.below_minimum == "go_on" and not accepted:
        accepted = Acceptance("the option below_minimum", "the deadline has passed", at.replace(microsecond=0))
    return completeness.gate(
        report,
        definition,
        min_reporting=spec.min_reporting,
        is_closed=is_closed,
        accepted=accepted,
        not_accepted={**checked.quarantined_by_rule, **checked.passed_over},
    )
