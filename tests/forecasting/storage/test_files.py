"""Files are replaced whole, and tables come back as they went in."""

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.errors import SchemaError
from forecasting.storage.files import (
    dates,
    read_json,
    read_metadata,
    read_table,
    read_tables,
    replace_file,
    write_json,
    write_table,
)

SALES = pd.DataFrame(
    {"store": [5, 2], "product": [1, 1], "week": pd.to_datetime(["1992-04-16", "1992-04-16"]), "units": [7, 3]}
)


def test_a_table_comes_back_sorted_and_typed(tmp_path: Path) -> None:
    """What is read has the declared types, sorted by the key."""
    write_table(tmp_path / "sales.parquet", SALES, orange_juice.SALES)
    back = read_table(tmp_path / "sales.parquet", orange_juice.SALES)
    assert back["store"].tolist() == [2, 5]
    assert back.dtypes.astype(str).to_dict() == {
        "store": "int64",
        "product": "int64",
        "week": "datetime64[us]",
        "units": "int64",
    }


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the order of its rows."""
    write_table(tmp_path / "a.parquet", SALES, orange_juice.SALES, {"run_id": "x"})
    write_table(tmp_path / "b.parquet", SALES.iloc[::-1], orange_juice.SALES, {"run_id": "x"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_metadata_and_units_travel_with_the_file(tmp_path: Path) -> None:
    """A file says what it is: its grain, what its writer adds, and the unit of every column."""
    write_table(tmp_path / "sales.parquet", SALES, orange_juice.SALES, {"run_id": "x"})
    metadata = read_metadata(tmp_path / "sales.parquet")
    assert metadata["run_id"] == "x"
    assert metadata["grain"].startswith("One row per (store, product, week)")
    assert pq.read_schema(tmp_path / "sales.parquet").field("units").metadata[b"unit"] == b"units sold in the week"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """An error while writing leaves the old content, and no temporary file."""
    path = tmp_path / "file"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_file(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_many_files_are_read_as_one_frame(tmp_path: Path) -> None:
    """In the order given, as if read one after the other; none give the empty table; a damaged one is named."""
    paths = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    write_table(paths[0], SALES, orange_juice.SALES)
    write_table(paths[1], SALES.assign(store=9), orange_juice.SALES)
    one_by_one = pd.concat([read_table(path, orange_juice.SALES) for path in paths], ignore_index=True)
    pd.testing.assert_frame_equal(read_tables(paths, orange_juice.SALES), one_by_one)
    pd.testing.assert_frame_equal(read_tables([], orange_juice.SALES), orange_juice.SALES.empty())
    paths[1].write_bytes(b"not parquet")
    with pytest.raises(SchemaError, match=r"2\.parquet.*restore that file"):
        read_tables(paths, orange_juice.SALES)


@pytest.mark.parametrize("damage", [b"", b"not parquet", None])
def test_a_damaged_file_is_named(tmp_path: Path, damage: bytes | None) -> None:
    """A file that is empty, of another kind or with a flipped byte is refused by name with a remedy."""
    path = tmp_path / "sales.parquet"
    write_table(path, SALES, orange_juice.SALES)
    content = path.read_bytes()
    column = pq.read_metadata(path).row_group(0).column(3)
    last = column.dictionary_page_offset + column.total_compressed_size - 1
    flipped = content[:last] + bytes([content[last] ^ 0xFF]) + content[last + 1 :]
    path.write_bytes(flipped if damage is None else damage)
    with pytest.raises(SchemaError, match=r"sales\.parquet.*restore that file"):
        read_table(path, orange_juice.SALES)


def test_plain_values_come_back(tmp_path: Path) -> None:
    """JSON in, the same values out."""
    write_json(tmp_path / "a.json", {"b": 1, "a": [None, "ü"]})
    assert read_json(tmp_path / "a.json") == {"b": 1, "a": [None, "ü"]}


def test_a_read_only_folder_is_an_error(tmp_path: Path) -> None:
    """A target whose folder is a file cannot be written, and the error says so."""
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(OSError, match="folder"):
        replace_file(tmp_path / "folder" / "x", lambda temporary: temporary.touch())


def test_dates_are_read_from_names(tmp_path: Path) -> None:
    """Of files and of folders; other names are skipped."""
    (tmp_path / "1992-04-23.parquet").touch()
    (tmp_path / "1992-04-16").mkdir()
    (tmp_path / "notes.parquet").touch()
    assert dates(tmp_path, "*") == [date(1992, 4, 16), date(1992, 4, 23)]
    assert dates(tmp_path / "missing", "*") == []
