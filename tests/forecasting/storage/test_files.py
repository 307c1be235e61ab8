"""Files are replaced whole, and tables come back as they went in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.storage import files
from forecasting.storage.files import (
    dates,
    read_json,
    read_metadata,
    read_table,
    read_tables,
    write_json,
    write_table,
)
from forecasting.storage.location import local_file, open_location

TEXT_IDS = replace(
    ORANGE_JUICE, store=replace(ORANGE_JUICE.store, id="text"), product=replace(ORANGE_JUICE.product, id="text")
)

SALES = pd.DataFrame(
    {"store": [5, 2], "product": [1, 1], "week": pd.to_datetime(["1992-04-16", "1992-04-16"]), "units": [7, 3]}
)


def test_a_table_comes_back_sorted_and_typed(tmp_path: Path) -> None:
    """What is read has the declared types, sorted by the key."""
    write_table(local_file(tmp_path / "sales.parquet"), SALES, orange_juice.SALES)
    back = read_table(local_file(tmp_path / "sales.parquet"), orange_juice.SALES)
    assert back["store"].tolist() == [2, 5]
    assert back.dtypes.astype(str).to_dict() == {
        "store": "int64",
        "product": "int64",
        "week": "datetime64[us]",
        "units": "int64",
    }


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the order of its rows."""
    write_table(local_file(tmp_path / "a.parquet"), SALES, orange_juice.SALES, {"run_id": "x"})
    write_table(local_file(tmp_path / "b.parquet"), SALES.iloc[::-1], orange_juice.SALES, {"run_id": "x"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_metadata_and_units_travel_with_the_file(tmp_path: Path) -> None:
    """A file says what it is: its grain, what its writer adds, and the unit of every column."""
    write_table(local_file(tmp_path / "sales.parquet"), SALES, orange_juice.SALES, {"run_id": "x"})
    metadata = read_metadata(local_file(tmp_path / "sales.parquet"))
    assert metadata["run_id"] == "x"
    assert metadata["grain"].startswith("One row per (store, product, week)")
    assert pq.read_schema(tmp_path / "sales.parquet").field("units").metadata[b"unit"] == b"units sold in the week"


def test_many_files_are_read_as_one_frame(tmp_path: Path) -> None:
    """In the order given, as if read one after the other; none give the empty table; a damaged one is named."""
    paths = [local_file(tmp_path / name) for name in ("1.parquet", "2.parquet")]
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
    write_table(local_file(path), SALES, orange_juice.SALES)
    content = path.read_bytes()
    column = pq.read_metadata(path).row_group(0).column(3)
    last = column.dictionary_page_offset + column.total_compressed_size - 1
    flipped = content[:last] + bytes([content[last] ^ 0xFF]) + content[last + 1 :]
    path.write_bytes(flipped if damage is None else damage)
    with pytest.raises(SchemaError, match=r"sales\.parquet.*restore that file"):
        read_table(local_file(path), orange_juice.SALES)


def test_plain_values_come_back(tmp_path: Path) -> None:
    """JSON in, the same values out."""
    write_json(local_file(tmp_path / "a.json"), {"b": 1, "a": [None, "ü"]})
    assert read_json(local_file(tmp_path / "a.json")) == {"b": 1, "a": [None, "ü"]}


def test_dates_are_read_from_names(tmp_path: Path) -> None:
    """Of files and of folders; other names are skipped."""
    (tmp_path / "1992-04-23.parquet").touch()
    (tmp_path / "1992-04-16").mkdir()
    (tmp_path / "notes.parquet").touch()
    folder = open_location(tmp_path)
    assert dates(folder.names()) == [date(1992, 4, 16)]
    assert dates(folder.names(), ".parquet") == [date(1992, 4, 23)]
    assert dates((folder / "missing").names()) == []


@pytest.mark.parametrize("ids", [int, "s{:04}".format], ids=["numbers", "texts"])
def test_a_range_of_stores_is_read_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: Callable[[int], object]
) -> None:
    """Both ends included, and only the row groups that may hold them."""
    monkeypatch.setattr(files, "GROUP_ROWS", 10)
    place, table = local_file(tmp_path / "sales.parquet"), schemas.sales(ORANGE_JUICE if ids is int else TEXT_IDS)
    rows = table.cast(pd.DataFrame({"store": [ids(n) for n in range(95)], "product": ids(1), **SALES.iloc[0][2:]}))
    write_table(place, rows, table)
    assert pq.read_metadata(place).num_row_groups == 10
    found = read_tables([place], table, (ids(28), ids(41)))
    pd.testing.assert_frame_equal(found, rows[28:42].reset_index(drop=True))
    assert read_tables([place], table, (ids(95), ids(99))).empty
    assert len(files._groups_of(pq.read_metadata(place), (ids(28), ids(41)))) == 3
