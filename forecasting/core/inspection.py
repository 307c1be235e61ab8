"""The inspection of inbox rows, one rule after the other: a row keeps the first rule that it broke.

Rows arrive as text, exactly as the file had them, in a frame of `raw_columns`: one row per line of a file.
Nothing is guessed: a value that is not written as declared is flagged with the name of the rule it broke.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import days_of, is_week_start, weeks_of
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Id, PanelDefinition

WHOLE_NUMBER = r"-?(?:0|[1-9][0-9]{0,8})"
DECIMAL_NUMBER = r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?"
ISO_DATE = r"(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"
NOT_A_NUMBER = {"nan", "na", "null", "none"}
INFINITE = {"inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"}


# The keys of a series, whose values are ids.
IDS = ("store", "product")


class PassedOver(StrEnum):
    """Why a row is neither accepted nor an error: it is no row of the panel, or nobody can use it."""

    LEFT_OUT = "left_out"
    REPEATED_HEADER = "repeated_header"


def raw_columns(definition: PanelDefinition) -> list[str]:
    """Return the columns of rows to inspect.

    `file_week`, `file_store`: what the file's name declares, if anything. `layout`: place of the file's layout among
    those of the lake. `passed_over`: a `PassedOver`, or empty. `rule`, `detail`: what the reader already found wrong
    with the line, else empty. All others are texts as the file has them.
    """
    values = schemas.inbox_columns(definition, "week_or_date")
    return ["file", "file_week", "file_store", "line", "layout", *values, "revenue", "passed_over", "rule", "detail"]


class Rows:
    """The rows under inspection; a row keeps the first rule that it broke."""

    def __init__(self, rows: pd.DataFrame, definition: PanelDefinition, layouts: Sequence[Layout]) -> None:
        self.definition = definition
        self.layouts = layouts
        self.frame = rows[raw_columns(definition)].reset_index(drop=True)
        self.frame["daily"] = self.frame["layout"].map({n: each.grain == "day" for n, each in enumerate(layouts)})
        self.frame["file_week"] = pd.to_datetime(self.frame["file_week"]).astype("datetime64[us]")
        self.parsed = pd.DataFrame(index=self.frame.index)

    @property
    def good(self) -> pd.DataFrame:
        """Return typed values of the rows that broke no rule so far."""
        everything = self.parsed.assign(
            file=self.frame["file"], file_week=self.frame["file_week"], daily=self.frame["daily"].astype(bool)
        )
        return everything[self.frame["rule"] == ""]

    def quarantined(self) -> pd.DataFrame:
        """Return the rows that broke a rule (table `quarantine`)."""
        return schemas.quarantine(self.definition).cast(self.frame[self.frame["rule"] != ""])

    def flag(self, broken: pd.Series, rule: str, column: str | None, remedy: str) -> None:
        """Mark rows that broke `rule` and no other rule before."""
        hit = broken.reindex(self.frame.index, fill_value=False).astype(bool) & (self.frame["rule"] == "")
        if not hit.any():
            return
        self.frame.loc[hit, "rule"] = rule
        found = column + " is " + self.frame.loc[hit, column].map(repr) + ": " if column else ""
        self.frame.loc[hit, "detail"] = found + remedy

    def parse_keys(self) -> None:
        """Check store, product and week."""
        for name in schemas.SERIES:
            self._parse_number(name, WHOLE_NUMBER, "a whole number without leading zeros or separators")
        text = self.frame["week_or_date"]
        day = pd.to_datetime(text.where(text.str.fullmatch(ISO_DATE)), format="%Y-%m-%d", errors="coerce")
        self.flag(day.isna(), "not_a_date", "week_or_date", "write dates as YYYY-MM-DD")
        daily = self.frame["daily"].astype(bool)
        day = day.astype("datetime64[us]")
        opens = is_week_start(day, self.definition.week_starts_on)
        self.flag(~daily & ~opens, "wrong_week", "week_or_date", "name a week by its first day")
        self.parsed["date"] = day
        self.parsed["week"] = weeks_of(day, self.definition.week_starts_on).where(daily, day)

    def parse_values(self) -> None:
        """Check units and covariates, each covariate by its role."""
        self._parse_number("units", WHOLE_NUMBER, "a whole number without separators", optional=True)
        for each in self.definition.covariates:
            is_flag = each.role == "flag"
            form = "0 or 1" if is_flag else f"{each.meaning}, as a number with a decimal point"
            pattern = WHOLE_NUMBER if is_flag else DECIMAL_NUMBER
            self._parse_number(each.name, pattern, form, negative=each.role == "number")
        for each in self.definition.covariates:
            values = self.parsed[each.name]
            wrong = values.notna() & ~each.is_possible(values)
            self.flag(wrong, "out_of_range", each.name, f"it must be {each.range} ({each.meaning})")

    def require_known(self, stores: pd.Series, products: pd.Series) -> None:
        """Check that store and product are in the reference tables."""
        remedy = "correct it, or add the {0} to the lake's table of {0}s"
        self.flag(~self.parsed["store"].isin(stores), "unknown_store", "store", remedy.format("store"))
        self.flag(~self.parsed["product"].isin(products), "unknown_product", "product", remedy.format("product"))

    def require_file_week(self) -> None:
        """Check that units are of the week that the file's name declares; weeks ahead have a plan and no units."""
        week, file_week, sold = self.parsed["week"], self.frame["file_week"], self.parsed["units"].notna()
        remedy = "the file's name declares another week: move the row to that week's file"
        self.flag(sold & (week != file_week), "wrong_week", "week_or_date", remedy)
        self.flag(~sold & (week < file_week), "wrong_week", "week_or_date", "a plan lies ahead of the file's week")
        self.flag(~sold & (week == file_week), "missing_value", "units", "report 0 where nothing was sold")

    def drop_duplicates(self) -> pd.Index:
        """Return rows that repeat an earlier row exactly; flag rows that contradict each other."""
        good = self.good
        # A plan for a week ahead may differ from the plan in a later file: the newest file's holds.
        key = ["store", "product", "date", "file_week"]
        values = ["units", *self.definition.names]
        repeated = good[good.duplicated(key, keep=False)]
        distinct = repeated.drop_duplicates([*key, *values]).groupby(key).size()
        conflicting = distinct[distinct > 1].index
        is_conflicting = pd.MultiIndex.from_frame(repeated[key]).isin(conflicting)
        self.flag(
            pd.Series(True, index=repeated.index[is_conflicting]),
            "conflicting_duplicate",
            None,
            "other rows give this store, product and week other values: send one row only",
        )
        good = self.good
        return good.index[good.duplicated(key)]

    def require_all_days(self) -> dict[tuple[Id, date], tuple[date, ...]]:
        """Flag the daily rows of a series whose week lacks a day; return the lacking days by store and week."""
        good = self.good
        daily = good[good["daily"] & good["units"].notna()]
        missing: dict[tuple[Id, date], set[date]] = {}
        for (store, _, week), rows in daily.groupby(schemas.CELL):
            lacking = set(days_of(week.date())) - set(rows["date"].dt.date)
            if lacking:
                missing.setdefault((int(store), week.date()), set()).update(lacking)
                days = ", ".join(map(str, sorted(lacking)))
                remedy = f"the week lacks {days}: send the sales of those days too"
                self.flag(pd.Series(True, index=rows.index), "day_missing", None, remedy)
        return {key: tuple(sorted(days)) for key, days in missing.items()}

    def _parse_number(
        self, name: str, pattern: str, form: str, *, optional: bool = False, negative: bool = False
    ) -> None:
        text = self.frame[name]
        lowered = text.str.lower()
        empty = text == ""
        self.flag(lowered.isin(INFINITE), "infinite", name, f"write {form}")
        self.flag(lowered.isin(NOT_A_NUMBER), "missing_value", name, f"write {form}")
        if not optional:
            self.flag(empty, "missing_value", name, f"write {form}")
        well_formed = text.str.fullmatch(pattern)
        self.flag(~well_formed & ~empty, "not_a_number", name, f"write {form}")
        # Rows that are not well formed are flagged, and keep an empty value that no later rule looks at.
        self.parsed[name] = pd.to_numeric(text.where(well_formed), errors="coerce")
        if not negative:
            self.flag(self.parsed[name] < 0, "negative", name, "it cannot be less than 0")


def no_rows(definition: PanelDefinition) -> pd.DataFrame:
    """Return the rows of an empty inbox."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in raw_columns(definition)})
