"""The view model of a run: the facts that terminal, log, Prefect artifacts and HTML page lay out."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import PanelDefinition
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.presentation import words
from forecasting.presentation.facts import Fact, StageView, Tone
from forecasting.presentation.highlights import ReportHighlights
from forecasting.presentation.stages import describe, stages_of
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from forecasting.storage.lineage import LineageStep, trace
from forecasting.storage.location import Location

TOTAL = "total"


@dataclass(frozen=True)
class RunView(ReportHighlights):
    """A run that ended well, for people.

    report: table `report` as it is after the run.
    """

    record: RunRecord
    report: pd.DataFrame
    lake: Lake
    panel: PanelDefinition

    @cached_property
    def title(self) -> str:
        """The week, and how its run ended."""
        return words.sentence(words.week_of(self.record.week))[:-1] + f": {self.record.outcome.value}"

    @cached_property
    def stages(self) -> tuple[StageView, ...]:
        return stages_of(self.record)

    @cached_property
    def origins(self) -> list[LineageStep]:
        """What the forecast was made from, file by file; reads the files."""
        return trace(self.lake, self.record.spec)

    @cached_property
    def page(self) -> Location | None:
        """The HTML page of the week; None where it could not be written."""
        path = self.lake.reports.page_path(self.record.week)
        return path if path.exists() else None


def run_view(lake: Lake, record: RunRecord) -> RunView:
    """Return the view of a run that has written its report."""
    definition = lake.reference.definition
    return RunView(record, read_table(lake.reports.table_path, schemas.report(definition)), lake, definition)


def log_lines(result: object, record: RunRecord) -> list[tuple[int, str]]:
    """Return the log lines of a stage's result, each with its logging level."""
    return [(fact.level, line(fact)) for fact in describe(result, record).facts if not fact.is_detail]


def line(fact: Fact) -> str:
    """Return a fact as one line of text."""
    about = f"{fact.path} ({fact.text})" if fact.path else fact.text
    return words.sentence(f"{fact.name}: {about}")


def run_facts(record: RunRecord) -> list[Fact]:
    """Return what is said of the run as a whole."""
    spec = record.spec
    facts = [
        Fact("outcome", f"{record.outcome.value}, {words.week_of(record.week)}"),
        Fact("asked for", f"{words.count(spec.horizon, 'week')} by {spec.model}, the {spec.point} as point"),
        Fact("started", f"{record.started:%Y-%m-%d %H:%M:%S} UTC"),
    ]
    if record.error:
        tone = Tone.ALARM if record.outcome is Outcome.FAILED else Tone.WARNING
        facts.append(Fact("error", record.error.sentence, tone))
    return facts


def seconds_of(record: RunRecord, wall: float | None = None) -> list[tuple[str, float]]:
    """Return the wall seconds of a run by part, without its total.

    Args:
        wall: seconds of the command around the run, where known; the difference is Prefect's.
    """
    stages = {name: seconds for name, seconds in record.seconds_by_stage.items() if name != TOTAL}
    total = record.seconds_by_stage.get(TOTAL, sum(stages.values()))
    around = {} if wall is None else {"Prefect": wall - total}
    return [*{**around, **stages, "cluster up and down": total - sum(stages.values())}.items()]


def seconds_line(record: RunRecord, wall: float | None = None) -> str:
    """Return the wall seconds of a run in one line; parts that took next to nothing are left out."""
    total = record.seconds_by_stage.get(TOTAL, 0.0) if wall is None else wall
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in seconds_of(record, wall) if seconds >= 0.05)
    return f"{total:.1f} s" + (f": {parts}" if parts else "")
