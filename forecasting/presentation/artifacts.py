"""The Markdown artifacts of a run's page in the Prefect UI: pure functions of the view model."""

import base64
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from forecasting.contracts.errors import DataError, ForecastingError, OptionError, SchemaError, WeekNotWhole
from forecasting.contracts.panel_definition import PanelDefinition, readable
from forecasting.contracts.run_record import RunRecord
from forecasting.core.report import RECENT_WEEKS, weekly_totals
from forecasting.pipeline.publication import PublishedForecast
from forecasting.presentation import words
from forecasting.presentation.facts import Fact, Grid, StageView
from forecasting.presentation.highlights import point_warning
from forecasting.presentation.markdown import Align, block, code, facts, table, text
from forecasting.presentation.stages import describe
from forecasting.presentation.view import RunView, run_facts, seconds_of
from forecasting.storage.lineage import LineageStep
from forecasting.storage.location import Location

MOVERS = 5  # rises, and as many drops
MOST_FALLBACKS = 50
NO_PAGE = "The page for people could not be written; try again: `oj report`"

# Who must act, by the family of the error.
WHO = {
    SchemaError: "Whoever produced the table must act.",
    DataError: "Whoever sent the data must act.",
    WeekNotWhole: "The missing files must be sent, or a person must accept the gaps: in this UI, by a custom "
    "run of the deployment with a reason in the field *Accept gaps*.",
    OptionError: "Whoever started the run must act.",
}
OPERATOR = "Whoever operates the forecast must act."


@dataclass(frozen=True)
class Artifact:
    """A Markdown artifact: its key, what a list of artifacts says of it, and its text."""

    key: str
    description: str
    markdown: str


def stage_artifacts(result: object, record: RunRecord) -> list[Artifact]:
    """Return what a run's page shows of a stage that has finished; nothing where there is nothing to say."""
    stage = describe(result, record)
    return [Artifact(stage.key, stage.title, _stage(stage))] if stage.facts else []


def run_artifacts(view: RunView) -> list[Artifact]:
    """Return what a run's page shows of a run that ended well."""
    found = [Artifact("headline", "What is expected next week", _headline(view))]
    if view.fallbacks:
        found.append(Artifact("fallbacks", "The series on fallback, and why", _fallbacks(view)))
    found += [
        Artifact("results", "The files of the run, and how to open them", _results(view)),
        Artifact("lineage", "From the files that were sent to the report", _lineage(view)),
        Artifact("record", "What the run was, and where its seconds went", _record(view.record)),
    ]
    return found


def failure_artifact(error: BaseException) -> Artifact:
    """Return what a run's page shows of the error that ended it: what went wrong, who must act, and how."""
    if isinstance(error, ForecastingError):
        what, _, remedy = str(error).rpartition("; ")
        who = next((who for family, who in WHO.items() if isinstance(error, family)), OPERATOR)
        parts = [f"{text(what or remedy)}.", "## What to do", text(words.sentence(remedy)), who]
    else:
        parts = [
            "An error that the code does not expect, from the code, the machine or a library:",
            block("", f"{type(error).__name__}: {error}"),
            "## What to do",
            "Run the week again: it continues from the last finished partition. If it fails again, report the error "
            "with the last lines of the run's log.",
        ]
    end = "Forecasts that were published before stay published. Nothing has to be cleaned up."
    return Artifact("what-to-do", "What went wrong, and what to do", "\n\n".join(["## What went wrong", *parts, end]))


def _stage(stage: StageView) -> str:
    parts = [f"## {text(stage.title)}", _facts(stage.facts), *map(_grid, stage.grids), *map(text, stage.notes)]
    return "\n\n".join(parts)


def _facts(found: Sequence[Fact]) -> str:
    return facts([(text(fact.name), _value(fact)) for fact in found])


def _value(fact: Fact) -> str:
    return f"{text(fact.text)}: {code(words.address(fact.path))}" if fact.path else text(fact.text)


def _grid(grid: Grid) -> str:
    align: list[Align] = ["right" if column in grid.numbers else "left" for column in grid.head]
    rows = table([text(column) for column in grid.head], [[text(cell) for cell in row] for row in grid.rows], align)
    return f"### {text(grid.title)}\n\n{rows}"


def _headline(view: RunView) -> str:
    from forecasting.presentation.chart import total_chart  # matplotlib takes most of a second to import

    totals = weekly_totals(view.report)
    image = base64.b64encode(total_chart(totals, view.panel.units)).decode()
    parts = [
        f"## {text(view.headline.text)}",
        f"![{text(_chart_in_words(totals, view.panel))}](data:image/png;base64,{image})",
        *filter(None, [text(point_warning(view.record.spec.point))]),
        f"## Biggest changes in the week of {words.day(view.headline.expected.week)}",
        _movers(view),
        f"In {text(view.panel.units)}. *recent*: mean of the last {RECENT_WEEKS} weeks; *80 %*: the interval that "
        "contains the actual in four weeks of five.",
    ]
    return "\n\n".join(parts)


def _chart_in_words(totals: pd.DataFrame, panel: PanelDefinition) -> str:
    """Return the chart for readers who cannot see it."""
    sold, expected = (totals[totals["kind"] == kind] for kind in ("actual", "forecast"))
    forecasts = ", ".join(f"{row.week:%Y-%m-%d}: {words.amount(panel, row.units)}" for row in expected.itertuples())
    last = sold.iloc[-1]
    return (
        f"{words.capital(panel.units)} of all series by week, from {sold['week'].iloc[0]:%Y-%m-%d}. "
        f"Last sold, {last['week']:%Y-%m-%d}: {words.amount(panel, last['units'])}. Expected, {forecasts}."
    )


def _movers(view: RunView) -> str:
    rows = [
        (
            text(readable(mover.store)),
            text(mover.product_name),
            words.amount(view.panel, mover.recent),
            f"**{words.amount(view.panel, mover.expected)}**",
            mover.interval,
            text(mover.plan),
        )
        for mover in view.movers(MOVERS)
    ]
    head = [text(view.panel.store.word), text(view.panel.product.word), "recent", "expected", "80 %", "plan"]
    return table(head, rows, ["right", "left", "right", "right", "right", "left"])


def _fallbacks(view: RunView) -> str:
    found = view.fallbacks
    rows = [
        (text(readable(each.store)), text(each.product_name), text(each.reason), text(each.why))
        for each in found[:MOST_FALLBACKS]
    ]
    head = [text(view.panel.store.word), text(view.panel.product.word), "reason", ""]
    more = len(found) - MOST_FALLBACKS
    left_out = f"{more:,} more are in the published table's column `reason`. " if more > 0 else ""
    return "\n\n".join(
        [
            f"## {words.series(len(found))} on fallback",
            table(head, rows, ["right", "left", "left", "left"]),
            f"{left_out}A fallback forecast takes every past week of the series as equally probable.",
        ]
    )


def _results(view: RunView) -> str:
    published = view.record.result(PublishedForecast)
    table_path = view.lake.reports.table_path.address
    records = view.lake.root / "run_records" / str(view.record.week)
    sha256 = {step.name: step.sha256 for step in view.origins}
    parts = []
    if published:
        path = words.address(published.path)
        parts += [
            "## Forecast",
            f"{words.count(published.rows, 'row')}, one per {view.panel.store.word}, {view.panel.product.word} and "
            "week, with the forecast and its intervals:",
            block("python", f"import pandas as pd\npd.read_parquet({path!r})"),
            f"sha256 {code(sha256['forecast'])}",
        ]
    page = f"For people, to be opened in a browser: {code(_uri(view.page))}" if view.page else NO_PAGE
    return "\n\n".join(
        [
            *parts,
            "## Report",
            page,
            "History and forecast in one table, for reporting tools that read Parquet:",
            block("python", f"import duckdb\nduckdb.read_parquet({table_path!r})"),
            f"sha256 {code(sha256['report'])}",
            "## Run records",
            f"What each run of the week did, published or not, is kept in {code(records.address)}.",
        ]
    )


def _lineage(view: RunView) -> str:
    published, root, spec = view.record.result(PublishedForecast), view.lake.root.address, view.record.spec
    parts = [
        f"## From the files that were sent to the report, {words.week_of(spec.cutoff)}",
        f"All in the lake {code(root)}. Each step is made from the ones above it.",
        table(
            ["what", "files", "rows", "where", "sha256"],
            [_origin(origin) for origin in view.origins],
            ["left", "right", "right"],
        ),
    ]
    if published:
        partitions = words.count(published.partitions, "partition")
        parts.append(
            f"Between the tables and the forecast: {words.series(published.series)} in {partitions}, each forecast by "
            f"{code(spec.model)}. Run id {code(published.run_id)}, a hash of input, options and code: the same id "
            "stands for the same forecast."
        )
    parts += [
        "To check a hash, which is that of the files one after the other, in the order of their names:",
        block("sh", f"cat {shlex.quote(root)}/sales/*.parquet | sha256sum"),
    ]
    return "\n\n".join(parts)


def _uri(page: Location) -> str:
    return page.path.resolve().as_uri() if page.path else str(page)


def _origin(origin: LineageStep) -> tuple[str, ...]:
    rows = "" if origin.rows is None else f"{origin.rows:,}"
    folder = code(f"{origin.folder.key}/")
    return text(origin.name), f"{origin.files:,}", rows, folder, code(origin.sha256[:12])


def _record(record: RunRecord) -> str:
    seconds = [(text(part), f"{value:.1f}") for part, value in seconds_of(record)]
    seconds.append(("**in all**", f"**{sum(value for _, value in seconds_of(record)):.1f}**"))
    return "\n\n".join(
        [
            "## Run",
            _facts(run_facts(record)),
            "## Seconds",
            table(["stage", "seconds"], seconds, ["left", "right"]),
        ]
    )
