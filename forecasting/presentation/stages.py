"""What each stage of a run did, as facts: one entry in `DESCRIPTIONS` for each class of results.

A new stage adds its entry here. Terminal, log, Prefect artifacts and the HTML page lay out what the entry gives; a
result without an entry is shown field by field.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from forecasting.compute.usage import ClusterUsage
from forecasting.contracts.panel_definition import PanelDefinition, readable
from forecasting.contracts.run_record import RunRecord, adapter, result_name
from forecasting.core.completeness import CompletenessReport, WeekStatus
from forecasting.core.revision import Revision
from forecasting.pipeline.baseline import BaselineResult
from forecasting.pipeline.challengers import Evaluation
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.monitoring import MonitoringResult, StepScores
from forecasting.pipeline.publication import PublishedForecast
from forecasting.pipeline.report import ReportResult
from forecasting.presentation import words
from forecasting.presentation.facts import Fact, Grid, StageView, Tone
from forecasting.storage.database import DatabaseLoad

STATUS = {
    WeekStatus.OPEN: ("open", "The week is not decided yet."),
    WeekStatus.WAITING: ("waiting", "The run waits for the missing {stores} until the deadline."),
    WeekStatus.WHOLE: ("whole", "Every expected {store} has reported."),
    WeekStatus.CLOSED_WITH_GAPS: (
        "closed with gaps",
        "The deadline has passed, and enough of the expected {stores} have reported.",
    ),
    WeekStatus.ACCEPTED_WITH_GAPS: (
        "accepted with gaps",
        "Fewer {stores} than needed have reported, and a person accepted that.",
    ),
}


def describe(result: object, record: RunRecord) -> StageView:
    """Return what a stage's result says, for people."""
    for kind, description in DESCRIPTIONS.items():
        if isinstance(result, kind):
            return description(result, record)
    return _of_fields(result_name(type(result)), adapter(type(result)).dump_python(result, mode="json"))


def stages_of(record: RunRecord) -> tuple[StageView, ...]:
    """Return the stages of a run that have finished, in their order."""
    kinds = {result_name(kind): kind for kind in DESCRIPTIONS}
    return tuple(
        describe(record.result(kinds[name]), record) if name in kinds else _of_fields(name, plain)
        for name, plain in record.results.items()
    )


def status(report: CompletenessReport, panel: PanelDefinition) -> tuple[str, str]:
    """Return what was decided about a week, in short and as a sentence."""
    short, long = STATUS[report.status]
    return short, long.format(store=panel.store.word, stores=panel.store.words)


def collected(report: CompletenessReport, panel: PanelDefinition) -> str:
    """Return how many of the expected stores have reported, and what was decided."""
    store = panel.store
    expected = words.count(len(report.expected), f"expected {store.word}", f"expected {store.words}")
    return f"{len(report.expected) - report.n_gaps:,} of {expected} have reported: {status(report, panel)[0]}"


def revised(revision: Revision, panel: PanelDefinition) -> str:
    """Return how far a forecast differs from the one that it replaced."""
    if not (revision.series_changed or revision.series_new or revision.series_gone):
        return f"nothing by more than one {panel.unit}, against the forecast that it replaces"
    total = f"{words.amount(panel, revision.total_before)} → {words.amount(panel, revision.total_after)}"
    parts = [f"{words.series(revision.series_changed)} by more than one {panel.unit}; in all {total}"]
    if revision.series_new or revision.series_gone:
        parts.append(f"{revision.series_new:,} series are new, {revision.series_gone:,} are gone")
    parts += [
        f"most: {panel.named((most.store, most.product))}, {words.week_of(most.week)}: "
        f"{words.amount(panel, most.before)} → {words.amount(panel, most.after)}"
        for most in revision.biggest[:1]
    ]
    return "; ".join(parts)


def _ingest(result: IngestResult, record: RunRecord) -> StageView:
    report, panel = result.completeness, record.spec.definition
    named = report.gaps(panel)
    facts = [
        Fact("collected", collected(report, panel)),
        Fact(
            "rows",
            f"{result.rows_in:,} = {result.accepted:,} accepted + {result.duplicates:,} duplicates + "
            + (f"{sum(result.passed_over.values()):,} passed over + " if result.passed_over else "")
            + f"{result.quarantined:,} quarantined",
        ),
    ]
    if result.passed_over:
        facts.append(Fact("passed over", words.counts(result.passed_over)))
    if result.unsold:
        facts.append(Fact("not sold", f"{words.count(result.unsold, 'cell')} that files leave out: 0 {panel.units}"))
    new = ((result.new_stores, panel.store), (result.new_products, panel.product))
    facts += [Fact("new", f"{key.words} {words.named([readable(each) for each in ids])}") for ids, key in new if ids]
    if named:
        facts.append(Fact("gaps", words.named(named), Tone.WARNING))
    if report.accepted:
        facts.append(Fact("accepted", f"by {report.accepted.by}: {report.accepted.why}"))
    if result.quarantined_by_rule:
        facts.append(Fact("quarantined", words.counts(result.quarantined_by_rule), Tone.WARNING))
    if result.corrected_by_week:
        weeks = ", ".join(f"{rows:,} of the {words.week_of(week)}" for week, rows in result.corrected_by_week.items())
        facts.append(Fact("corrected", f"rows with other units than before: {weeks}; the lake keeps both"))
    for week, files in result.late_files.items():
        facts.append(Fact("late files", f"{words.week_of(week)}: {words.named(files)}", Tone.WARNING))
    facts += [Fact("inbox", note, Tone.WARNING) for note in result.notes]
    gaps: tuple[Grid, ...] = ()
    if len(named) > words.MOST_NAMED:
        title = f"{words.capital(panel.store.words)} with gaps"
        gaps = (Grid(title, (panel.store.word,), tuple((gap,) for gap in named)),)
    notes = (
        status(report, panel)[1],
        f"A {panel.store.word} is expected where it sold something in the four weeks before. Every row is accepted, a "
        "duplicate or quarantined; quarantined rows are kept in the lake's folder quarantine, with the rule that they "
        "broke.",
    )
    title = f"What was expected of the {words.week_of(report.week)}, and what arrived"
    return StageView("completeness", title, tuple(facts), gaps, notes)


def _monitoring(result: MonitoringResult, _record: RunRecord) -> StageView:
    facts = [Fact("alarm", alarm.sentence, Tone.ALARM) for alarm in result.alarms]
    facts += [
        Fact("accuracy", f"{words.week_of(result.week)}, {words.ahead(step)}: {_accuracy(scores)}")
        for step, scores in result.steps.items()
        if result.week
    ]
    if result.error:
        facts.append(Fact("monitoring", f"failed: {result.error}", Tone.WARNING))
    grids, notes = [], []
    if result.steps:
        rows = tuple(
            (
                words.ahead(step),
                *(words.percent(share, 1) for share in (scores.wape, scores.naive_wape, scores.bias)),
                *(words.percent(share, 1) for share in scores.coverage.values()),
            )
            for step, scores in result.steps.items()
        )
        levels = next(iter(result.steps.values())).coverage
        numbers = ("WAPE", "naive", "bias", *(f"in {level} %" for level in levels))
        grids.append(Grid("Accuracy", ("forecast", *numbers), rows, frozenset(numbers)))
        notes += [
            "Of the forecasts that were published before. WAPE: sum of the absolute errors over the sum of sales; "
            "naive: the same of the last observed week; in 80 %: share of the actuals inside that interval.",
            "The model is compared with the baseline of its backtest."
            if result.is_monitored
            else "The model has no baseline yet, so drift is not detected.",
        ]
    return StageView("monitoring", "Accuracy of past forecasts", tuple(facts), tuple(grids), tuple(notes))


def _accuracy(scores: StepScores) -> str:
    naive, bias = words.percent(scores.naive_wape, 1), words.percent(scores.bias, 1)
    return f"WAPE {words.percent(scores.wape, 1)} (naive {naive}), bias {bias}"


def _baseline(result: BaselineResult, _record: RunRecord) -> StageView:
    built = f"built from a backtest of {words.count(result.folds, 'past week')}; drift is monitored from now on"
    return StageView("baseline", "The baseline of the monitor", (Fact("baseline", built),))


def _model(choice: ModelChoice, _record: RunRecord) -> StageView:
    facts = []
    if choice.version:
        facts.append(Fact("model", f"{choice.model} {choice.version}, trained on weeks up to {choice.trained_until}"))
    if choice.evaluation:
        facts.append(Fact("challengers", evaluated(choice.evaluation, choice.alarm)))
    if choice.error:
        facts.append(Fact("challengers", f"the evaluation failed: {choice.error}", Tone.WARNING))
    return StageView("model", "How the model was chosen", tuple(facts))


def evaluated(evaluation: Evaluation, alarm: str | None = None) -> str:
    """Return the outcome of a challenger evaluation, and the alarm that it answered."""
    comparison = evaluation.candidates.get(evaluation.model)
    if evaluation.promoted:
        outcome = "was promoted"
    elif comparison is None or comparison.is_better:  # a past week got a model of its own
        outcome = "was registered, and not promoted"
    else:
        outcome = "was not better beyond chance"
    cause = f"after an alarm ({alarm}) " if alarm else ""
    return f"{cause}{evaluation.model} {outcome}: {evaluation.why}"


def _published(result: PublishedForecast, record: RunRecord) -> StageView:
    spec = record.spec
    failed = sum(result.fallbacks_by_reason.values())
    how = f"{words.series(result.series)} × {words.count(spec.horizon, 'week')} by {spec.model} ({spec.point})"
    facts = [Fact("forecast", how + ("" if failed else ", none on fallback"))]
    if failed:
        facts.append(Fact("on fallback", words.counts(result.fallbacks_by_reason), Tone.WARNING))
    if result.rows_without_plan:
        facts.append(Fact("plan", f"not announced for {words.count(result.rows_without_plan, 'row')}"))
    if result.revision:
        facts.append(Fact("revision", revised(result.revision, spec.definition)))
    state = words.count(result.rows, "row") + ("" if result.is_new else ", unchanged")
    facts += [
        Fact("published", state, path=result.path),
        Fact("run id", result.run_id, is_detail=True),
        Fact("as of", f"{result.as_of:%Y-%m-%d %H:%M:%S} UTC", is_detail=True),
    ]
    models = sorted(result.series_by_model.items(), key=lambda item: item[0] != spec.model)
    rows = tuple((model, "asked for" if model == spec.model else "fallback", f"{n:,}") for model, n in models)
    grids = [Grid("Models", ("model", "role", "series"), rows, frozenset({"series"}))]
    if failed:
        reasons = tuple((name, words.reason(name), f"{n:,}") for name, n in result.fallbacks_by_reason.items())
        grids.append(Grid("Reasons", ("reason", "meaning", "series"), reasons, frozenset({"series"})))
    notes = () if failed else ("No series failed, and none was refused.",)
    return StageView("outcome", "By which model each series was forecast", tuple(facts), tuple(grids), notes)


def _report(result: ReportResult, _record: RunRecord) -> StageView:
    about = f"history and forecast, {words.week_of(result.cutoff)}"
    return StageView("report", "The report of the week", (Fact("report", about, path=result.table),))


def _database(result: DatabaseLoad, _record: RunRecord) -> StageView:
    tone = Tone.WARNING if result.error else Tone.PLAIN
    return StageView("database", "The database", (Fact("database", loaded(result), tone),))


def loaded(result: DatabaseLoad) -> str:
    """Return what a database load did, without a full stop."""
    if result.error:
        return result.error.rstrip(".")
    if not result.rows and not result.weeks:
        return f"{result.target} agrees with the files already"
    tables = words.counts(result.rows) or "only rows removed"
    return f"{result.target} has new rows of {words.count(len(result.weeks), 'week')} ({tables})"


def _cluster(usage: ClusterUsage, record: RunRecord) -> StageView:
    if "://" in usage.kind:
        after, tone = "left to its owner", Tone.PLAIN
    elif usage.left_over:
        after, tone = f"STILL RUNNING: {', '.join(map(str, usage.left_over))}", Tone.ALARM
    else:
        after, tone = "no worker is left", Tone.PLAIN
    workers = words.count(usage.workers, "worker")
    facts = [
        Fact(
            "cluster",
            f"{workers}, started in {usage.seconds_starting:.1f} s, up for {usage.seconds_up:.1f} s, {after}",
            tone,
        ),
        Fact(
            "worker seconds",
            f"{usage.worker_seconds_provisioned:.1f} provisioned: {usage.seconds_busy:.1f} busy, "
            f"{usage.worker_seconds_idle:.1f} idle",
            is_detail=True,
        ),
        Fact("tasks", f"{usage.tasks:,}, of which {usage.lost_tasks:,} were lost or failed", is_detail=True),
    ]
    if usage.cost:
        published = record.result(PublishedForecast)
        each = f", {1000 * usage.cost / published.rows:,.4f} per 1,000 forecasts" if published else ""
        facts.append(Fact("cost", f"{usage.cost:,.4f}{each}"))
    return StageView("cluster", "What the cluster did and cost", tuple(facts))


def _of_fields(name: str, plain: Mapping[str, Any]) -> StageView:
    """Return a result that has no description: each field that says something."""
    readable = name.removesuffix("_result").replace("_", " ")
    return StageView(re.sub("[^a-z0-9]+", "-", name), words.sentence(readable)[:-1], tuple(_fields(readable, plain)))


def _fields(name: str, plain: Mapping[str, Any]) -> Iterator[Fact]:
    for key, value in plain.items():
        if isinstance(value, Mapping):
            yield from _fields(f"{name}: {key.replace('_', ' ')}", value)
        elif value not in (None, "", [], ()):
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            yield Fact(f"{name}: {key.replace('_', ' ')}", text)


DESCRIPTIONS: Mapping[type, Callable[[Any, RunRecord], StageView]] = {
    IngestResult: _ingest,
    MonitoringResult: _monitoring,
    BaselineResult: _baseline,
    ModelChoice: _model,
    ClusterUsage: _cluster,
    PublishedForecast: _published,
    ReportResult: _report,
    DatabaseLoad: _database,
}
