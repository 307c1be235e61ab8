"""Dates as layouts write them: text to day, and day to text."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import NAMED_DATE_FORMATS

FIRST_YEAR, LAST_YEAR = 1900, 2200
# Day 0 of spreadsheet programs.
EXCEL_DAY_0 = date(1899, 12, 30)
ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)? ?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
ISO_WEEK = re.compile(r"(?P<year>[0-9]{4})-?W(?P<week>[0-9]{2})")
EXCEL_NUMBER = re.compile(r"[0-9]{1,6}(?:[.,][0-9]+)?")


def write_date(day: date, date_format: str) -> str:
    """Return the text of a day in a date format; as `iso` where the format would say another day, such as its month."""
    match date_format:
        case "iso":
            return day.isoformat()
        case "iso_week":
            year, week, weekday = day.isocalendar()
            return f"{year:04d}-W{week:02d}" if weekday == 1 else day.isoformat()
        case "excel":
            return str((day - EXCEL_DAY_0).days)
        case _:
            text = day.strftime(date_format)
            return text if _strptime(text, date_format) == day else day.isoformat()


def _strptime(text: str, date_format: str) -> date | None:
    try:
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def parse_dates(texts: pd.Series, date_format: str, time_zone: str) -> pd.Series:
    """Return the days of texts.

    Args:
        texts: of dates, without spaces around them.
        date_format: a `Layout.date_format`.
        time_zone: in which a moment with a zone has its day.

    Returns:
        Days (`datetime64[us]`), empty where the text is no date of the format, or not from 1900 to 2200.
    """
    match date_format:
        case "iso":
            days = _each(texts, partial(_iso_day, zone=ZoneInfo(time_zone)))
        case "iso_week":
            days = _each(texts, _iso_week)
        case "excel":
            days = _each(texts, _excel_day)
        case _:
            days = _formatted(texts, date_format, time_zone)
    return days.where(days.dt.year.between(FIRST_YEAR, LAST_YEAR))


def _each(texts: pd.Series, day_of: Callable[[str], date | None]) -> pd.Series:
    # Dates repeat: each is parsed once.
    codes, distinct = pd.factorize(texts)
    days = np.array([_or_none(day_of, text) for text in distinct] + [None], dtype="datetime64[D]")
    return pd.Series(days[codes].astype("datetime64[us]"), index=texts.index)


def _or_none(day_of: Callable[[str], date | None], text: str) -> date | None:
    try:
        return day_of(text)
    except (ValueError, OverflowError):
        return None


def _iso_day(text: str, zone: ZoneInfo) -> date | None:
    found = ISO.fullmatch(text)
    if not found:
        return None
    if not found["zone"]:
        # The time is checked too: 25:00 is none.
        return datetime.fromisoformat(text.replace(",", ".").rstrip()).date()
    return datetime.fromisoformat(text.replace(" Z", "Z").replace(",", ".")).astimezone(zone).date()


def _iso_week(text: str) -> date | None:
    found = ISO_WEEK.fullmatch(text)
    return date.fromisocalendar(int(found["year"]), int(found["week"]), 1) if found else None


def _excel_day(text: str) -> date | None:
    if not EXCEL_NUMBER.fullmatch(text):
        return None
    return EXCEL_DAY_0 + timedelta(days=math.floor(float(text.replace(",", "."))))


def _formatted(texts: pd.Series, date_format: str, time_zone: str) -> pd.Series:
    # Words such as "now" would be taken for dates.
    written = texts.where(texts.str.contains("[0-9]", regex=True))
    has_zone = "%z" in date_format or "%Z" in date_format
    try:
        moments = pd.to_datetime(written, format=date_format, errors="coerce", utc=has_zone)
    except ValueError as error:
        raise DataError(
            f"The date format {date_format!r} cannot be used ({error})",
            f"write one of {', '.join(NAMED_DATE_FORMATS)} or a format of datetime.strptime",
        ) from error
    if has_zone:
        moments = moments.dt.tz_convert(time_zone).dt.tz_localize(None)
    return moments.dt.normalize().astype("datetime64[us]")
