"""Parquet files of any type, and damaged ones."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecasting.contracts.layout import Layout
from forecasting.storage.formats.columns import FileColumns, UnreadableFileError
from forecasting.storage.formats.parquet import header, read

LAYOUT = Layout("plain", {"date": ("week",)})
MOMENT = datetime(2023, 1, 2, 3, tzinfo=UTC)


def parquet(columns: Mapping[str, object]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def read_all(content: bytes, most_rows: int | None = None) -> FileColumns:
    return read(content, LAYOUT, header(content, LAYOUT), "America/Chicago", most_rows, lambda _: None)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array(["a", None], pa.string()), ["a", ""]),
        (pa.array(["a", None], pa.large_string()), ["a", ""]),
        (pa.array(["a", None]).dictionary_encode(), ["a", ""]),
        (pa.array([101, None], pa.int64()).dictionary_encode(), ["101", ""]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([101.0, 2.14, None, np.nan, 1e20, np.inf]), ["101", "2.14", "", "", "1e+20", "inf"]),
        (pa.array([2.14, 101], pa.float32()), ["2.14", "101"]),
        (pa.array(np.array([2.5], "float16")), ["2.5"]),
        (pa.array([Decimal("2.50"), Decimal("101.00"), None]), ["2.50", "101", ""]),
        (pa.array([Decimal("2.50")], pa.decimal256(40, 2)), ["2.50"]),
        (pa.array([True, None]), ["1", ""]),
        (pa.array([MOMENT, None], pa.date32()), ["2023-01-02", ""]),
        (pa.array([MOMENT], pa.date64()), ["2023-01-02"]),
        *((pa.array([MOMENT, None], pa.timestamp(unit)), ["2023-01-02", ""]) for unit in ("s", "ms", "us", "ns")),
        *((pa.array([MOMENT], pa.timestamp(unit, "UTC")), ["2023-01-01"]) for unit in ("s", "ms", "us", "ns")),
        (pa.array([MOMENT], pa.timestamp("us", "Asia/Tokyo")), ["2023-01-01"]),
        (pa.array([MOMENT], pa.timestamp("us", "+02:00")), ["2023-01-01"]),
        (pa.array([b"Caf\xc3\xa9"], pa.binary()), ["Café"]),
        (pa.array([[1]], pa.list_(pa.int64())), ["[1]"]),
        (pa.nulls(1), [""]),
        (pa.array([], pa.float64()), []),
    ],
)  # fmt: skip
def test_each_type_is_text(array: pa.Array, expected: list[str]) -> None:
    """As the layout declares it, whole numbers without a point, moments as dates of the panel's time zone."""
    assert read_all(parquet({"x": array})).texts["x"].to_pylist() == expected


def test_decimal_types_are_named() -> None:
    """Whole numbers in them look as if they had been written as such."""
    assert read_all(parquet({"store": pa.array([101.0]), "units": pa.array([3])})).decimals == {"store"}


def test_rows_are_counted_from_the_header_on() -> None:
    """Line 1 stands for it; the rest of a file may be left."""
    content = parquet({"x": pa.array([1, 2, 3])})
    assert read_all(content).lines.to_pylist() == [2, 3, 4]
    assert read_all(content, most_rows=2).texts["x"].to_pylist() == ["1", "2"]


@pytest.mark.parametrize(
    "array",
    [
        pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, 2], "int32")), pa.py_buffer(b"\xff\xfe")),
        pa.array([b"\xff\xfe"], pa.binary()),
        pa.array([2**31 - 1], pa.int32()).cast(pa.date32()),
        pa.array([2**61], pa.int64()).cast(pa.timestamp("us")),
        pa.array([2**61], pa.int64()).cast(pa.timestamp("us", "UTC")),
        pa.array([2**61], pa.int64()).cast(pa.timestamp("ms")),
        pa.array([-(2**61)], pa.int64()).cast(pa.timestamp("ms", "UTC")),
    ],
)
def test_a_value_out_of_the_range_of_its_type_makes_the_file_unreadable(array: pa.Array) -> None:
    """The file is named, whatever the library raises."""
    with pytest.raises(UnreadableFileError) as error:
        read_all(parquet({"week": array}))
    assert error.value.fault.rule == "unreadable_file"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 and then nothing", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_damaged_file_is_unreadable(content: bytes) -> None:
    """Also one that was cut."""
    with pytest.raises(UnreadableFileError, match="send the file again"):
        header(content, LAYOUT)
