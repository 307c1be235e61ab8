"""What the validation of a week leaves behind: quarantined rows, completeness reports, acceptances."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK as ONE_WEEK
from forecasting.core.completeness import Acceptance, CompletenessReport, Incomplete, WeekStatus
from forecasting.storage.lake import Lake

WEEK = date(1992, 4, 16)
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    return lake


def test_a_file_sent_again_replaces_its_quarantined_rows(lake: Lake) -> None:
    """Other files' rows stay."""

    def rows(file: str, rule: str) -> pd.DataFrame:
        empty = dict.fromkeys(orange_juice.QUARANTINE.columns, "")
        return pd.DataFrame([empty | {"file": file, "line": 2, "rule": rule, "detail": "x"}])

    both = ["a.csv", "b.csv"]
    lake.quarantine.add(WEEK, pd.concat([rows("a.csv", "negative"), rows("b.csv", "negative")]), both)
    lake.quarantine.add(WEEK, rows("a.csv", "infinite"), ["a.csv"])
    assert lake.quarantine.read(WEEK)[["file", "rule"]].values.tolist() == [
        ["a.csv", "infinite"],
        ["b.csv", "negative"],
    ]
    lake.quarantine.add(WEEK, orange_juice.QUARANTINE.empty(), both)
    assert lake.quarantine.read(WEEK).empty


def test_files_of_other_names_are_no_acceptances(lake: Lake) -> None:
    """Whatever lies there, the week goes on, and what was accepted counts once."""
    lake.acceptances.write(WEEK, Acceptance("Ada", "x", AT))
    lake.acceptances.write_override(WEEK, 2, 1, Acceptance("Ada", "x", AT))
    for name in (
        "notes/a-b.json",
        f"{WEEK}/a-b.json",
        f"{WEEK}/2-1.json",
        f"old/{'0' * 16}.json",
        f"{WEEK}/{'0' * 17}.json",
    ):
        path = lake.acceptances.folder / name
        Path(path.parent).mkdir(exist_ok=True)
        path.write_text("{}")
    assert lake.acceptances.overrides().to_numpy().tolist() == [[2, 1, pd.Timestamp(WEEK)]]


def test_a_week_without_bad_rows_has_no_quarantine(lake: Lake) -> None:
    """No file is written for it, and reading gives the empty table."""
    lake.quarantine.add(WEEK, orange_juice.QUARANTINE.empty(), ["a.csv"])
    assert lake.quarantine.weeks() == []
    pd.testing.assert_frame_equal(lake.quarantine.read(WEEK), orange_juice.QUARANTINE.empty())


def test_a_completeness_report_is_read_as_it_was_written(lake: Lake) -> None:
    """Gaps, status and the acceptance among it; weeks are listed oldest first."""
    report = CompletenessReport(
        week=WEEK,
        rows=21,
        week_before=WEEK - ONE_WEEK,
        expected=(2, 5, 90),
        received=(2,),
        missing=(90,),
        incomplete=(Incomplete(5, products=(3,)), Incomplete(90, days=(WEEK,))),
        status=WeekStatus.ACCEPTED_WITH_GAPS,
        accepted=Acceptance("Ada", "store 90 is closed", AT),
    )
    first = CompletenessReport(WEEK - ONE_WEEK, 22, None, (), (2,), (), ())
    for each in (report, first):
        lake.completeness.write(each)
    assert lake.completeness.read(WEEK) == report
    assert lake.completeness.read(WEEK - ONE_WEEK) == first
    assert lake.completeness.weeks() == [WEEK - ONE_WEEK, WEEK]


def test_an_accepted_week_says_who_why_and_when(lake: Lake) -> None:
    """A week that nobody has accepted has none; the newer of two acceptances is read."""
    assert lake.acceptances.read(WEEK) is None
    lake.acceptances.write(WEEK, Acceptance("Ada", "store 90 is closed", AT))
    later = Acceptance("Grace", "flood", AT + timedelta(hours=1))
    lake.acceptances.write(WEEK, later)
    assert lake.acceptances.read(WEEK) == later
    assert lake.acceptances.read(WEEK + ONE_WEEK) is None


def test_overrides_of_an_empty_lake_have_their_columns(lake: Lake) -> None:
    """The validation merges them by store, product and week."""
    assert lake.acceptances.overrides().dtypes.astype(str).to_dict() == {
        "store": "int64",
        "product": "int64",
        "week": "datetime64[us]",
    }
