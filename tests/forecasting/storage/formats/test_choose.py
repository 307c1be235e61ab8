"""The format of a file."""

import pytest

from forecasting.storage.formats.choose import format_of


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"store,week\n", "text"),
        ("a.tsv", b"store\tweek\n", "text"),
        ("a", b"", "text"),
        ("a.PARQUET", b"damaged", "Parquet"),
        ("a.csv", b"PAR1...", "Parquet"),
        ("a.xlsx", b"damaged", "workbook"),
        ("a.csv", b"PK\x03\x04...", "workbook"),
        ("a.parquet.csv", b"store\n", "text"),
    ],
)
def test_the_content_decides_before_the_name(name: str, content: bytes, expected: str) -> None:
    """A workbook that was renamed to .csv is still a workbook."""
    assert format_of(name, content).name == expected
