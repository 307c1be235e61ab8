"""Units out of any proportion that somebody says are right."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from typer.testing import CliRunner

from forecasting.cli import app
from forecasting.clock import now
from forecasting.contracts.errors import DataError
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import GateSpec
from forecasting.core.completeness import Acceptance, CompletenessReport
from forecasting.core.validation import Validated
from forecasting.pipeline import ingest as intake
from forecasting.pipeline.overrides import accept_override
from forecasting.storage.lake import Lake

WEEK = dominicks_week(136)
AT = datetime(1992, 4, 24, 9, tzinfo=UTC)


def take_in(lake: Lake) -> tuple[Validated, CompletenessReport]:
    arrived = intake.collect(lake, WEEK)
    checked = intake.validate(lake, arrived)
    completeness = intake.gate(lake, WEEK, arrived, checked, GateSpec(AT, min_reporting=0), now())
    intake.archive(lake, WEEK, arrived, checked)
    return checked, completeness


@pytest.fixture
def odd_lake(fed_lake: Lake) -> Lake:
    """Store 2 sold a million cartons of product 1, it says; its week was collected without that row."""
    for file in sorted(fed_lake.inbox.iterdir())[10:]:
        file.unlink()
    file = fed_lake.inbox / f"{WEEK}_store-002.csv"
    lines = file.read_text().splitlines()
    assert lines[1].startswith(f"2,1,{WEEK},")
    lines[1] = ",".join(["2", "1", str(WEEK), "1000000", *lines[1].split(",")[4:]])
    file.write_text("\n".join(lines) + "\n")
    checked, _ = take_in(fed_lake)
    assert checked.quarantined_by_rule == {"outlier": 1}
    return fed_lake


def test_accepted_units_come_in_with_the_next_run(odd_lake: Lake) -> None:
    """Who, why and when is kept; the rest of the file is a duplicate, and the row is quarantined no more."""
    accepted, files = accept_override(odd_lake, WEEK, 2, 1, "a wholesaler bought them", "Ada", AT)
    assert (accepted.by, accepted.why, accepted.when) == (
        "Ada",
        "a wholesaler bought them",
        "1992-04-24T09:00:00+00:00",
    )
    assert files == [file.name for file in odd_lake.archive.waiting()] == [f"{WEEK}_store-002.csv"]

    checked, completeness = take_in(odd_lake)

    assert (checked.quarantined_by_rule, checked.rows_in) == ({}, checked.accepted + checked.dropped)
    assert 2 in completeness.received
    sold = odd_lake.sales.read().set_index(["store", "product", "week"])["units"]
    assert sold[2, 1, pd.Timestamp(WEEK)] == 1_000_000
    assert odd_lake.quarantine.read(WEEK).empty


def test_the_command_takes_both_store_and_product(odd_lake: Lake) -> None:
    """One alone is refused in a sentence, and so is what nobody has quarantined."""

    def run(*options: str) -> str:
        said = CliRunner().invoke(
            app, ["accept", "--lake", str(odd_lake.root), "--week", str(WEEK), "--reason", "x", *options]
        )
        return " ".join(said.output.split())

    assert "give both, or neither" in run("--store", "2")
    assert "No row of store 2 product 5 in the week of 1992-04-16 is quarantined" in run(
        "--store", "2", "--product", "5"
    )
    assert "Next: oj run" in run("--store", "2", "--product", "1")


def test_a_file_that_is_gone_is_named(odd_lake: Lake) -> None:
    """The acceptance stands; the file must be sent again."""
    for file in odd_lake.archive.files(WEEK):
        file.unlink()
    with pytest.raises(DataError, match="1992-04-16_store-002.csv are not in the lake's archive any more"):
        accept_override(odd_lake, WEEK, 2, 1, "x", "Ada", AT)
    assert odd_lake.acceptances.overrides().to_numpy().tolist() == [[2, 1, pd.Timestamp(WEEK)]]


def test_files_of_other_names_are_no_acceptances(odd_lake: Lake) -> None:
    """Whatever lies there, the week goes on, and what was accepted counts once."""
    odd_lake.acceptances.write(WEEK, Acceptance("Ada", "x", ""))
    odd_lake.acceptances.write_override(WEEK, 2, 1, Acceptance("Ada", "x", ""))
    for name in (
        "notes/a-b.json",
        f"{WEEK}/a-b.json",
        f"{WEEK}/1-2-3.json",
        "old/2-1.json",
        f"{WEEK}/{'9' * 30}-1.json",
    ):
        path = odd_lake.acceptances.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    assert odd_lake.acceptances.overrides().to_numpy().tolist() == [[2, 1, pd.Timestamp(WEEK)]]
