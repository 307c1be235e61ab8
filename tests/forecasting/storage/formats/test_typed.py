"""Typed values as text."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from forecasting.contracts.layout import Layout
from forecasting.storage.formats.typed import text_of

POINT = Layout("point", {"date": ("week",)})
COMMA = Layout("comma", {"date": ("week",)}, decimal=",", date_format="%d.%m.%Y")


@pytest.mark.parametrize(
    ("value", "point", "comma"),
    [
        (None, "", ""),
        (float("nan"), "", ""),
        ("1.5", "1.5", "1.5"),
        (True, "1", "1"),
        (101, "101", "101"),
        (101.0, "101", "101"),
        (4006381333931.0, "4006381333931", "4006381333931"),
        (2.14, "2.14", "2,14"),
        (1e20, "1e+20", "1e+20"),
        (float("inf"), "inf", "inf"),
        (Decimal("2.50"), "2.50", "2,50"),
        (Decimal("101.00"), "101", "101"),
        (Decimal("NaN"), "", ""),
        (date(2023, 1, 2), "2023-01-02", "02.01.2023"),
        (datetime.fromisoformat("2023-01-02 23:30"), "2023-01-02", "02.01.2023"),
        (datetime(2023, 1, 2, 3, tzinfo=UTC), "2023-01-01", "01.01.2023"),
        (datetime(2023, 1, 2, tzinfo=timezone(timedelta(hours=-6))), "2023-01-02", "02.01.2023"),
        (b"Caf\xc3\xa9", "Café", "Café"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_the_layout_declares(value: object, point: str, comma: str) -> None:
    """So that one parser reads typed files and text files; a moment has its date in the panel's time zone."""
    assert [text_of(value, layout, ZoneInfo("America/Chicago")) for layout in (POINT, COMMA)] == [point, comma]
