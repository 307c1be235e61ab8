"""Samples of files of every kind."""

from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecasting.contracts.errors import DataError
from forecasting.core.sampled_file import SampledFile
from forecasting.storage import sample
from forecasting.storage.sample import head_of, sample_files

TEXT = "store,week,units\nKöln,2024-01-01,3\nBonn,2024-01-08,4\n"


def sampled(path: Path, content: bytes | str = b"") -> SampledFile:
    if content:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (found,) = sample_files([path])
    return found


def values(found: SampledFile, name: str) -> list[str]:
    column = next(each for each in found.columns if each.name == name)
    return list(column.spread(column.texts.to_numpy(dtype=object), ""))


@pytest.mark.parametrize(
    ("content", "encoding", "delimiter", "header_line"),
    [
        (TEXT.encode(), "utf-8", ",", 1),
        (TEXT.encode("utf-8-sig"), "utf-8", ",", 1),
        (TEXT.encode("cp1252"), "cp1252", ",", 1),
        (TEXT.replace(",", "\t").encode("utf-16"), "utf-16", "\t", 1),
        (("sep=;\n" + TEXT.replace(",", ";")).encode(), "utf-8", ";", 2),
        (("Report\nprinted 2024-03-01\n\n" + TEXT).encode(), "utf-8", ",", 4),
        (TEXT.replace("\n", "\r\n").encode(), "utf-8", ",", 1),
        (TEXT.replace("\n", "\r").encode(), "utf-8", ",", 1),
    ],
)
def test_text_files(tmp_path: Path, content: bytes, encoding: str, delimiter: str, header_line: int) -> None:
    """In every dialect the same columns."""
    found = sampled(tmp_path / "x.csv", content)
    assert (found.dialect.encoding, found.dialect.delimiter, found.dialect.header_line) == (
        encoding,
        delimiter,
        header_line,
    )
    assert values(found, "store") == ["Köln", "Bonn"]
    assert values(found, "units") == ["3", "4"]


def test_line_breaks_in_quotes_and_short_lines(tmp_path: Path) -> None:
    """A quoted line break is a part of a value; a line that was cut is passed over."""
    found = sampled(tmp_path / "x.csv", 'store,week,units\n"Store\n101",2024-01-01,3\nBonn,2024-01-08,4\nBonn,20')
    assert values(found, "store") == ["Store\n101", "Bonn"]


def test_columns_without_a_name(tmp_path: Path) -> None:
    """R does not name the first column, and lines may end with a delimiter."""
    found = sampled(tmp_path / "x.csv", "week,units\n1,2024-01-01,3\n2,2024-01-08,4\n")
    assert [each.name for each in found.columns] == ["", "week", "units"]
    ended = sampled(tmp_path / "y.csv", "week,units\n2024-01-01,3,\n2024-01-08,4,\n")
    assert [each.name for each in ended.columns] == ["week", "units", ""]


def test_parquet_of_many_types(tmp_path: Path) -> None:
    """Types are no marks to find; zones are kept."""
    weeks = pd.to_datetime(["2024-01-01", "2024-01-08", None]).tz_localize("Europe/Berlin")
    frame = pd.DataFrame(
        {"store": pd.Categorical(["a", "b", "a"]), "week": weeks, "units": [1.0, None, 2.5], "ok": [True, False, True]}
    )
    frame.to_parquet(tmp_path / "x.parquet")
    found = sampled(tmp_path / "x.parquet")
    assert values(found, "store") == ["a", "b", "a"]
    assert values(found, "week") == ["2024-01-01", "2024-01-08", ""]
    assert values(found, "units") == ["1.0", "", "2.5"]
    assert values(found, "ok") == ["TRUE", "FALSE", "TRUE"]
    by_name = {each.name: each for each in found.columns}
    assert by_name["week"].zone == "Europe/Berlin"
    assert by_name["units"].is_floating
    assert by_name["units"].is_typed
    assert not by_name["store"].is_typed


def test_workbooks(tmp_path: Path) -> None:
    """The sheet with the most rows below a header, wherever it stands."""
    book = openpyxl.Workbook()
    book.active["A1"] = "Notes"
    sheet = book.create_sheet("Data")
    for row in (
        ["Weekly report"],
        [],
        ["store", "week", "units"],
        ["a", pd.Timestamp("2024-01-01"), 3],
        ["b", pd.Timestamp("2024-01-08"), 4.5],
    ):
        sheet.append(row)
    book.save(tmp_path / "x.xlsx")
    found = sampled(tmp_path / "x.xlsx")
    assert (found.dialect.sheet, found.dialect.header_line) == ("Data", 3)
    assert values(found, "week") == ["2024-01-01", "2024-01-08"]
    assert values(found, "units") == ["3.0", "4.5"]


def test_files_of_one_form_are_one(tmp_path: Path) -> None:
    """Whatever their letters; another header is another form."""
    (tmp_path / "a.csv").write_text("store,week,units\nBonn,2024-01-01,3\n")
    (tmp_path / "b.csv").write_bytes(TEXT.encode("cp1252"))
    (tmp_path / "c.csv").write_text("store,week,price\nBonn,2024-01-01,3\n")
    both, other = sample_files(sorted(tmp_path.iterdir()))
    assert (both.names, both.rows_of, both.dialect.encoding) == (("a.csv", "b.csv"), (1, 2), "cp1252")
    assert values(both, "store") == ["Bonn", "Köln", "Bonn"]
    assert other.names == ("c.csv",)


def test_large_and_many_files_are_looked_at_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First, middle and last; it is said."""
    monkeypatch.setattr(sample, "WHOLE", 1000)
    monkeypatch.setattr(sample, "PART", 300)
    lines = [f"{n},2024-01-01,3" for n in range(1000)]
    large = sampled(tmp_path / "x.csv", "\n".join(["store,week,units", *lines]))
    assert large.is_sampled
    stores = values(large, "store")
    assert stores[0] == "0"
    assert stores[-1] == "999"
    assert len(stores) < 100
    monkeypatch.setattr(sample, "MOST_FILES", 3)
    for n in range(10):
        (tmp_path / f"sales_2024-01-{n + 10}.csv").write_text("store,units\na,1\n")
    (many,) = sample_files(sorted(tmp_path.glob("sales_*")))
    assert many.names == ("sales_2024-01-10.csv", "sales_2024-01-14.csv", "sales_2024-01-19.csv")
    assert many.is_sampled


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.csv", b"store,units\n", "x.csv has a header and no rows"),
        ("x.csv", bytes(range(256)) * 9, "is no table"),
        ("x.parquet", b"PAR1 and no more", "cannot be read"),
        ("x.xlsx", b"PK\x03\x04 and no more", "cannot be read"),
    ],
)
def test_damaged_files_end_in_one_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    """Whatever library says so."""
    with pytest.raises(DataError, match=sentence):
        sampled(tmp_path / name, content)


def test_invalid_text_in_parquet_is_damage(tmp_path: Path) -> None:
    """The library does not look by itself."""
    bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    pq.write_table(pa.table({"store": bad, "units": [1]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"x.parquet cannot be read"):
        sampled(tmp_path / "x.parquet")


def test_the_head_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of text up to the end of a line; of others all."""
    monkeypatch.setattr(sample, "HEAD", 10)
    (tmp_path / "x.csv").write_bytes(b"a,b\n1,2\n3,4\n")
    assert head_of(tmp_path / "x.csv") == b"a,b\n1,2\n"
    (tmp_path / "x.parquet").write_bytes(b"PAR1" + b"x" * 20)
    assert len(head_of(tmp_path / "x.parquet")) == 24
