"""What surrounds the stages of a run: its record and its observers, however it ends."""

from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from flows import run as module
from flows.observers import Recorder, RunObserver
from flows.options import WeeklyOptions
from flows.prefect_tasks import report_to_run, stage
from flows.run import dask_cluster, observed
from forecasting.compute import ClusterUsage
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import RunError
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.contracts.spec import ClusterSpec, ForecastSpec
from forecasting.core.folds import Folds
from forecasting.pipeline.baseline import BaselineResult
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.report import ReportResult
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import published_of
from tests.small import compute_in_this_process

SPEC = ForecastSpec(date(1992, 4, 16))
weekly_forecast = import_module("flows.weekly_forecast")


@pytest.fixture(autouse=True)
def without_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages are called as the plain functions that they are."""
    monkeypatch.setattr("flows.prefect_tasks._alone", type("Alone", (), {"get": staticmethod(lambda: True)}))


def last_record(root: Path) -> RunRecord:
    record = Lake(root).runs.last()
    assert record
    return record


def test_a_failed_run_is_recorded_with_the_error(tmp_path: Path) -> None:
    """The error, the results and the seconds of the stages up to there stand in the lake."""

    def choose() -> ModelChoice:
        return ModelChoice("mean", "always")

    def break_off() -> None:
        raise RunError("It broke", "mend it")

    def break_in_mid_run() -> None:
        with observed(SPEC, [Recorder(Lake(tmp_path))]):
            stage(choose, name="choose the model")()
            stage(break_off, name="forecast")()

    with pytest.raises(RunError, match="It broke"):
        break_in_mid_run()
    record = last_record(tmp_path)
    assert record.outcome is Outcome.FAILED
    assert record.error
    assert (record.error.type, record.error.sentence) == ("RunError", "It broke; mend it.")
    assert record.spec.model == "mean"
    assert record.result(ModelChoice) == ModelChoice("mean", "always")
    assert set(record.seconds_by_stage) == {"choose the model", "forecast", "observers", "total"}


@pytest.mark.parametrize(("is_new", "outcome"), [(True, Outcome.PUBLISHED), (False, Outcome.UNCHANGED)])
def test_a_stop_after_the_forecast_was_published_does_not_undo_it(
    tmp_path: Path, is_new: bool, outcome: Outcome
) -> None:
    """While the database is loaded: the record has the outcome, and what ended the run."""
    published = published_of(tmp_path / "forecast.parquet", is_new=is_new, rows=2)

    def stop_after_publishing() -> None:
        with observed(SPEC, [Recorder(Lake(tmp_path))]) as run:
            run.stage_finished(published)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_after_publishing()
    record = last_record(tmp_path)
    assert record.outcome is outcome
    assert record.result(type(published)) == published
    assert record.error
    assert record.error.type == "KeyboardInterrupt"


def test_a_good_run_keeps_its_results(tmp_path: Path) -> None:
    """What is read back is what the stages returned."""
    published, reported = (
        published_of(tmp_path / "forecast.parquet", rows=2),
        ReportResult(str(tmp_path / "r"), SPEC.cutoff),
    )
    with observed(SPEC, [Recorder(Lake(tmp_path))]) as run:
        run.stage_finished(published)
        run.stage_finished(reported)
    record = last_record(tmp_path)
    assert record == run.record
    assert (record.outcome, record.week, record.error) == (Outcome.PUBLISHED, SPEC.cutoff, None)
    assert (record.result(type(published)), record.result(ReportResult)) == (published, reported)


def test_tables_for_the_next_stage_are_not_recorded(tmp_path: Path) -> None:
    """Their stage is timed all the same."""
    with observed(SPEC, [Recorder(Lake(tmp_path))]):
        assert stage(lambda: object(), name="collect", is_recorded=False)()
    record = last_record(tmp_path)
    assert record.results == {}
    assert "collect" in record.seconds_by_stage


def test_an_observer_that_fails_costs_a_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At every moment; the run and the other observers go on."""

    class Broken(RunObserver):
        def run_started(self, record: RunRecord) -> None:
            raise OSError("started")

        def stage_finished(self, result: object, record: RunRecord) -> None:
            raise KeyError("finished")

        def run_finished(self, record: RunRecord) -> None:
            raise RunError("It broke", "mend it")

    with observed(SPEC, [Broken(), Recorder(Lake(tmp_path))]) as run:
        run.stage_finished(ModelChoice("mean", "always"))
    assert last_record(tmp_path).result(ModelChoice)
    assert caplog.messages == [
        f"The run goes on, but its Broken failed: {why}"
        for why in ("OSError: started", "KeyError: 'finished'", "It broke; mend it.")
    ]


def test_what_a_cluster_did_is_recorded_also_where_the_forecast_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the cluster has ended."""
    compute_in_this_process(monkeypatch, module, "start_cluster")

    def refuse() -> None:
        with (
            observed(SPEC, [Recorder(Lake(tmp_path))]),
            dask_cluster(ClusterSpec(), Lake(tmp_path), "a test") as cluster,
        ):
            monkeypatch.setattr(cluster, "_tasks", 3)
            raise RunError("It broke", "mend it")

    with pytest.raises(RunError):
        refuse()
    usage = last_record(tmp_path).result(ClusterUsage)
    assert usage
    assert usage.tasks == 3


def test_outside_a_run_there_is_nothing_to_report_to() -> None:
    """Such as a baseline that is built after the run."""
    report_to_run(ModelChoice("mean", "always"))


def test_a_week_that_fails_after_it_published_counts_as_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop over the weeks returns the record that the lake has; of a week that never began there is none yet."""
    published = published_of(tmp_path / "forecast.parquet", rows=2)
    lake, weeks = Lake(tmp_path), [SPEC.cutoff, SPEC.cutoff + WEEK]

    def run_flow(_flow: object, parameters: dict[str, Any]) -> RunRecord:
        if parameters["cutoff"] == weeks[0]:
            with observed(SPEC, [Recorder(lake)]) as run:
                run.stage_finished(published)
                raise RunError("The report broke", "mend it")
        raise RunError("It broke", "mend it")

    monkeypatch.setattr(module, "run_flow", run_flow)
    records, errors = module.run_weeks(None, lake, weeks, WeeklyOptions())  # type: ignore[arg-type]
    assert [record.outcome for record in records] == [Outcome.PUBLISHED, Outcome.FAILED]
    assert records[0] == last_record(tmp_path)
    assert [record.error.sentence for record in records if record.error] == [str(error) for error in errors]


def test_the_baseline_is_part_of_the_record_in_the_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it is built after the run, when its record was written for the first time."""
    lake, folds = Lake(tmp_path), Folds((SPEC.cutoff,), 1)
    with observed(SPEC, [Recorder(lake)]) as run:
        pass
    compute_in_this_process(monkeypatch, module, "start_cluster")
    monkeypatch.setattr("forecasting.pipeline.baseline.folds_due", lambda *_: folds)
    monkeypatch.setattr(weekly_forecast, "build_baseline", lambda *_: BaselineResult(52))
    record = weekly_forecast.with_baseline(lake, run.record, WeeklyOptions())
    assert record.result(BaselineResult) == BaselineResult(52)
    assert last_record(tmp_path) == record


def test_a_run_that_has_lost_its_week_begins_no_further_stage(tmp_path: Path) -> None:
    """Another run has taken over: this one must not publish beside it."""
    begun = []

    def lost() -> None:
        raise RunError("Another run has taken over", "see its record")

    def run_on() -> None:
        with observed(SPEC, [Recorder(Lake(tmp_path))]) as run:
            stage(lambda: begun.append("forecast"), name="forecast", is_recorded=False)()
            run.may_go_on = lost
            stage(lambda: begun.append("publish"), name="publish", is_recorded=False)()

    with pytest.raises(RunError, match="taken over"):
        run_on()
    assert begun == ["forecast"]
    assert last_record(tmp_path).outcome is Outcome.FAILED
