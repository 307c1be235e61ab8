"""The stages that take a week in, as plain functions: which weeks are due, what has come, and whether it goes on."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd

from forecasting.contracts.errors import DataError, WeekWaiting
from forecasting.contracts.spec import GateSpec
from forecasting.core import completeness as completeness
from forecasting.core.completeness import Acceptance, CompletenessReport
from forecasting.core.point_in_time import merge_newer
from forecasting.core.schedule import due_weeks, last_closed
from forecasting.core.validation import Validated
from forecasting.core.validation import validate as validate_rows
from forecasting.storage.inbox import SECONDS_UNTOUCHED, InboxFile, await_settled, read_inbox
from forecasting.storage.lake import Lake
from forecasting.storage.locks import waiting_lock


@dataclass(frozen=True)
class Arrived:
    """What the inbox held of the weeks up to the cutoff: its files and all their lines, as text.

    notes: sentences for people about files that are not, or not as they should be, among these.
    """

    files: list[InboxFile]
    rows: pd.DataFrame
    notes: list[str] = field(default_factory=list)


def choose_weeks(lake: Lake, at: datetime) -> list[date]:
    """The weeks that have come and are not published, oldest first; several after an outage.

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
    """The closed weeks from `first` to `last` of which anything has come, oldest first.

    Raises:
        DataError: there are none.
    """
    closed = last_closed(at, lake.reference.time_zone, lake.reference.week_starts_on)
    known = sorted({*lake.sales.weeks(), *_weeks_of_inbox(lake)})
    weeks = [week for week in known if first <= week <= min(last or closed, closed)]
    if not weeks:
        raise DataError(
            f"The lake {lake.root} has no week from {first} to {last or closed} to forecast from",
            f"name weeks from {known[0]} to {known[-1]}" if known else "let a week arrive with `oj simulate` first",
        )
    return weeks


def collect(lake: Lake, cutoff: date) -> Arrived:
    """Read the inbox: every file of a week up to the cutoff, and those whose name tells no week.

    Files that were changed after an earlier run had read them come back into the inbox first. Files that somebody
    is still writing to are waited for a moment, and left for the next run after that.
    """
    with waiting_lock(lake.lock_path("collect")):
        notes = lake.archive.return_changed()
    files, unsettled = await_settled(lambda: _waiting(lake, cutoff), lake.archive.clock)
    notes += [
        f"{file.name}: is still being written to (less than {SECONDS_UNTOUCHED:g} seconds ago), and is left for the "
        "next run; run again when it is complete."
        for file in unsettled
    ]
    return Arrived(*read_inbox(files, lake.reference.definition), notes)


def validate(lake: Lake, arrived: Arrived) -> Validated:
    """Check every row against the contract and against what was collected before."""
    return validate_rows(
        arrived.rows,
        stores=lake.reference.stores(),
        products=lake.reference.products(),
        collected=lake.sales.read(),
        overrides=lake.acceptances.overrides(),
        definition=lake.reference.definition,
    )


def look(lake: Lake, week: date, spec: GateSpec, at: datetime) -> CompletenessReport:
    """What has come of a week so far, inbox and all, and what the gate says of it at that moment. Changes nothing.

    Raises:
        ForecastingError: the gate refuses the week.
    """
    return _assess(
        lake, week, validate(lake, Arrived(*read_inbox(_waiting(lake, week), lake.reference.definition))), spec, at
    )


def gate(
    lake: Lake, week: date, arrived: Arrived, checked: Validated, spec: GateSpec, at: datetime
) -> CompletenessReport:
    """Decide whether the week goes on; if so, take its rows into the lake. A refused week changes nothing.

    Raises:
        WeekWaiting: stores may still report until the deadline.
        WeekNotWhole: too few stores have reported, and nobody accepted the gaps.
    """
    completeness = _assess(lake, week, checked, spec, at)
    if completeness.status == "waiting":
        raise WeekWaiting(week, completeness.gaps, spec.deadline)
    # Another run may be taking in an earlier week's late files at this moment.
    with waiting_lock(lake.lock_path("collect")):
        collected = lake.begin_collecting(at)
        lake.corrections.add(week, checked.sales, collected)
        lake.sales.add(checked.sales, collected)
        lake.promotions.add(checked.promotions, collected)
        lake.quarantine.add(week, checked.quarantined, [file.name for file in arrived.files])
        lake.completeness.write(week, completeness.as_dict())
    return completeness


def archive(lake: Lake, week: date, arrived: Arrived, checked: Validated) -> list[str]:
    """Move the files whose rows are in the lake out of the inbox.

    Returns:
        Sentences for people about files that are still, or again, in the inbox.
    """
    # A store whose week misses a day keeps its files in the inbox, where the late day completes them.
    incomplete = set(checked.quarantined.loc[checked.quarantined["rule"] == "day_missing", "file"])
    with waiting_lock(lake.lock_path("collect")):
        notes = lake.archive.take(week, [file for file in arrived.files if file.name not in incomplete])
        return notes + lake.archive.return_changed()


def accept(lake: Lake, week: date, why: str, by: str, at: datetime) -> Acceptance:
    """Record that somebody lets the week go on with its gaps."""
    accepted = Acceptance(by, why, at.isoformat(timespec="seconds"))
    lake.acceptances.write(week, accepted)
    return accepted


def late_files(lake: Lake, week: date, arrived: Arrived) -> dict[date, list[str]]:
    """Names of files of earlier weeks whose forecast was published without them, by week."""
    published = set(lake.forecasts.cutoffs())
    late: dict[date, list[str]] = {}
    for file in arrived.files:
        if file.week in published and file.week < week:
            late.setdefault(file.week, []).append(file.name)
    return late


def _weeks_of_inbox(lake: Lake) -> set[date]:
    return {file.week for file in lake.archive.waiting(lake.reference.week_starts_on) if file.week}


def _waiting(lake: Lake, cutoff: date) -> list[InboxFile]:
    """The files to be collected: of every week up to the cutoff, and those whose name tells no week."""
    files = lake.archive.waiting(lake.reference.week_starts_on)
    return [file for file in files if file.week is None or file.week <= cutoff]


def _assess(lake: Lake, week: date, checked: Validated, spec: GateSpec, at: datetime) -> CompletenessReport:
    taken = completeness.check_completeness(
        merge_newer(lake.sales.read(week), checked.sales), week, checked.missing_days
    )
    is_closed = at >= spec.deadline
    accepted = lake.acceptances.read(week)
    if is_closed and spec.below_minimum == "go_on" and not accepted:
        accepted = Acceptance("the option below_minimum", "the deadline has passed", at.isoformat(timespec="seconds"))
    return completeness.gate(taken, min_reporting=spec.min_reporting, is_closed=is_closed, accepted=accepted)


def completeness_summary(completeness: CompletenessReport, checked: Validated) -> dict[str, Any]:
    """What came in, for the receipt."""
    return {
        "completeness": completeness.as_dict(),
        "rows_in": checked.rows_in,
        "rows_accepted": checked.accepted,
        "rows_dropped": checked.dropped,
        "rows_quarantined": len(checked.quarantined),
        "quarantined_by_rule": checked.quarantined_by_rule,
        "rows_corrected": sum(checked.corrected_by_week.values()),
        "corrected_by_week": {str(corrected): rows for corrected, rows in checked.corrected_by_week.items()},
    }
