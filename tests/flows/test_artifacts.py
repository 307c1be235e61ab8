"""What a run shows of itself in the Prefect UI."""

import logging
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.artifacts import receipt_markdown, show_progress, show_receipt

RECEIPT = {
    "spec": {"cutoff": "1992-04-16"},
    "outcome": "published",
    "run_id": "abc",
    "ledger": {"status": "closed with gaps", "received": [2, 5], "expected": [2, 5, 8], "missing": [8]},
    "rows_in": 10,
    "rows_accepted": 7,
    "rows_dropped": 2,
    "rows_quarantined": 1,
    "rows": 1826,
    "series_by_model": {"mean": 1, "price_response": 912},
    "fallbacks_by_reason": {"timed_out": 1},
    "cluster": {"workers": 2, "seconds_up": 2.0, "seconds_busy": 1.0, "left_over": []},
    "seconds_by_stage": {"collect": 0.1},
}


def test_the_receipt_is_two_tables() -> None:
    """What came and went, then where the seconds went; a bar in a value does not break the table."""
    text = receipt_markdown({**RECEIPT, "run_id": "a|b"})
    assert "| Week | closed with gaps: 2 of 3 stores |" in text
    assert "| Rows accepted, dropped, quarantined | 7, 2, 1 |" in text
    assert "| Fallbacks by reason | timed_out 1 |" in text
    assert "processes left: 0" in text
    assert "| Run id | a/b |" in text
    assert "| collect | 0.1 s |" in text


@pytest.mark.usefixtures("prefect_server")
def test_progress_and_receipt_reach_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """A run leaves a progress artifact at 100 % and its receipt."""
    runs: list[UUID] = []

    @flow
    def shows() -> None:
        from prefect.runtime import flow_run

        runs.append(UUID(flow_run.id))
        with show_progress() as progress:
            for done in range(4):
                progress(done, 3)
        show_receipt(RECEIPT)

    shows()
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    with get_client(sync_client=True) as client:
        artifacts = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=runs))
        )
    assert {artifact.key: artifact.type for artifact in artifacts} == {"partitions": "progress", "receipt": "markdown"}
    assert next(artifact.data for artifact in artifacts if artifact.key == "partitions") == 100


@pytest.mark.filterwarnings("ignore:Artifact creation outside")
def test_a_server_that_does_not_answer_costs_the_artifacts_only(caplog: pytest.LogCaptureFixture) -> None:
    """The forecast goes on, and the log says what could not be shown."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), caplog.at_level(logging.WARNING):
        show_receipt(RECEIPT)
    assert "did not take what it was told" in caplog.text
