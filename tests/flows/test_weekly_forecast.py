"""The weekly run on the real data, through a real Prefect server and a real Dask cluster.

Where a test asks what is taken in and what is published, its own process computes the forecasts, without Prefect.
"""

import errno
import os
import shutil
from functools import partial
from getpass import getuser
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pandas as pd
import psutil
import pytest

from flows import weekly_forecast as module
from flows.prefect_tasks import run_flow
from flows.weekly_forecast import weekly_forecast
from forecasting.compute import ClusterUsage
from forecasting.contracts.errors import TooManyFallbacks, WeekBusy, WeekNotWhole
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.run_record import Outcome, RunRecord
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.completeness import Incomplete, WeekStatus
from forecasting.pipeline import batch as stages
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.publication import PublishedForecast
from forecasting.pipeline.simulation import simulate
from forecasting.storage.database import DatabaseLoad
from forecasting.storage.lake import Lake
from forecasting.storage.leases import week_lease
from tests.forecasting.compute import partition_functions
from tests.small import compute_in_this_process

pytestmark = pytest.mark.usefixtures("prefect_server")

Result = TypeVar("Result")

WEEK = dominicks_week(136)
# A worker's start is a good part of a short run: where a test is not about the cluster, one is enough.
ONE_WORKER = {"max_concurrency_per_instance": 1}


@pytest.fixture(scope="module")
def ran(simulated_lake_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, RunRecord]:
    """A lake in which the week of 1992-04-16 has been run, and its record; not to be changed."""
    root = tmp_path_factory.mktemp("ran") / "lake"
    shutil.copytree(simulated_lake_template, root)
    return Lake(root), weekly_forecast(lake=str(root))


@pytest.fixture
def run_lake(ran: tuple[Lake, RunRecord], tmp_path: Path) -> Lake:
    """A copy of that lake of one's own."""
    shutil.copytree(ran[0].root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without Dask."""
    compute_in_this_process(monkeypatch, module)


def run(lake: Lake, **options: Any) -> RunRecord:
    """A weekly run without Prefect."""
    parameters = {"lake": str(lake.root), **options}
    return run_flow(weekly_forecast, parameters, why_not="no Prefect is needed", warn=lambda _: None)


def result(record: RunRecord | None, kind: type[Result]) -> Result:
    """A result that the run must have."""
    assert record
    found = record.result(kind)
    assert found
    return found


def test_a_real_week_is_collected_and_forecast(ran: tuple[Lake, RunRecord]) -> None:
    """82 of 83 stores reported; all 913 series are forecast for two weeks, with both intervals."""
    lake, record = ran
    ingested, forecast_of_run = result(record, IngestResult), result(record, PublishedForecast)
    assert record.outcome is Outcome.PUBLISHED
    assert ingested.completeness.status is WeekStatus.CLOSED_WITH_GAPS
    assert (len(ingested.completeness.received), ingested.completeness.missing) == (82, (90,))
    assert ingested.rows_in == ingested.accepted == 4477
    assert (forecast_of_run.series, forecast_of_run.rows, forecast_of_run.fallbacks_by_reason) == (913, 1826, {})
    published = lake.forecasts.read(WEEK)
    assert len(published) == 1826
    assert (published["lo_95"] <= published["lo_80"]).all()
    assert (published["lo_80"] < published["hi_80"]).all()
    assert (published["hi_80"] <= published["hi_95"]).all()
    assert set(published["week"].dt.date) == {dominicks_week(137), dominicks_week(138)}


def test_nothing_is_left_behind(ran: tuple[Lake, RunRecord]) -> None:
    """By pid: no worker of the run lives; the inbox is empty, and neither staging nor scratch holds anything."""
    lake, record = ran
    usage = result(record, ClusterUsage)
    assert len(usage.worker_pids) == 2
    assert usage.left_over == ()
    assert not any(psutil.pid_exists(pid) for pid in usage.worker_pids)
    assert lake.archive.waiting() == []
    for folder in ("staging", "scratch"):
        assert list(Path(lake.root / folder).iterdir()) == [], folder


def test_the_run_record_is_in_the_lake(ran: tuple[Lake, RunRecord]) -> None:
    """What the flow returns is what the lake holds: stages, cluster seconds, rows."""
    lake, record = ran
    assert lake.runs.last() == record
    assert lake.forecasts.run_id(WEEK) == record.run_id
    before = {"collect", "validate", "admit", "monitor", "choose the model", "prepare", "forecast"}
    assert set(record.seconds_by_stage) >= before | {"publish", "report", "observers", "total"}
    assert lake.reports.page_path(WEEK).name == "1992-04-16.html"
    assert lake.reports.page_path(WEEK).exists()
    usage = result(record, ClusterUsage)
    assert 0 < usage.seconds_busy < usage.worker_seconds["computing"] <= 2 * usage.seconds_up
    assert 2 * usage.seconds_up < usage.worker_seconds_provisioned


def test_the_run_equals_a_forecast_without_a_cluster(ran: tuple[Lake, RunRecord]) -> None:
    """One function serves both: the published rows are those of a plain call, to the last bit."""
    lake, _ = ran
    direct = forecast(lake.sales.read(), lake.promotions.read(), ForecastSpec(WEEK))
    pd.testing.assert_frame_equal(lake.forecasts.read(WEEK), direct, check_exact=True)


def test_history_and_forecast_stand_in_one_table(ran: tuple[Lake, RunRecord]) -> None:
    """Pandas and DuckDB read the report: actuals up to the cutoff, forecasts after it."""
    lake, _ = ran
    report = pd.read_parquet(lake.reports.table_path)
    assert report.groupby("kind").size().to_dict() == {"actual": len(lake.sales.read()), "forecast": 1826}
    assert not report.duplicated(["store", "product", "week"]).any()
    query = "SELECT kind, max(week)::VARCHAR, sum(units) > 0 FROM read_parquet(?) GROUP BY kind ORDER BY kind"
    rows = duckdb.execute(query, [str(lake.reports.table_path)]).fetchall()
    assert rows == [("actual", "1992-04-16", True), ("forecast", "1992-04-30", True)]
    query = "SELECT count(*), count(DISTINCT cutoff) FROM read_parquet(?)"
    assert duckdb.execute(query, [str(lake.root / "published" / "*" / "*.parquet")]).fetchall() == [(1826, 1)]


def test_the_same_week_again_changes_nothing(run_lake: Lake) -> None:
    """Same input, options and code: no cluster is started, and the published bytes stay."""
    before = run_lake.forecasts.path(WEEK).read_bytes()
    record = weekly_forecast(lake=str(run_lake.root), database="nowhere")
    assert record.outcome is Outcome.UNCHANGED
    assert record.result(ClusterUsage) is None
    assert run_lake.forecasts.path(WEEK).read_bytes() == before
    # Nor does a database that is not there cost anything but a line.
    loaded = result(record, DatabaseLoad)
    assert "has no entry of this name: nowhere" in str(loaded.error)
    assert result(run_lake.runs.last(), DatabaseLoad) == loaded


def test_the_same_cutoff_gives_the_same_bytes(ran: tuple[Lake, RunRecord], run_lake: Lake) -> None:
    """With all that was published and run removed, one worker gives what two gave, byte for byte."""
    for folder in ("published", "runs", "report"):
        shutil.rmtree(run_lake.root / folder)
    weekly_forecast(lake=str(run_lake.root), cutoff=WEEK, **ONE_WORKER)
    assert run_lake.forecasts.path(WEEK).read_bytes() == ran[0].forecasts.path(WEEK).read_bytes()
    assert run_lake.reports.table_path.read_bytes() == ran[0].reports.table_path.read_bytes()


@pytest.mark.usefixtures("in_this_process")
def test_the_next_run_takes_the_next_week(run_lake: Lake) -> None:
    """A week that the system has not seen is collected; both forecasts stay published."""
    simulate(run_lake)
    record = run(run_lake, model="naive", horizon=1)
    assert record.week == dominicks_week(137)
    assert run_lake.forecasts.cutoffs() == [WEEK, dominicks_week(137)]
    assert len(run_lake.forecasts.read(dominicks_week(137))) == 913


@pytest.mark.usefixtures("in_this_process")
def test_after_an_outage_every_week_is_caught_up(simulated_lake: Lake) -> None:
    """Three weeks wait; the middle one is refused and named. Each forecast knows nothing of the weeks after its own."""
    for _ in range(2):
        simulate(simulated_lake)
    for file in sorted(Path(simulated_lake.inbox).glob("1992-04-23*"))[:20]:
        file.unlink()
    record = weekly_forecast(lake=str(simulated_lake.root), model="naive", horizon=1)
    assert record.week == dominicks_week(138)
    assert simulated_lake.forecasts.cutoffs() == [WEEK, dominicks_week(138)]
    caught_up = simulated_lake.forecasts.read(WEEK)
    snapshot = simulated_lake.snapshot_of(WEEK)
    then = forecast(snapshot.sales, snapshot.promotions, ForecastSpec(WEEK, horizon=1, model="naive"))
    pd.testing.assert_frame_equal(caught_up, then, check_exact=True)
    # Store 90 sent no plan in that week; those that it sent afterwards were not known then.
    assert set(caught_up.loc[~caught_up["promotion_known"], "store"]) == {90}
    planned = simulated_lake.promotions.read()
    assert 90 in set(planned.loc[planned["week"] == pd.Timestamp(dominicks_week(137)), "store"])


@pytest.mark.usefixtures("in_this_process")
def test_late_files_of_a_published_week_are_recorded(run_lake: Lake) -> None:
    """They are taken in with the next week, and the record says which forecast was made without them."""
    simulate(run_lake)
    late = next(Path(run_lake.inbox).glob("*_store-012.csv"))
    (run_lake.inbox / f"{WEEK}_store-090.csv").write_text(
        late.read_text().replace("\n12,", "\n90,").replace(f",{dominicks_week(137)},", f",{WEEK},")
    )
    record = run(run_lake, model="naive", horizon=1)
    assert result(record, IngestResult).late_files == {WEEK: (f"{WEEK}_store-090.csv",)}


@pytest.mark.usefixtures("in_this_process")
def test_a_week_with_too_few_stores_is_refused(run_lake: Lake) -> None:
    """The error names the stores; the week before stays published, and the lake and its inbox as they were."""
    simulate(run_lake)
    for file in sorted(Path(run_lake.inbox).glob("*.csv"))[:10]:
        file.unlink()
    before = run_lake.forecasts.path(WEEK).read_bytes()
    waiting = [file.name for file in run_lake.archive.waiting()]
    with pytest.raises(WeekNotWhole, match="10 expected stores are missing.*store 2; store 5.*--accept-gaps"):
        run(run_lake)
    assert run_lake.forecasts.path(WEEK).read_bytes() == before
    assert [file.name for file in run_lake.archive.waiting()] == waiting
    assert run_lake.sales.weeks()[-1] == WEEK
    failed = run_lake.runs.last()
    assert failed
    assert failed.outcome is Outcome.FAILED

    accepted = run(run_lake, model="mean", accept_gaps="strike in ten stores")
    assert result(accepted, IngestResult).completeness.status is WeekStatus.ACCEPTED_WITH_GAPS
    decision = run_lake.completeness.read(dominicks_week(137)).accepted
    assert decision
    assert (decision.why, decision.by) == ("strike in ten stores", getuser())


@pytest.mark.usefixtures("in_this_process")
def test_late_and_corrected_stores_are_taken_in_by_running_their_week_again(
    simulated_lake: Lake, tmp_path: Path
) -> None:
    """Without a new week the last one is run again: its input has changed, and what changed is recorded."""
    late, other = sorted(Path(simulated_lake.inbox).iterdir())[:2]
    shutil.move(late, tmp_path / late.name)
    corrected = other.read_text().splitlines()
    first = run(simulated_lake, model="naive")
    then = simulated_lake.snapshot_of(WEEK)
    shutil.move(tmp_path / late.name, late)
    store, product, week, units, *promotion = corrected[1].split(",")
    corrected[1] = ",".join([store, product, week, str(int(units) + 640), *promotion])
    other.write_text("\n".join(corrected) + "\n")
    second = run(simulated_lake, model="naive")
    ingested, published = result(second, IngestResult), result(second, PublishedForecast)
    assert ingested.corrected_by_week == {WEEK: 1}
    (kept,) = simulated_lake.corrections.read(WEEK).itertuples()
    assert (kept.store, kept.product, kept.units_after - kept.units_before) == (int(store), int(product), 640)
    assert published.revision
    biggest = [(revised.store, revised.product) for revised in published.revision.biggest]
    assert (int(store), int(product)) in biggest
    assert {changed for changed, _ in biggest} == {2, int(store)}
    assert result(first, PublishedForecast).revision is None
    now = simulated_lake.snapshot_of(WEEK)
    assert len(now.sales) > len(then.sales)
    earlier = simulated_lake.snapshot(WEEK, result(first, PublishedForecast).as_of)
    pd.testing.assert_frame_equal(earlier.sales, then.sales)
    pd.testing.assert_frame_equal(earlier.promotions, then.promotions)
    assert first.week == second.week == WEEK
    assert len(ingested.completeness.missing) == len(result(first, IngestResult).completeness.missing) - 1
    assert second.outcome is Outcome.PUBLISHED
    assert simulated_lake.forecasts.run_id(WEEK) == second.run_id != first.run_id


def test_an_inbox_that_cannot_be_written_costs_no_forecast(
    simulated_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The week is published; record and log name the files, the cause and the remedy. The next run reads nothing."""
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.parent == simulated_lake.inbox.path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    record = weekly_forecast(lake=str(simulated_lake.root), model="naive", horizon=1, **ONE_WORKER)
    assert record.outcome is Outcome.PUBLISHED
    (note,) = result(record, IngestResult).notes
    assert "could not be moved out of the inbox (Permission denied): it is remembered" in note
    assert f"let the forecast's user write {simulated_lake.inbox}, or remove the file" in note
    again = weekly_forecast(lake=str(simulated_lake.root), model="naive", horizon=1, **ONE_WORKER)
    ingested = result(again, IngestResult)
    assert (again.outcome, ingested.rows_in, ingested.notes) == (Outcome.UNCHANGED, 0, ())


@pytest.mark.usefixtures("in_this_process")
def test_bad_rows_are_quarantined_and_the_week_goes_on(simulated_lake: Lake) -> None:
    """One store with bad rows is named; its rows are kept with their rules, and its series are still forecast."""
    file = sorted(Path(simulated_lake.inbox).iterdir())[0]
    lines = file.read_text().splitlines()
    lines[1] = lines[1].replace("2,1,1992-04-16,", "2,1,1992-04-16,-")
    lines[2] = "2;2;1.234,5"
    lines[3] = lines[3].replace("2,3,", "007,3,")
    file.write_text("\n".join(lines) + "\n")
    record = run(simulated_lake, model="mean")
    ingested = result(record, IngestResult)
    assert ingested.quarantined_by_rule == {"cut_row": 1, "negative": 1, "not_a_number": 1}
    assert ingested.rows_in == ingested.accepted + ingested.duplicates + ingested.quarantined
    assert ingested.completeness.incomplete == (Incomplete(2, products=(1, 2, 3)),)
    quarantined = simulated_lake.quarantine.read(WEEK)
    assert quarantined[["line", "rule"]].to_numpy().tolist() == [[2, "negative"], [3, "cut_row"], [4, "not_a_number"]]
    assert len(simulated_lake.forecasts.read(WEEK)) == 1826


def test_a_second_run_of_the_week_is_refused_as_busy(simulated_lake: Lake) -> None:
    """The error names the holder, and nothing is touched."""
    with (
        week_lease(simulated_lake.lock(str(WEEK)), WEEK),
        pytest.raises(WeekBusy, match=f"1992-04-16 is busy.*process {os.getpid()}"),
    ):
        weekly_forecast(lake=str(simulated_lake.root))
    assert simulated_lake.forecasts.cutoffs() == []


def test_too_many_failures_refuse_the_week(simulated_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above `error_threshold` nothing is published, and no process is left."""
    monkeypatch.setattr(stages, "forecast_part", partition_functions.raise_always)
    with pytest.raises(TooManyFallbacks, match="at least 5[1-9] series failed where error_threshold allows 50"):
        weekly_forecast(lake=str(simulated_lake.root), model="naive", mini_batch_size=500, **ONE_WORKER)
    assert simulated_lake.forecasts.cutoffs() == []
    record = simulated_lake.runs.last()
    assert record
    assert record.outcome is Outcome.FAILED
    assert not result(record, ClusterUsage).left_over


def test_workers_killed_in_mid_run_do_not_change_the_result(
    ran: tuple[Lake, RunRecord], run_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both workers are killed while the default model computes: the published bytes are those of a quiet run."""
    for folder in ("published", "runs", "report"):
        shutil.rmtree(run_lake.root / folder)
    monkeypatch.setattr(stages, "forecast_part", partial(partition_functions.die_twice, folder=tmp_path))
    record = weekly_forecast(lake=str(run_lake.root), cutoff=WEEK)
    assert {path.name for path in tmp_path.iterdir()} == {"lake", "first", "second"}
    assert result(record, ClusterUsage).lost_tasks >= 2
    assert result(record, PublishedForecast).fallbacks_by_reason == {}
    assert run_lake.forecasts.path(WEEK).read_bytes() == ran[0].forecasts.path(WEEK).read_bytes()
