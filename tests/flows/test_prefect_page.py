"""What a run shows in Prefect: its name, artifacts, progress, events, and the error that ends it."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from inspect import signature
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import flow, runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.events import Event, emit_event
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import prefect_page
from flows.prefect_page import PrefectPage, explain_failure, name_run, post, show_progress, with_progress
from flows.prefect_tasks import Timed, stage, stages_of
from forecasting.contracts.errors import DataError
from forecasting.pipeline.monitoring import MonitoringResult
from forecasting.presentation.artifacts import Artifact
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import WEEK, alarm_of, record_of

NOBODY = "http://127.0.0.1:{}/api"


@pytest.mark.usefixtures("prefect_server")
def test_the_state_is_the_sentence_and_the_caller_gets_the_error(caplog: pytest.LogCaptureFixture) -> None:
    """The run's state and its log hold the plain sentence, and no traceback; an artifact says what to do."""
    error = DataError("The lake is dry", "pour water into it")
    runs: list[str] = []

    def break_off() -> None:
        raise error

    breaking = stage(break_off, name="break off")

    @flow
    @explain_failure
    def breaks() -> None:
        runs.append(runtime.flow_run.id)
        with stages_of(Timed()):
            breaking()

    with caplog.at_level(logging.INFO), pytest.raises(DataError) as caught:
        breaks()
    assert caught.value is error
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(runs[0]))
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        keys = {artifact.key for artifact in client.read_artifacts(artifact_filter=of_run)}
    assert (run.state_name, run.state and run.state.message) == ("Failed", "The lake is dry; pour water into it.")
    assert "what-to-do" in keys
    logged = [record for record in caplog.records if record.name == "prefect.task_runs"]
    assert "The lake is dry; pour water into it." in [record.getMessage() for record in logged]
    assert not any(record.exc_info for record in logged)


@pytest.mark.filterwarnings("ignore:Artifact creation outside")
def test_a_server_that_does_not_answer_costs_the_artifact_only(caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on, and the log says that the API refused it."""
    with temporary_settings({PREFECT_API_URL: NOBODY.format(9)}), caplog.at_level(logging.WARNING):
        post(Artifact("completeness", "", "text"))
    assert "Prefect's API refused a call" in caplog.text


@pytest.mark.usefixtures("prefect_server")
def test_a_run_has_one_progress_artifact_which_ends_at_100_percent() -> None:
    """However often it is updated."""
    runs: list[UUID] = []

    @flow
    def shows() -> None:
        runs.append(UUID(runtime.flow_run.id))
        with show_progress("partitions") as on_progress:
            for done in range(4):
                on_progress(done, 3)

    shows()
    with get_client(sync_client=True) as client:
        (artifact,) = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=runs))
        )
    assert (artifact.key, artifact.type, artifact.data) == ("partitions", "progress", 100)


def test_a_stage_with_progress_has_the_signature_without_it() -> None:
    """Prefect binds the arguments of a task by name before it calls it."""

    def count(first: int, *, on_progress: Callable[[int, int], None]) -> int:
        on_progress(0, 1)
        return first

    with temporary_settings({PREFECT_API_URL: NOBODY.format(12)}):
        assert with_progress(count, "folds")(3) == 3
    assert list(signature(with_progress(count, "folds")).parameters) == ["first"]


@pytest.mark.usefixtures("prefect_server")
def test_a_run_is_named_after_the_week_that_it_chose() -> None:
    """Whatever its name was before."""
    runs: list[str] = []

    @flow(flow_run_name="next week")
    def chooses() -> None:
        runs.append(runtime.flow_run.id)
        name_run(date(1992, 4, 16))

    chooses()
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(UUID(runs[0])).name == "week of 1992-04-16"


def test_a_server_that_does_not_answer_costs_the_name_only(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says so; without a run there is nothing to name."""
    with temporary_settings({PREFECT_API_URL: NOBODY.format(11)}), caplog.at_level(logging.WARNING):
        name_run(date(1992, 4, 16))
        assert "refused" not in caplog.text
        monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(uuid4()))
        name_run(date(1992, 4, 16))
    assert "Prefect's API refused a call" in caplog.text


def test_new_alarms_emit_one_event_a_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the alarms of that week; those that an earlier run raised emit nothing again."""
    events: list[dict[str, Any]] = []

    def take(call: Callable[..., Any], *args: Any, **event: Any) -> None:
        if call is emit_event:
            signature(call).bind(**event)
            Event(**event)  # as Prefect would have it
            events.append(event)

    monkeypatch.setattr(prefect_page, "call_api", take)
    earlier = date(1992, 4, 9)
    alarms = (alarm_of("They were too high.", earlier), alarm_of("They are too high."), alarm_of("And off."))
    found = MonitoringResult(week=WEEK, is_monitored=True, alarms=alarms, new_alarm_weeks=(earlier, WEEK))
    PrefectPage(Lake(tmp_path)).stage_finished(found, record_of(found))
    assert [event["event"] for event in events] == ["oj.model.drifted"] * 2
    assert [event["payload"]["week"] for event in events] == [str(earlier), str(WEEK)]
    assert [len(event["payload"]["alarms"]) for event in events] == [1, 2]
    again = replace(found, new_alarm_weeks=())
    PrefectPage(Lake(tmp_path)).stage_finished(again, record_of(again))
    assert len(events) == 2
