"""What is printed of a lake: within 80 columns, and with the text of errors as it is."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from forecasting.contracts.run_record import Outcome, RunFailure
from forecasting.pipeline.simulation import SimulatedWeek
from forecasting.presentation.terminal.lake import show_simulated, show_status
from forecasting.storage.files import write_text
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.material import record_of
from tests.forecasting.presentation.terminal.printed import MARKUP, joined, text_of

CUTOFF = date(1992, 4, 16)


@pytest.mark.parametrize("error", [*MARKUP, "It went wrong " * 30])
def test_the_last_error_is_printed_as_it_is(error: str, printed: StringIO, tmp_path: Path) -> None:
    """The status repeats what the last run ended with, whatever its text."""
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    record = record_of(outcome=Outcome.FAILED, error=RunFailure("DataError", error))
    write_text(lake.root / "run_records" / str(CUTOFF) / "1992-04-23T06-00-00.json", record.to_json())

    show_status(lake)

    text = text_of(printed)
    assert joined(error) in joined(text)
    assert "none yet: oj simulate" in text
    assert "nothing in the inbox" in text


def test_a_simulation_prints_what_it_did(printed: StringIO, tmp_path: Path) -> None:
    """The week, the files and the next command."""
    show_simulated(Lake(tmp_path / "lake"), SimulatedWeek(CUTOFF, 82, None))

    text = text_of(printed)
    assert "The week of 1992-04-16 is simulated: 82 stores" in text
    assert "Next: oj run" in text
    assert "Filled" not in text
