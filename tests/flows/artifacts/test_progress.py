"""How far the forecast is."""

from uuid import UUID

import pytest
from flows.artifacts import show_progress
from prefect import flow, runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId


@pytest.mark.usefixtures("prefect_server")
def test_a_run_has_one_progress_artifact_which_ends_at_100_percent() -> None:
    """However often it is updated."""
    runs: list[UUID] = []

    @flow
    def shows() -> None:
        runs.append(UUID(runtime.flow_run.id))
        with show_progress() as progress:
            for done in range(4):
                progress(done, 3)

    shows()
    with get_client(sync_client=True) as client:
        (artifact,) = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=runs))
        )
    assert (artifact.key, artifact.type, artifact.data) == ("partitions", "progress", 100)
