"""A run that fails says what went wrong, and what to do."""

import logging
from datetime import date
from uuid import UUID

import pytest
from flows.artifacts import explain_failure
from flows.artifacts.failure import failure_markdown
from prefect import flow, runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

from flows.prefect_tasks import stage, stopwatch
from forecasting.clock import Stopwatch
from forecasting.contracts.errors import DataError, OptionError, TooManyFallbacks, WeekBusy, WeekNotWhole

ERRORS = [
    WeekNotWhole(date(1992, 4, 23), ("store 2", "store 5"), 0.86, 0.9),
    DataError("No store has reported", "put its files into the inbox"),
    OptionError("cutoff=1992-04-17", "is not the first day of a week", "name the Thursday before"),
    WeekBusy(date(1992, 4, 23), "process 42"),
    TooManyFallbacks(date(1992, 4, 23), 51, 50, ("store 2 product 5: raised",)),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_the_page_says_what_who_and_how(error: Exception) -> None:
    """The sentence is cut where its remedy begins."""
    page = failure_markdown(error).replace("\\", "")
    what, remedy = str(error).rsplit("; ", 1)
    assert f"## What went wrong\n\n{what}.\n\n## What to do\n\n{remedy[0].upper()}{remedy[1:]}" in page
    assert " must " in page.split("## What to do")[1]
    assert "stay in force" in page


def test_the_unforeseen_is_quoted() -> None:
    """A traceback is for the log; the page quotes the error as code, whatever is in it."""
    page = failure_markdown(KeyError("<b>```"))
    assert "````\nKeyError: '<b>```'\n````" in page
    assert "Run the week again" in page


@pytest.mark.usefixtures("prefect_server")
def test_the_state_is_the_sentence_and_the_caller_gets_the_error(caplog: pytest.LogCaptureFixture) -> None:
    """In the run's state and in its log stands the plain sentence, and no traceback; an artifact says what to do."""
    error = DataError("The lake is dry", "pour water into it")
    runs: list[str] = []

    def break_off() -> None:
        raise error

    breaking = stage(break_off, name="break off")

    @flow
    @explain_failure
    def breaks() -> None:
        runs.append(runtime.flow_run.id)
        token = stopwatch.set(Stopwatch())
        try:
            breaking()
        finally:
            stopwatch.reset(token)

    with caplog.at_level(logging.INFO), pytest.raises(DataError) as caught:
        breaks()
    assert caught.value is error
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(runs[0]))
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        keys = {artifact.key for artifact in client.read_artifacts(artifact_filter=of_run)}
    assert (run.state_name, run.state and run.state.message) == ("Failed", "The lake is dry; pour water into it.")
    assert "what-to-do" in keys
    told = [record for record in caplog.records if record.name == "prefect.task_runs"]
    assert "The lake is dry; pour water into it." in [record.getMessage() for record in told]
    assert not any(record.exc_info for record in told)
