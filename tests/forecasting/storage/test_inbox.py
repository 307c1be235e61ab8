"""Files of the inbox must follow their contract; a line that cannot be read says why."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.core.inspection import raw_columns
from forecasting.storage import inbox
from forecasting.storage.file_week import last_week
from forecasting.storage.inbox import InboxFile, await_settled, list_inbox, read_inbox, unread_entries
from forecasting.storage.location import local_file, open_location

DEFINITION = replace(ORANGE_JUICE, covariates=tuple(ORANGE_JUICE.covariates[:3]))  # price, deal, feat
HEADER = "store,product,week,units,price,deal,feat\n"
NAME = "1992-04-16_store-002.csv"


def read(folder: Path) -> pd.DataFrame:
    return read_inbox(list_inbox(open_location(folder)), DEFINITION, LAYOUTS)[1]


def test_every_line_arrives_as_text(tmp_path: Path) -> None:
    """Values stay as they were written: leading zeros, NA and separators are for the validation to judge."""
    (tmp_path / NAME).write_text(HEADER + '007,NA,1992-04-16,"1.234,5",nan,0,\n', encoding="utf-8")
    rows = read(tmp_path)
    assert list(rows.columns) == raw_columns(DEFINITION)
    row = rows.iloc[0]
    assert row[["store", "product", "units", "price", "feat"]].tolist() == ["007", "NA", "1.234,5", "nan", ""]
    assert (row["line"], row["file_week"], row["layout"], row["rule"]) == (2, date(1992, 4, 16), 0, "")


@pytest.mark.parametrize(
    ("content", "rule", "says"),
    [
        (b"store;product;week;units;price;deal;feat\n1;1;x;1.234,5;1;0;0\n", "wrong_header", "store;product"),
        (b"store,product,week\n", "wrong_header", "it lacks units, price, deal, feat"),
        (b"", "wrong_header", "the header is ''"),
        (HEADER.encode("utf-16"), "not_utf8", "save the file as UTF-8"),
        (HEADER.encode() + b"2,5,1992-04-16,1\xff2,2.5,0,0\n", "not_utf8", "is not UTF-8"),
        (HEADER.encode() + b"2,5,1992-04-16,1", "cut_row", "4 values where 7 are declared"),
        (HEADER.encode() + b'2,5,"1992-04-16,12,2.5,0,0\n', "unreadable_row", "correct the quotes"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes, rule: str, says: str) -> None:
    """Another delimiter, encoding or header, a cut row and an open quote each break a rule of their own."""
    (tmp_path / NAME).write_bytes(content)
    row = read(tmp_path).iloc[-1]
    assert row["rule"] == rule
    assert says in row["detail"]


def test_a_byte_order_mark_and_empty_lines_are_no_rows(tmp_path: Path) -> None:
    """What spreadsheet programs add does not change the content."""
    (tmp_path / NAME).write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b"2,5,1992-04-16,12,2.5,0,0\r\n\r\n")
    rows = read(tmp_path)
    assert len(rows) == 1
    assert rows.iloc[0]["rule"] == ""


@pytest.mark.parametrize("name", ["sales.csv", "1992-13-45_store-002.csv", "1992-04-16-store-2.csv", "a b.csv"])
def test_a_file_of_another_name_is_quarantined(tmp_path: Path, name: str) -> None:
    """Its sales week cannot be known, so none of its content is used."""
    (tmp_path / name).write_text(HEADER + "2,5,1992-04-16,12,2.5,0,0\n")
    rows = read(tmp_path)
    assert rows["rule"].tolist() == ["wrong_file_name"]


def test_hidden_files_links_and_folders_are_not_read(tmp_path: Path) -> None:
    """A hidden file is still being written; a link may point anywhere. All but hidden entries are told of."""
    (tmp_path / f".{NAME}").write_text(HEADER)
    (tmp_path / "1992-04-16_store-003.csv").symlink_to("/etc/hostname")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for number in range(5):
        (tmp_path / f"link-{number}").symlink_to("nowhere")
    assert list_inbox(open_location(tmp_path)) == []
    assert read(tmp_path).empty
    assert unread_entries(open_location(tmp_path)) == [
        "1992-04-16_store-003.csv, link-0, link-1 and 3 more: is a link, and is not read; put the file itself into "
        "the inbox.",
        "folder: is a folder, and is not read; put its files into the inbox itself.",
        "pipe: is no regular file, and is not read; remove it.",
    ]


def test_parquet_files_follow_the_same_contract(tmp_path: Path) -> None:
    """Typed values arrive in the text form that the contract declares; a damaged file says so."""
    frame = pd.DataFrame(
        {
            "store": [2],
            "product": [5],
            "week": [date(1992, 4, 16)],
            "units": [12],
            "price": [2.5],
            "deal": [True],
            "feat": [0.25],
        }
    )
    frame.to_parquet(tmp_path / "1992-04-16_store-002.parquet")
    (tmp_path / "1992-04-16_store-003.parquet").write_bytes(b"PAR1 and then nothing")
    rows = read(tmp_path)
    assert rows.iloc[0][["store", "week_or_date", "units", "price", "deal", "feat"]].tolist() == [
        "2",
        "1992-04-16",
        "12",
        "2.5",
        "1",
        "0.25",
    ]
    assert rows.iloc[1]["rule"] == "unreadable_file"


def test_a_daily_file_belongs_to_the_week_of_its_date(tmp_path: Path) -> None:
    """A Tuesday's file counts for the week that opened on the Thursday before."""
    (tmp_path / "1992-04-21_store-002.csv").write_text(HEADER.replace("week", "date") + "2,5,1992-04-21,1,2.5,0,0\n")
    row = read(tmp_path).iloc[0]
    assert (row["file_week"], row["layout"], row["week_or_date"]) == (date(1992, 4, 16), 1, "1992-04-21")


def settle(folder: Path, clock: list[float]) -> tuple[list[str], list[str]]:
    """The settled files and the others, by a file system whose clock goes from one of these moments to the next."""
    moments = iter(clock)
    last = clock[-1]
    settled, unsettled = await_settled(lambda: list_inbox(open_location(folder)), lambda: next(moments, last))
    return [file.name for file in settled], [file.name for file in unsettled]


def test_a_file_that_was_touched_seconds_ago_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock of its file system, whatever that is; one that was placed long ago is not."""
    monkeypatch.setattr(inbox, "SECONDS_UNTOUCHED", 2.0)
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    (tmp_path / NAME).write_text(HEADER)
    written = (tmp_path / NAME).stat().st_mtime
    assert settle(tmp_path, [written, written + 1.9, written + 2.1]) == ([NAME], [])
    assert len(slept) == 2
    assert settle(tmp_path, [written + 60]) == ([NAME], [])
    # Somebody set a time far ahead.
    assert settle(tmp_path, [written - 3600]) == ([NAME], [])
    assert len(slept) == 2


def test_a_file_that_does_not_settle_is_left_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait has an end; the files that are complete are read."""
    monkeypatch.setattr(inbox, "SECONDS_UNTOUCHED", 2.0)
    monkeypatch.setattr(inbox, "MOST_SECONDS_AWAITED", 0.0)
    (tmp_path / NAME).write_text(HEADER)
    written = (tmp_path / NAME).stat().st_mtime
    other = tmp_path / "1992-04-16_store-003.csv"
    other.write_text(HEADER)
    os.utime(other, (written - 60, written - 60))
    assert settle(tmp_path, [written]) == ([other.name], [NAME])


def test_a_file_that_was_taken_away_is_not_among_those_read(tmp_path: Path) -> None:
    """It was listed, and has gone since."""
    assert read_inbox([InboxFile(local_file(tmp_path / NAME), date(1992, 4, 16))], DEFINITION, LAYOUTS)[0] == []


def test_a_file_without_a_week_in_its_name_is_read_for_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again when it has changed; one of plans has none, nor has one that cannot be read."""
    layouts = [replace(LAYOUTS[0], files="*.csv")]
    read: list[str] = []

    def count(name: str, *rest: Any) -> date | None:
        read.append(name)
        return last_week(name, *rest)

    monkeypatch.setattr(inbox, "last_week", count)
    files = {
        "plan.csv": HEADER + "2,5,1992-04-23,,2.5,0,0\n",
        "sales.csv": HEADER + "2,5,1992-04-16,12,2.5,0,0\n2,5,1992-04-23,,2.5,0,0\n",
        "wrong.csv": "x\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    for _ in range(2):
        found = {file.name: file.week for file in list_inbox(open_location(tmp_path), DEFINITION, layouts)}
        assert found == {"plan.csv": None, "sales.csv": date(1992, 4, 16), "wrong.csv": None}
    assert sorted(read) == sorted(files)
    (tmp_path / "plan.csv").write_text(HEADER + "2,5,1992-04-23,12,2.5,0,0\n")
    assert list_inbox(open_location(tmp_path), DEFINITION, layouts)[0].week == date(1992, 4, 23)
