"""Typed values, of Parquet and of workbooks, as the text that the layout declares.

The text is written as the layout says that text files are, so that one parser reads both: a date in its date format, a
number with its decimal mark.
"""

import math
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from forecasting.contracts.layout import Layout
from forecasting.core.dates import write_date

# Whole numbers that a decimal type holds exactly.
MOST_EXACT = 2**53


def text_of(value: object, layout: Layout, zone: ZoneInfo) -> str:
    """Return the text of a value.

    Args:
        value: of any type; None and a decimal that is not a number are empty.
        layout: declares how dates and numbers are written.
        zone: in which a moment has its date.

    Raises:
        ValueError, OverflowError: the value is out of the range of its type.
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bytes():
            return value.decode("utf-8")
        case bool():
            return str(int(value))
        case float():
            return number_text(value, layout)
        case Decimal():
            return decimal_text(value, layout)
        case datetime():
            local = value.astimezone(zone) if value.tzinfo else value
            return write_date(local.date(), layout.date_format)
        case date():
            return write_date(value, layout.date_format)
        case _:
            return str(value)


def number_text(value: float, layout: Layout) -> str:
    """Return a decimal number as text, whole numbers without a point."""
    if math.isnan(value):
        return ""
    if value.is_integer() and abs(value) < MOST_EXACT:
        return str(int(value))
    return repr(value).replace(".", layout.decimal)


def decimal_text(value: Decimal, layout: Layout) -> str:
    """Return an exact decimal number as text, whole numbers without a point."""
    if value.is_nan():
        return ""
    if value == value.to_integral_value():
        return str(int(value))
    return str(value).replace(".", layout.decimal)
