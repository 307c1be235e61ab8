"""What is printed of a lake: within 80 columns, and with the text of errors as it is."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from forecasting.contracts.orange_juice import QUARANTINE
from forecasting.contracts.run_record import Outcome, RunFailure
from forecasting.core.validation import FileRows
from forecasting.pipeline.panel_import import BrokenRule, ImportResult
from forecasting.pipeline.simulation import SimulatedWeek
from forecasting.presentation.terminal.lake import show_import, show_simulated, show_status
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file
from tests.forecasting.presentation.material import record_of
from tests.forecasting.presentation.terminal.printed import MARKUP, joined, text_of

CUTOFF = date(1992, 4, 16)


@pytest.mark.parametrize("error", [*MARKUP, "It went wrong " * 30])
def test_the_last_error_is_printed_as_it_is(error: str, printed: StringIO, tmp_path: Path) -> None:
    """The status repeats what the last run ended with, whatever its text."""
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    record = record_of(outcome=Outcome.FAILED, error=RunFailure("DataError", error))
    (lake.root / "run_records" / str(CUTOFF) / "1992-04-23T06-00-00.json").write_text(record.to_json())

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


def imported(*, max_quarantined: float = 0.01, detail: str = "units is '': report 0") -> ImportResult:
    return ImportResult(
        files=(FileRows("a.csv", 900, 899, 1, 0, 0), FileRows("b.csv", 100, 90, 0, 5, 5)),
        rules=(BrokenRule("missing_value", 5, "b.csv", 17, detail),),
        listed=QUARANTINE.empty(),
        max_quarantined=max_quarantined,
        rows_in=1000,
        accepted=989,
        dropped=1,
        passed_over={"left_out": 5},
        sales=980,
        unsold=7,
        plans=985,
        series=12,
        new_stores=3,
        new_products=1,
        first=CUTOFF,
        last=CUTOFF,
    )


@pytest.mark.parametrize("detail", [*MARKUP, "It is wrong " * 30])
def test_an_import_prints_each_rule_with_its_first_row(detail: str, printed: StringIO, tmp_path: Path) -> None:
    """File, line and remedy as they are; where the list is; what the lake has now."""
    show_import(Lake(tmp_path / "lake"), imported(detail=detail), local_file(tmp_path / "list.csv"), is_check=False)

    text = text_of(printed)
    assert joined(f"missing_value: 5 rows; the first is line 17 of b.csv: {detail}") in joined(text)
    assert joined("b.csv: 100 = 90 accepted + 0 duplicates + 5 passed over + 5 quarantined") in joined(text)
    assert joined(str(tmp_path / "list.csv")) in joined(text)
    assert "7 cells that the files leave out count as 0 cartons" in text
    assert "3 stores, 1 brand" in text
    assert "Next: oj run" in text


def test_a_check_and_a_refused_import_say_that_nothing_changed(printed: StringIO, tmp_path: Path) -> None:
    """Neither has a next command; a refused import names the share that is allowed."""
    lake = Lake(tmp_path / "lake")
    show_import(lake, imported(), None, is_check=True)
    show_import(lake, imported(max_quarantined=0.001), None, is_check=False)

    text = text_of(printed)
    assert "Nothing was changed, as --check asks." in text
    assert "0.50 % of the rows; allowed are 0.10 %" in text
    assert "Next:" not in text
