"""Workbooks: real dates and numbers, merged cells, sheets, and damaged ones."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from io import BytesIO

import pytest
from openpyxl import Workbook

from forecasting.contracts.layout import Layout
from forecasting.storage.formats.columns import FileColumns, UnreadableFileError
from forecasting.storage.formats.workbook import header, read

LAYOUT = Layout("sheet", {"store": ("store",), "date": ("week",), "units": ("units",)})
HEADER = ["store", "week", "units"]


def workbook(*rows: Sequence[object], merged: str = "", title: str = "Sales") -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    if merged:
        sheet.merge_cells(merged)
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def read_all(content: bytes, layout: Layout = LAYOUT, most_rows: int | None = None) -> FileColumns:
    return read(content, layout, HEADER, "UTC", most_rows, lambda _: None)


def rows_of(found: FileColumns) -> list[tuple[str, ...]]:
    return list(zip(*(found.texts[name].to_pylist() for name in HEADER), strict=True))


def test_cells_are_texts_as_the_layout_declares_them() -> None:
    """A real date is none to be guessed at, and a whole number has no point."""
    content = workbook(
        HEADER, ["101", date(2023, 1, 2), 30], [102, datetime.fromisoformat("2023-01-09 12:00"), 4.5], ["a", "x", None]
    )
    assert header(content, LAYOUT) == HEADER
    assert rows_of(read_all(content)) == [("101", "2023-01-02", "30"), ("102", "2023-01-09", "4.5"), ("a", "x", "")]
    comma = replace(LAYOUT, decimal=",", date_format="%d.%m.%Y")
    assert rows_of(read_all(content, comma))[1] == ("102", "09.01.2023", "4,5")


def test_lines_are_those_that_the_spreadsheet_program_shows() -> None:
    """Rows above the header and empty rows count, and are none."""
    layout = replace(LAYOUT, header_line=3)
    found = read_all(workbook(["Weekly report"], [], HEADER, ["a", "x", 1], [], ["b", "x", 2]), layout)
    assert found.lines.to_pylist() == [4, 6]
    assert [row[0] for row in rows_of(found)] == ["a", "b"]
    assert len(read_all(workbook(HEADER, ["a"], ["b"]), most_rows=1).lines) == 1


def test_merged_keys_are_those_of_all_their_rows_and_merged_values_are_not() -> None:
    """A quantity that is merged over rows was sold once."""
    rows = (HEADER, ["a", "x", 1], [None, "y", None], [None, "z", 3])
    assert [row[0] for row in rows_of(read_all(workbook(*rows, merged="A2:A4")))] == ["a", "a", "a"]
    assert [row[2] for row in rows_of(read_all(workbook(*rows, merged="C2:C3")))] == ["1", "", "3"]


def test_the_sheet_is_the_declared_one() -> None:
    """One that is not there is named, with those that are."""
    with pytest.raises(UnreadableFileError, match="no sheet 'Plans', but 'Sales'"):
        header(workbook(HEADER), replace(LAYOUT, sheet="Plans"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and then nothing", b"\xd0\xcf\x11\xe0" * 200])
def test_a_damaged_file_is_unreadable(content: bytes) -> None:
    """Whatever the library raises."""
    with pytest.raises(UnreadableFileError, match="save the workbook again"):
        header(content, LAYOUT)


def test_an_empty_sheet_has_no_header() -> None:
    """It lacks all columns."""
    assert header(workbook(), LAYOUT) == []
