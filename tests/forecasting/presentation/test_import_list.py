"""Rows that were not taken in can be opened and read by a person, and calculate nothing."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from forecasting.presentation.import_list import write_import_list
from forecasting.storage.location import local_file


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-3", "'-3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ("Café, Straße", "Café, Straße"),
        ("two\nlines", "two\nlines"),
        ("a\0b", "a\\0b"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula(tmp_path: Path, text: str | None, cell: str) -> None:
    """A text that begins like one gets an apostrophe; all others are as they were sent."""
    rows = pd.DataFrame({"file": ["a.csv"], "line": [7], "store": pd.Series([text], dtype="str")})

    write_import_list(local_file(tmp_path / "imports" / "list.csv"), rows)

    content = (tmp_path / "imports" / "list.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(content.decode("utf-8-sig").splitlines(keepends=True))) == [
        ["file", "line", "store"],
        ["a.csv", "7", cell],
    ]
