"""Text files: delimiters, encodings, quotes, cut lines, and the line of each row."""

from dataclasses import replace

import pytest

from forecasting.contracts.layout import Layout
from forecasting.storage.formats import text
from forecasting.storage.formats.columns import FileColumns, UnreadableFileError
from forecasting.storage.formats.text import header, read

LAYOUT = Layout("plain", {"date": ("week",)})
NAMES = ["store", "week", "units"]
HEADER = "store,week,units\n"


def read_all(content: str | bytes, layout: Layout = LAYOUT, most_rows: int | None = None) -> FileColumns:
    written = content if isinstance(content, bytes) else content.encode()
    return read(written, layout, NAMES, "UTC", most_rows, lambda _: None)


def stores(found: FileColumns) -> list[tuple[int, str]]:
    return list(zip(found.lines.to_pylist(), found.texts["store"].to_pylist(), strict=True))


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("store;week;units\ncafé;x;1,5\n".encode(), replace(LAYOUT, delimiter=";")),
        ("store\tweek\tunits\ncafé\tx\t1,5\n".encode(), replace(LAYOUT, delimiter="\t")),
        ("sep=;\r\nstore;week;units\r\ncafé;x;1,5\r\n".encode(), replace(LAYOUT, delimiter=";")),
        ("sep=;\nstore;week;units\ncafé;x;1,5\n".encode(), replace(LAYOUT, delimiter=";", header_line=2)),
        ("\ufeffstore;week;units\ncafé;x;1,5\n".encode(), replace(LAYOUT, delimiter=";")),
        ("store;week;units\ncafé;x;1,5\n".encode("utf-16"), replace(LAYOUT, delimiter=";", encoding="utf-16")),
        ("\ufeffstore;week;units\ncafé;x;1,5\n".encode("utf-16-le"),
         replace(LAYOUT, delimiter=";", encoding="utf-16-le")),
        ("store;week;units\ncafé;x;1,5\n".encode("cp1252"), replace(LAYOUT, delimiter=";", encoding="cp1252")),
        ("Report of\n\"a\nstore;week;units\ncafé;x;1,5\n".encode(), replace(LAYOUT, delimiter=";", header_line=3)),
    ],
)  # fmt: skip
def test_a_file_is_read_as_declared(content: bytes, layout: Layout) -> None:
    """Delimiter, encoding, byte order mark, a `sep=` line, and lines above the header."""
    assert header(content, layout) == NAMES
    found = read_all(content, layout)
    assert [found.texts[name].to_pylist() for name in NAMES] == [["café"], ["x"], ["1,5"]]


def test_a_row_has_the_line_where_it_begins() -> None:
    """Line breaks within quotes, and empty lines, count."""
    found = read_all(HEADER + '"a\n1",x,1\n\n"b\r\n\n2",x,1\n,,\nc,x,1\n')
    assert stores(found) == [(2, "a\n1"), (5, "b\r\n\n2"), (9, "c")]


def test_a_line_that_is_no_row_costs_itself_only() -> None:
    """Too few values, too many, and quotes that are not closed, or closed too early."""
    content = HEADER + 'a,x,1\nb,x\nc,x,1,\n"d,x,1\ne,x,1\n"f"g,x,1\nh,x,1\n'
    found = read_all(content)
    assert stores(found) == [(2, "a"), (6, "e"), (8, "h")]
    assert [(fault.line, fault.rule) for fault in found.faults] == [
        (3, "cut_row"), (4, "cut_row"), (5, "unreadable_row"), (7, "unreadable_row"),
    ]  # fmt: skip
    assert found.faults[0].detail == "2 values where 3 are declared: send the whole line"


@pytest.mark.parametrize("end", ["b,x", "b,x,", "b,"])
def test_a_file_that_ends_within_a_line_says_so(end: str) -> None:
    """Its last line is no row without units."""
    found = read_all(HEADER + "a,x,1\n" + end)
    assert stores(found) == [(2, "a")]
    assert [(fault.line, fault.rule) for fault in found.faults] == [(3, "cut_row")]


def test_many_rows_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost between them, and each is told."""
    monkeypatch.setattr(text, "ROWS_AT_ONCE", 2)
    told: list[int] = []
    content = (HEADER + '"\n",x,1\n' * 5).encode()
    assert len(read(content, LAYOUT, NAMES, "UTC", None, told.append).lines) == 5
    assert told == [2, 2, 1]
    assert len(read_all(content, most_rows=3).lines) == 3


@pytest.mark.parametrize(
    ("content", "encoding", "fault"),
    [
        (b"store,week,units\na,x,1\nb\xff,x,1\n", "utf-8", (3, "not_utf8", "byte 24 is not UTF-8")),
        ("store,week,units\n".encode("utf-16"), "utf-8", (1, "not_utf8", "byte 0 is not UTF-8")),
        (b"store,week,units\n\x81,x,1\n", "cp1252", (2, "wrong_encoding", "byte 17 is not cp1252")),
        ("store,week,units\ncafé,x,1\n".encode(), "cp1252", (1, "wrong_encoding", "the file is UTF-8")),
        (b"store,week,units\n", "klingon", (1, "wrong_encoding", "nobody knows the encoding 'klingon'")),
    ],
)
def test_another_encoding_is_named(content: bytes, encoding: str, fault: tuple[int, str, str]) -> None:
    """With the line; UTF-8 that is declared to be something else would be misread in silence."""
    with pytest.raises(UnreadableFileError) as error:
        read_all(content, replace(LAYOUT, encoding=encoding))
    found = error.value.fault
    assert (found.line, found.rule) == fault[:2]
    assert found.detail.startswith(fault[2])


@pytest.mark.parametrize(
    ("content", "says"),
    [("sep=;\nstore;week;units\n", "the file says sep=;"), ('store,"week\n', "the header cannot be read")],
)
def test_a_header_that_cannot_be_read_is_named(content: str, says: str) -> None:
    """The file is refused."""
    with pytest.raises(UnreadableFileError) as error:
        header(content.encode(), LAYOUT)
    assert error.value.fault.rule == "wrong_header"
    assert says in error.value.fault.detail


def test_a_file_without_content_has_no_header() -> None:
    """It lacks all columns."""
    assert header(b"", LAYOUT) == header(b"\n\n", replace(LAYOUT, header_line=9)) == []


def test_row_numbers_need_no_name() -> None:
    """R and pandas write them into a first column that the header does not name; a file of a week may have any."""
    content = "store,week,units\n51,a,x,1\n0,b,x,2\n0,c,x,2\n7,d\n"
    assert header(content.encode(), LAYOUT) == ["", *NAMES]
    found = read_all(content)
    assert stores(found) == [(2, "a"), (3, "b"), (4, "c")]
    assert [(fault.line, fault.rule) for fault in found.faults] == [(5, "cut_row")]


@pytest.mark.parametrize("row", ["0,a,x,", "0,a,x", "a,b,x,1", "0,1,a,x,1"])
def test_other_values_too_many_shift_no_column(row: str) -> None:
    """A delimiter at the end of each row, or values too many, are none."""
    assert header(f"store,week,units\n{row}\n".encode(), LAYOUT) == NAMES


def test_rows_are_numbered_only_where_a_date_shows_a_shift() -> None:
    """A decimal comma makes a value too many: without a date nobody would notice that units are read as prices."""
    of_the_name = Layout("by name", {"store": ("store",), "units": ("week",)}, files="{week}.csv")
    for layout in (of_the_name, replace(LAYOUT, date_format="excel")):
        assert header(b"store,week,units\n1,2,3,5\n", layout) == NAMES
