"""How artifacts reach the run, or do not."""

import logging

import pytest
from flows.artifacts.posting import post
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.prefect_tasks import stopwatch
from forecasting.clock import Stopwatch


@pytest.mark.filterwarnings("ignore:Artifact creation outside")
def test_a_server_that_does_not_answer_costs_the_artifact_only(caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on, and the log says what could not be shown; the time it took is told."""
    clock = Stopwatch()
    token = stopwatch.set(clock)
    try:
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), caplog.at_level(logging.WARNING):
            post("completeness", "", lambda: "text")
    finally:
        stopwatch.reset(token)
    assert "Prefect's API did not take what it was told" in caplog.text
    assert set(clock.seconds) == {"artifacts"}


def test_a_page_that_cannot_be_written_costs_the_page_only(caplog: pytest.LogCaptureFixture) -> None:
    """A mistake in what is only shown must not cost a forecast."""
    with caplog.at_level(logging.WARNING):
        post("headline", "", lambda: str(1 / 0))
    assert "The headline could not be shown in Prefect: division by zero" in caplog.text
