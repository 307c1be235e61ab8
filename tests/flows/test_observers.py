"""The observers that write files into the lake; `test_run` shows that none can make a run fail."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows import observers
from flows.observers import PageWriter, Recorder
from forecasting.contracts.run_record import Outcome
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import WEEK, record_of


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_run_is_recorded_and_a_good_one_gets_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    """The page is of the run's own week, also where the forecast was published by an earlier run."""
    pages: list[tuple[date, Any]] = []
    monkeypatch.setattr(observers, "write_page", lambda lake, week, record: pages.append((week, record)))
    record = replace(record_of(), outcome=outcome)
    for observer in (Recorder(Lake(tmp_path)), PageWriter(Lake(tmp_path))):
        observer.run_started(record)
        observer.stage_finished("a result", record)
        observer.run_finished(record)
    assert Lake(tmp_path).runs.last() == record
    is_good = outcome in (Outcome.PUBLISHED, Outcome.UNCHANGED)
    assert pages == ([(WEEK, record)] if is_good else [])
