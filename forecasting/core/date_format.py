"""How the dates of a column are written."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from forecasting.core.text_column import TextColumn

# A column is one of dates if so many of its values are.
DATE_SHARE = 0.9
EXCEL_EPOCH = pd.Timestamp("1899-12-30")
EXCEL_DAYS = (20000, 65000)  # 1954 to 2077
_TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", "T%H:%M", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_NAMED_MONTHS = (
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%d-%B-%Y",
    "%d%b%Y",
    "%A, %d %B %Y",
    "%a, %d %b %Y",
    "%A, %B %d, %Y",
    "%a %d %b %Y",
    "%d. %B %Y",
)
_OFFSET = r"(Z|[+-]\d{2}:?\d{2})$"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?")
# Time zones that are tried where the data state offsets that change with the season.
_ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Helsinki",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Australia/Sydney",
    "Pacific/Auckland",
)


@dataclass(frozen=True, eq=False)
class DateReading:
    """How a column is read as dates.

    format: as of a layout. days: the day of each text of the column, NaT where it is none.
    has_time: whether values have a time of day. zone: time zone that the data state; empty for none.
    share: rows whose value is a date. doubt: a sentence where the file leaves it open, else empty.
    """

    format: str
    days: pd.Series
    has_time: bool
    share: float
    zone: str = ""
    doubt: str = ""


def read_dates(column: TextColumn, *, named_as_date: bool) -> DateReading | None:
    """Return how a column is read as dates; None if it is not one of dates.

    Args:
        column: the values.
        named_as_date: whether its name speaks of dates: numbers are days of a spreadsheet only then.
    """
    texts = column.texts
    if not len(texts):
        return None
    sample = texts.iloc[:: max(1, len(texts) // 200)]
    first = next((text for text in sample if re.search(r"\d", text)), "")
    if not first:
        return None
    share = lambda pattern: float(sample.str.fullmatch(pattern).mean())  # noqa: E731
    if share(_ISO.pattern) >= DATE_SHARE:
        return _iso(column)
    if share(r"\d{4}-?W\d{2}") >= DATE_SHARE:
        days = pd.to_datetime(texts.str.replace("-", "") + "1", format="%GW%V%u", errors="coerce")
        return _reading(column, "iso_week", days)
    if share(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?:[ T].*)?") >= DATE_SHARE:
        return _day_and_month(column, sample)
    if share(r"\d{4}[/. ]\d{1,2}[/. ]\d{1,2}(?:[ T].*)?") >= DATE_SHARE:
        mark = sample.iloc[0][4]
        return _first_that_reads(column, sample, [f"%Y{mark}%m{mark}%d"])
    if share(r"(?:19|20)\d{6}") >= DATE_SHARE and named_as_date:
        return _first_that_reads(column, sample, ["%Y%m%d"])
    if share(r"\d{5}(?:[.,]\d+)?") >= DATE_SHARE and named_as_date:
        days = pd.to_numeric(texts.str.replace(",", "."), errors="coerce")
        days = days.where(days.between(*EXCEL_DAYS))
        return _reading(column, "excel", EXCEL_EPOCH + pd.to_timedelta(days, unit="D"))
    if share(r".*[^\W\d]{3}.*\d.*") >= DATE_SHARE and share(r".*\d{2}.*") >= DATE_SHARE:
        return _first_that_reads(column, sample, list(_NAMED_MONTHS))
    return None


def _iso(column: TextColumn) -> DateReading | None:
    texts = column.texts
    timed = texts.str.len() > len("2024-01-01")
    offsets = texts.where(timed).str.extract(_OFFSET)[0]
    days = pd.to_datetime(
        texts.where(offsets.isna(), texts.str.replace(_OFFSET, "", regex=True)).str.strip(),
        format="ISO8601",
        errors="coerce",
    )
    zone, doubt = _zone(days, offsets) if offsets.notna().any() else (column.zone, "")
    return _reading(column, "iso", days, zone, doubt)


def _zone(days: pd.Series, offsets: pd.Series) -> tuple[str, str]:
    """Return the time zone whose clocks the offsets of timestamps are."""
    stated = offsets.dropna().str.replace("Z", "+0000").str.replace(":", "")
    if (stated == "+0000").all():
        return "UTC", ""
    minutes = stated.str[:3].astype(int) * 60 + stated.str[0].map({"+": 1, "-": -1}) * stated.str[3:].astype(int)
    sample = days.loc[minutes.index].dropna().iloc[:: max(1, len(days) // 500)]
    if len(set(minutes)) > 1:
        for zone in _ZONES:
            found = [datetime.fromisoformat(str(day)).replace(tzinfo=ZoneInfo(zone)).utcoffset() for day in sample]
            if all(
                each and each.total_seconds() / 60 == minutes[at] for at, each in zip(sample.index, found, strict=True)
            ):
                return (
                    zone,
                    f"The offsets of the timestamps are those of {zone} among others: name the zone of your stores",
                )
    hours = int(minutes.mode()[0]) // 60
    zone = f"Etc/GMT{-hours:+d}" if hours else "UTC"  # these names count westwards
    return zone, f"The timestamps have the offset {stated.mode()[0]} but name no time zone: {zone} is proposed"


def _day_and_month(column: TextColumn, sample: pd.Series) -> DateReading | None:
    """Return the reading of numbers with day and month in either order, by which of them exceed 12."""
    texts = column.texts
    parts = texts.str.extract(r"^(\d{1,2})[./-](\d{1,2})[./-](\d{2,4})").astype("float64")
    first, second = parts[0] > 12, parts[1] > 12
    mark = next((text for text in sample[0][1:3] if not text.isdigit()), "/") if 0 in sample.index else "/"
    year = "%Y" if (parts[2] > 99).mean() > 0.5 else "%y"
    day_first, month_first = f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}"
    n, example = len(texts), str(sample.iloc[0])
    if first.sum() > second.sum():
        order, why = [day_first], f"{first.sum()} of {n} dates have a first number over 12, so the day comes first"
    elif second.sum() > 0:
        order, why = (
            [month_first],
            f"{second.sum()} of {n} dates have a second number over 12, so the month comes first",
        )
    else:
        order, why = _by_distance(parts, day_first, month_first, mark)
    reading = _first_that_reads(column, sample, order)
    if reading is None:
        return None
    return DateReading(
        reading.format,
        reading.days,
        reading.has_time,
        reading.share,
        reading.zone,
        f"`{example}` may have the day or the month first: {why}",
    )


def _by_distance(parts: pd.DataFrame, day_first: str, month_first: str, mark: str) -> tuple[list[str], str]:
    """Return the order in which dates lie a day or whole weeks apart, where no number is over 12."""
    year = parts[2].where(parts[2] > 99, parts[2] + 2000)
    for order, day, month in ((day_first, 0, 1), (month_first, 1, 0)):
        days = pd.to_datetime(pd.DataFrame({"year": year, "month": parts[month], "day": parts[day]}), errors="coerce")
        distances = days.dropna().drop_duplicates().sort_values().diff().dropna().dt.days
        if len(distances) > 1 and (distances % 7 == 0).all():
            return [order], "in this order all dates lie whole weeks apart"
    if mark == ".":
        return [day_first], "no number is over 12; with points between them the day usually comes first"
    return [day_first], "no number is over 12, so nothing in the file tells"


def _first_that_reads(column: TextColumn, sample: pd.Series, formats: list[str]) -> DateReading | None:
    for date_format in formats:
        for time in _TIMES:
            if pd.to_datetime(sample, format=date_format + time, errors="coerce").notna().mean() >= DATE_SHARE:
                days = pd.to_datetime(column.texts, format=date_format + time, errors="coerce")
                return _reading(column, date_format + time, days)
    return None


def _reading(
    column: TextColumn, date_format: str, days: pd.Series, zone: str = "", doubt: str = ""
) -> DateReading | None:
    share = column.share(days.notna().to_numpy())
    if share < DATE_SHARE:
        return None
    floor = days.dt.normalize()
    has_time = bool((days.dropna() != floor.dropna()).any())
    return DateReading(date_format, floor, has_time, share, zone, doubt)
