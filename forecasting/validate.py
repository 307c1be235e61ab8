"""Validation of inbox rows: every row is accepted, dropped as a duplicate, or quarantined with a rule.

Rows arrive as text, exactly as the file had them, in a frame of `RAW_COLUMNS`: one row per line of a file.
Nothing is guessed: a value that is not written as declared is quarantined with the name of the rule it broke.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from forecasting import schemas
from forecasting.weeks import THURSDAY, days_of, is_week_start, weeks_of

# `file_week`: the week that the file's name declares. `daily`: the file has a date where others have a week.
# `rule`, `detail`: what the reader already found wrong with the line, else empty.
RAW_COLUMNS = [
    "file",
    "file_week",
    "line",
    "daily",
    "store",
    "brand",
    "week_or_date",
    "units",
    "price",
    "deal",
    "feat",
    "rule",
    "detail",
]

WHOLE_NUMBER = r"-?(?:0|[1-9][0-9]{0,8})"
DECIMAL_NUMBER = r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?"
ISO_DATE = r"(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"
NOT_A_NUMBER = {"nan", "na", "null", "none"}
INFINITE = {"inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"}

# Calibrated on the real data, whose widest honest jump is 38.6 times a series' highest week, shared by the
# brand's stores; set against those, no honest row exceeds 11 times.
PROPORTION_MIN_WEEKS = 8
PROPORTION_TO_OWN_MAXIMUM = 3.0
PROPORTION_TO_OTHER_STORES = 20.0
PROPORTION_BEYOND_ANY_DOUBT = 60.0


@dataclass(frozen=True)
class Validated:
    """The outcome of a validation: `rows_in` = `accepted` + `dropped` + rows of `quarantined`.

    sales: accepted rows with units, one per cell (table `sales`; daily rows are summed into weeks).
    promotions: what the accepted rows tell of prices and promotions, one row per cell (table `promotions`).
    late_plans: the same of late files, for weeks of which nothing newer is known.
    quarantined: the other rows (table `quarantine`).
    missing_days: the days still missing, by (store, week), of stores that report daily.
    """

    sales: pd.DataFrame
    promotions: pd.DataFrame
    late_plans: pd.DataFrame
    quarantined: pd.DataFrame
    missing_days: dict[tuple[int, date], tuple[date, ...]]
    rows_in: int
    accepted: int
    dropped: int

    @property
    def quarantined_by_rule(self) -> dict[str, int]:
        counts = self.quarantined["rule"].value_counts().sort_index()
        return {str(rule): int(count) for rule, count in counts.items()}


def validate(
    rows: pd.DataFrame,
    *,
    stores: pd.DataFrame,
    brands: pd.DataFrame,
    collected: pd.DataFrame,
    week_starts_on: int = THURSDAY,
) -> Validated:
    """Check every inbox row against the contract and against what was collected before.

    Args:
        rows: one row per line, `RAW_COLUMNS`, all text.
        stores, brands: the known ones.
        collected: sales that are already in the lake (table `sales`).
        week_starts_on: weekday that opens a week, Monday = 0.

    Returns:
        Accepted sales and promotions, the quarantined rows, and the counts that account for every row.
    """
    checked = _Rows(rows)
    checked.parse_keys(week_starts_on)
    checked.parse_values()
    checked.require_known(stores["store"], brands["brand"])
    checked.require_file_week()
    duplicates = checked.drop_duplicates()
    # Before the days are counted: a day that is set aside is a day that is missing.
    checked.require_proportion(collected)
    missing_days = checked.require_all_days()
    in_collected = checked.compare_with(collected)
    good = checked.good[~checked.good.index.isin(duplicates.union(in_collected))]
    told = checked.good.drop(duplicates, errors="ignore")
    # What a file of a week that was collected before says of other weeks is no news any more.
    is_late = (told["file_week"] <= collected["week"].max()) & told["units"].isna()
    dropped = int((checked.frame["rule"] == "").sum()) - len(good)
    quarantined = checked.quarantined()
    return Validated(
        sales=_weekly_sales(good),
        # A row that only repeats collected sales may still carry a newer plan of prices.
        promotions=_weekly_promotions(told[~is_late]),
        late_plans=_weekly_promotions(told[is_late]),
        quarantined=quarantined,
        missing_days=missing_days,
        rows_in=len(rows),
        accepted=len(good),
        dropped=dropped,
    )


class _Rows:
    """The rows under inspection; a row keeps the first rule that it broke."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.frame = rows[RAW_COLUMNS].reset_index(drop=True)
        self.frame["file_week"] = pd.to_datetime(self.frame["file_week"]).astype("datetime64[us]")
        self.parsed = pd.DataFrame(index=self.frame.index)

    @property
    def good(self) -> pd.DataFrame:
        """Typed values of the rows that broke no rule so far."""
        everything = self.parsed.assign(
            file=self.frame["file"], file_week=self.frame["file_week"], daily=self.frame["daily"].astype(bool)
        )
        return everything[self.frame["rule"] == ""]

    def quarantined(self) -> pd.DataFrame:
        return schemas.QUARANTINE.cast(self.frame[self.frame["rule"] != ""])

    def flag(self, broken: pd.Series, rule: str, column: str | None, remedy: str) -> None:
        """Mark rows that broke `rule` and no other rule before."""
        hit = broken.reindex(self.frame.index, fill_value=False).astype(bool) & (self.frame["rule"] == "")
        if not hit.any():
            return
        self.frame.loc[hit, "rule"] = rule
        found = column + " is " + self.frame.loc[hit, column].map(repr) + ": " if column else ""
        self.frame.loc[hit, "detail"] = found + remedy

    def parse_keys(self, week_starts_on: int) -> None:
        for name in schemas.SERIES:
            self._parse_number(name, WHOLE_NUMBER, "a whole number without leading zeros or separators")
        text = self.frame["week_or_date"]
        day = pd.to_datetime(text.where(text.str.fullmatch(ISO_DATE)), format="%Y-%m-%d", errors="coerce")
        self.flag(day.isna(), "not_a_date", "week_or_date", "write dates as YYYY-MM-DD")
        daily = self.frame["daily"].astype(bool)
        day = day.astype("datetime64[us]")
        opens = is_week_start(day, week_starts_on)
        self.flag(~daily & ~opens, "wrong_week", "week_or_date", "name a week by its first day")
        self.parsed["date"] = day
        self.parsed["week"] = weeks_of(day, week_starts_on).where(daily, day)

    def parse_values(self) -> None:
        self._parse_number("units", WHOLE_NUMBER, "a whole number of cartons without separators", optional=True)
        self._parse_number("price", DECIMAL_NUMBER, "dollars a carton, with a decimal point")
        usual = self.parsed["price"].between(0.01, 100_000) | self.parsed["price"].isna()
        self._parse_number("deal", WHOLE_NUMBER, "0 or 1")
        self._parse_number("feat", DECIMAL_NUMBER, "a share from 0 to 1, with a decimal point")
        self.flag(~usual, "out_of_range", "price", "a price lies between 0.01 and 100,000 dollars")
        self.flag(self.parsed["deal"] > 1, "out_of_range", "deal", "a deal is 0 or 1")
        self.flag(self.parsed["feat"] > 1, "out_of_range", "feat", "feat is a share from 0 to 1")

    def require_known(self, stores: pd.Series, brands: pd.Series) -> None:
        remedy = "correct it, or add the {0} to the lake's table of {0}s"
        self.flag(~self.parsed["store"].isin(stores), "unknown_store", "store", remedy.format("store"))
        self.flag(~self.parsed["brand"].isin(brands), "unknown_brand", "brand", remedy.format("brand"))

    def require_file_week(self) -> None:
        """Units belong to the week that the file's name declares; weeks ahead have a plan and no units."""
        week, file_week, sold = self.parsed["week"], self.frame["file_week"], self.parsed["units"].notna()
        remedy = "the file's name declares another week: move the row to that week's file"
        self.flag(sold & (week != file_week), "wrong_week", "week_or_date", remedy)
        self.flag(~sold & (week < file_week), "wrong_week", "week_or_date", "a plan lies ahead of the file's week")
        self.flag(~sold & (week == file_week), "missing_value", "units", "report 0 where nothing was sold")

    def drop_duplicates(self) -> pd.Index:
        """Rows that say again, to the letter, what an earlier row said; rows that contradict each other are flagged."""
        good = self.good
        # A plan for a week ahead may differ from the plan in a later file: the newest file's holds.
        key = ["store", "brand", "date", "file_week"]
        values = ["units", "price", "deal", "feat"]
        repeated = good[good.duplicated(key, keep=False)]
        distinct = repeated.drop_duplicates([*key, *values]).groupby(key).size()
        conflicting = distinct[distinct > 1].index
        is_conflicting = pd.MultiIndex.from_frame(repeated[key]).isin(conflicting)
        self.flag(
            pd.Series(True, index=repeated.index[is_conflicting]),
            "conflicting_duplicate",
            None,
            "other rows give this store, brand and week other values: send one row only",
        )
        good = self.good
        return good.index[good.duplicated(key)]

    def require_all_days(self) -> dict[tuple[int, date], tuple[date, ...]]:
        """Daily rows of a series whose week misses a day cannot stand for the week."""
        good = self.good
        daily = good[good["daily"] & good["units"].notna()]
        missing: dict[tuple[int, date], set[date]] = {}
        for (store, _, week), rows in daily.groupby(schemas.CELL):
            lacking = set(days_of(week.date())) - set(rows["date"].dt.date)
            if lacking:
                missing.setdefault((int(store), week.date()), set()).update(lacking)
                days = ", ".join(map(str, sorted(lacking)))
                remedy = f"the week lacks {days}: send the sales of those days too"
                self.flag(pd.Series(True, index=rows.index), "day_missing", None, remedy)
        return {key: tuple(sorted(days)) for key, days in missing.items()}

    def compare_with(self, collected: pd.DataFrame) -> pd.Index:
        """Rows whose sales the lake already has; rows that contradict the lake are flagged."""
        good = self.good
        weekly = _weekly_sales(good)
        both = weekly.merge(collected, on=schemas.CELL, suffixes=("", "_collected"))
        cells = pd.MultiIndex.from_frame(good[schemas.CELL])
        sold = good["units"].notna()

        def rows_of(cells_of: pd.DataFrame) -> pd.Index:
            return good.index[sold & cells.isin(pd.MultiIndex.from_frame(cells_of[schemas.CELL]))]

        changed = both[both["units"] != both["units_collected"]]
        self.flag(
            pd.Series(True, index=rows_of(changed)),
            "differs_from_collected",
            "units",
            "this week was collected with other units; what was collected stays",
        )
        return rows_of(both[both["units"] == both["units_collected"]])

    def require_proportion(self, collected: pd.DataFrame) -> None:
        """Units out of any proportion to their series, where the brand's other stores do not explain it."""
        history = collected.groupby(schemas.SERIES)["units"].agg(["max", "median", "size"])
        good = self.good
        sold = good[good["units"].notna()].join(history, on=schemas.SERIES)
        own = sold["units"] / sold["max"].clip(lower=1)
        suspects = sold[(sold["size"] >= PROPORTION_MIN_WEEKS) & (own > PROPORTION_TO_OWN_MAXIMUM)]
        # The brand's other stores may have reported the week before, in an earlier inbox.
        earlier = collected[collected["week"].isin(suspects["week"])].join(history, on=schemas.SERIES)
        witnesses = pd.concat([sold, earlier])
        witnesses["relative"] = witnesses["units"] / witnesses["median"].clip(lower=1)
        out = own[suspects.index] > PROPORTION_BEYOND_ANY_DOUBT
        for row in suspects.itertuples():
            same = (witnesses["brand"] == row.brand) & (witnesses["week"] == row.week)
            others = witnesses.loc[same & (witnesses["store"] != row.store), "relative"].median()
            shared = 1.0 if pd.isna(others) else max(others, 1.0)
            out[row.Index] |= row.units / max(row.median, 1.0) / shared > PROPORTION_TO_OTHER_STORES
        self.flag(
            out,
            "out_of_proportion",
            "units",
            "far beyond this series' highest week and the brand's other stores: check for a slipped unit or digit",
        )

    def _parse_number(self, name: str, pattern: str, form: str, optional: bool = False) -> None:
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
        self.flag(self.parsed[name] < 0, "negative", name, "it cannot be less than 0")


def _weekly_sales(rows: pd.DataFrame) -> pd.DataFrame:
    sold = rows[rows["units"].notna()]
    weekly = sold.drop_duplicates([*schemas.SERIES, "date"]).groupby(schemas.CELL, as_index=False)["units"].sum()
    return schemas.SALES.cast(weekly.astype(dict.fromkeys([*schemas.SERIES, "units"], "int64")))


def _weekly_promotions(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per cell; the newest file holds. A week of daily prices gives dollars sold by cartons sold."""
    newest = rows[rows["file_week"] == rows.groupby(schemas.CELL)["file_week"].transform("max")]
    weight = newest["units"].fillna(0).clip(lower=0)
    # Where nothing was sold, all days weigh the same.
    sold = weight.groupby([newest[name] for name in schemas.CELL]).transform("sum")
    weight = weight.where(sold > 0, 1.0)
    weekly = (
        newest.assign(value=newest["price"] * weight, weight=weight)
        .groupby(schemas.CELL, as_index=False)
        .agg(
            price=("price", "first"),
            value=("value", "sum"),
            weight=("weight", "sum"),
            days=("price", "nunique"),
            deal=("deal", "max"),
            feat=("feat", "max"),
        )
    )
    weekly["price"] = weekly["price"].where(weekly["days"] == 1, weekly["value"] / weekly["weight"])
    return schemas.PROMOTIONS.cast(weekly.astype(dict.fromkeys([*schemas.SERIES, "deal"], "int64")))


def no_rows() -> pd.DataFrame:
    """An inbox without a row."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in RAW_COLUMNS})


def merge_newer(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """`old` and `new` rows of a table of cells; where both have the cell, the new one holds."""
    return (
        pd.concat([old, new], ignore_index=True)
        .drop_duplicates(schemas.CELL, keep="last")
        .sort_values(schemas.CELL, ignore_index=True)
    )
