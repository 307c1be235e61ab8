"""A run's name."""

import logging
from datetime import date
from uuid import UUID, uuid4

import pytest
from flows.artifacts import show_week
from prefect import flow, runtime
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings


@pytest.mark.usefixtures("prefect_server")
def test_a_run_is_named_after_the_week_that_it_chose() -> None:
    """Whatever it was called before."""
    runs: list[str] = []

    @flow(flow_run_name="next week")
    def chooses() -> None:
        runs.append(runtime.flow_run.id)
        show_week(date(1992, 4, 16))

    chooses()
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(UUID(runs[0])).name == "week of 1992-04-16"


def test_a_server_that_does_not_answer_costs_the_name_only(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says so; without a run there is nothing to name."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:11/api"}), caplog.at_level(logging.WARNING):
        show_week(date(1992, 4, 16))
        assert "did not take" not in caplog.text
        monkeypatch.setenv("PREFECT__FLOW_RUN_ID", str(uuid4()))
        show_week(date(1992, 4, 16))
    assert "Prefect's API did not take what it was told" in caplog.text
