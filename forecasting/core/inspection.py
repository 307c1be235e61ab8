"""The inspection of rows, one rule after the other: a row keeps the first rule that it broke.

Rows arrive as text, exactly as their files had them, in a frame of `raw_columns`: one row per line of a file.
Nothing is guessed: a value that is not written as its layout declares is flagged with the name of the rule it broke.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import DAY_NAMES, is_week_start, weeks_of
from forecasting.contracts.layout import ONLY, Layout, PassedOver
from forecasting.contracts.panel_definition import KEYS, Covariate, Id, Key, PanelDefinition
from forecasting.core.dates import parse_dates
from forecasting.core.flags import flags_as_numbers
from forecasting.core.ids import ParsedId, parse_id
from forecasting.core.numbers import parse_numbers

# The keys of a series, whose values are ids.
IDS = ("store", "product")
WHOLE_FORM = "a whole number without leading zeros or separators"
ID_REMEDIES = {
    "missing_value": "write the id in every row",
    "control_character": "remove the line break or control character",
    "too_long": "write at most 200 characters",
}


def raw_columns(definition: PanelDefinition) -> list[str]:
    """Return the columns of rows to inspect.

    `file_week`, `file_store`: what the file's name declares, if anything. `layout`: place of the file's layout among
    those of the lake. `passed_over`: a `PassedOver`, or empty. `rule`, `detail`: what the reader already found wrong
    with the line, else empty. All others are texts as the file has them.
    """
    values = schemas.inbox_columns(definition, "week_or_date")
    return ["file", "file_week", "file_store", "line", "layout", *values, "revenue", "passed_over", "rule", "detail"]


def attribute_columns(definition: PanelDefinition) -> list[str]:
    """Return the columns that may follow `raw_columns`: names and attributes, of those that layouts read."""
    return [each.name for key in KEYS for each in definition.described(key)]


class Rows:
    """The rows under inspection; a row keeps the first rule that it broke.

    parsed: typed values, row by row; those of a row that broke a rule may be empty.
    """

    def __init__(self, rows: pd.DataFrame, definition: PanelDefinition, layouts: Sequence[Layout]) -> None:
        self.definition = definition
        self.layouts = layouts
        read = [name for name in attribute_columns(definition) if name in rows]
        self.frame = rows[[*raw_columns(definition), *read]].reset_index(drop=True)
        self.parsed = pd.DataFrame(index=self.frame.index)
        self.notes: list[str] = []
        self.rules = self.frame["rule"].to_numpy(dtype=object).copy()
        self.details = self.frame["detail"].to_numpy(dtype=object).copy()
        self.passed_over = self.frame["passed_over"].to_numpy(dtype=object).copy()
        self.is_sound = (self.rules == "") & (self.passed_over == "")
        self.layout = self.frame["layout"].to_numpy(dtype="int64")
        self.is_day = self._of_layouts([each.grain == "day" for each in layouts])
        self.is_transaction = self._of_layouts([each.grain == "transaction" for each in layouts])
        self.names_week = self._of_layouts(["{week}" in each.files for each in layouts])
        self.has_units = self._of_layouts(["units" in each.columns for each in layouts])
        # Days are few, rows may be many.
        codes, weeks = pd.factorize(self.frame["file_week"].to_numpy(dtype=object))
        days = np.append(pd.to_datetime(weeks).to_numpy(dtype="datetime64[us]"), np.datetime64("NaT", "us"))
        self.parsed["declared"] = days[codes]

    @property
    def good(self) -> pd.DataFrame:
        """Return typed values of the rows that broke no rule so far, and were not passed over."""
        return self.parsed[self.is_sound]

    def quarantined(self) -> pd.DataFrame:
        """Return the rows that broke a rule (table `quarantine`)."""
        broken = self.rules != ""
        rows = self.frame[broken].assign(rule=self.rules[broken], detail=self.details[broken])
        return schemas.quarantine(self.definition).cast(rows)

    def flag(self, broken: np.ndarray, rule: str, column: str | None, remedy: str | np.ndarray) -> None:
        """Mark rows that broke `rule` and no other rule before; a remedy is for all of them, or one a row."""
        hit = np.flatnonzero(broken & self.is_sound)
        if not len(hit):
            return
        said = remedy[hit] if isinstance(remedy, np.ndarray) else np.full(len(hit), remedy, dtype=object)
        if column:
            texts = self.frame[column].iloc[hit]
            said = np.array([f"{column} is {text!r}: {each}" for text, each in zip(texts, said, strict=True)], object)
        self.rules[hit], self.details[hit] = rule, said
        self.is_sound[hit] = False

    def pass_over(self, rows: np.ndarray, reason: PassedOver) -> int:
        """Mark sound rows as passed over; return how many."""
        hit = rows & self.is_sound
        self.passed_over[hit] = reason.value
        self.is_sound[hit] = False
        return int(hit.sum())

    def parse(self) -> None:
        """Check store, product and date, then units and covariates, each covariate by its role."""
        self._parse_ids("store", self.definition.store)
        self._parse_ids("product", self.definition.product)
        self._require_named_store()
        self._parse_dates()
        self._parse_units()
        for each in self.definition.covariates:
            self._parse_covariate(each)
        self._derive_price()
        for each in self.definition.covariates:
            values = self.parsed[each.name]
            wrong = (values.notna() & ~each.is_possible(values)).to_numpy(dtype=bool)
            self.flag(wrong, "out_of_range", each.name, f"it must be {each.range} ({each.meaning})")

    def _of_layouts(self, values: list[bool]) -> np.ndarray:
        return np.array(values, dtype=bool)[self.layout] if len(self.layout) else np.zeros(0, dtype=bool)

    def by_layout(self) -> Iterator[tuple[Layout, np.ndarray]]:
        """Yield the layouts that rows have, each with the places of its rows."""
        for place, layout in enumerate(self.layouts):
            rows = np.flatnonzero(self.layout == place)
            if len(rows):
                yield layout, rows

    def distinct(self, column: str, rows: np.ndarray) -> tuple[np.ndarray, pd.Series]:
        """Return distinct texts, and the place of each row's among them; values repeat, so each is parsed once."""
        codes, texts = pd.factorize(self.frame[column].iloc[rows])
        return codes, pd.Series(texts, dtype="str")

    def _flag_texts(self, rows: np.ndarray, codes: np.ndarray, rules: np.ndarray, column: str, remedy: str) -> None:
        for rule in dict.fromkeys(rules[rules != ""]):
            self.flag(self._at(rows, (rules == rule)[codes]), rule, column, remedy)

    def _at(self, rows: np.ndarray, holds: np.ndarray) -> np.ndarray:
        found = np.zeros(len(self.frame), dtype=bool)
        found[rows] = holds
        return found

    def _parse_ids(self, name: str, key: Key) -> None:
        """Give each row the place of its id among all ids, -1 where it has none."""
        places = np.full(len(self.frame), -1)
        ids: dict[Id, int] = {}
        changed = {"is_trimmed": 0, "is_composed": 0}
        for layout, rows in self.by_layout():
            codes, texts = self.distinct(name, rows)
            if name not in layout.columns and not (name == "store" and "{store}" in layout.files):
                # Rows of plans are of all of them.
                if "units" in layout.columns:
                    places[rows] = ids.setdefault(ONLY, len(ids))
                continue
            found = [parse_id(text, key.id, layout.empty) for text in texts]
            of_text = [-1 if each.value is None else ids.setdefault(each.value, len(ids)) for each in found]
            places[rows] = np.array(of_text, dtype="int64")[codes] if len(of_text) else -1
            for change in changed:
                changed[change] += sum(getattr(each, change) for each in found)
            self._flag_ids(rows, codes, found, name, key)
        ordered = sorted(ids, key=lambda value: (isinstance(value, str), value))
        rank = {value: place for place, value in enumerate(ordered)}
        ranks = np.array([*(rank[value] for value in ids), -1], dtype="int64")  # the last is that of no id
        codes = ranks[places]
        self.parsed[name] = pd.Categorical.from_codes(codes, categories=pd.Index(ordered, dtype=_dtype(key, ordered)))
        if changed["is_trimmed"]:
            said = counted(changed["is_trimmed"], "id")
            self.notes.append(f"{said} of {key.words} came with spaces around, which are left out")
        if changed["is_composed"]:
            said = counted(changed["is_composed"], "id")
            self.notes.append(f"{said} of {key.words} came in another Unicode form, and got the form NFC")

    def _flag_ids(self, rows: np.ndarray, codes: np.ndarray, found: list[ParsedId], name: str, key: Key) -> None:
        rules = np.array([each.rule for each in found], dtype=object)
        for rule in dict.fromkeys(rules[rules != ""]):
            remedy = f"write {WHOLE_FORM}" if key.id == "number" else ""
            remedy = ID_REMEDIES.get(rule, remedy) if rule != "missing_value" or key.id == "text" else remedy
            self.flag(self._at(rows, (rules == rule)[codes]), rule, name, remedy)

    def _require_named_store(self) -> None:
        named = (self.frame["file_store"] != "").to_numpy(dtype=bool)
        if not named.any():
            return
        codes, texts = pd.factorize(self.frame["file_store"])
        key = self.definition.store
        of_text = np.array([parse_id(text, key.id).value if text else None for text in texts], dtype=object)
        stores = self.parsed["store"].cat.categories.get_indexer(of_text)
        differs = stores[codes] != self.parsed["store"].cat.codes.to_numpy()
        remedy = f"the file's name names the {key.word} {{}}: correct the name or the row"
        said = np.array([remedy.format(text) for text in texts], dtype=object)[codes]
        self.flag(named & differs, "wrong_store", "store", said)

    def _parse_dates(self) -> None:
        days = np.full(len(self.frame), np.datetime64("NaT", "us"))
        for layout, rows in self.by_layout():
            date_format = layout.date_format if "date" in layout.columns else "iso"
            codes, texts = self.distinct("week_or_date", rows)
            parsed = parse_dates(texts.str.strip(), date_format, self.definition.time_zone)
            days[rows] = parsed.to_numpy(dtype="datetime64[us]")[codes]
            form = {"iso": "YYYY-MM-DD", "iso_week": "YYYY-Www", "excel": "day numbers"}.get(date_format, date_format)
            remedy = f"write dates from 1900 to 2200 as {form}"
            self.flag(self._at(rows, parsed.isna().to_numpy()[codes]), "not_a_date", "week_or_date", remedy)
        day = pd.Series(days, index=self.frame.index)
        first = self.definition.week_starts_on
        is_week = ~self.is_day & ~self.is_transaction
        shifted = is_week & day.notna().to_numpy() & ~is_week_start(day, first).to_numpy(dtype=bool)
        names = np.array([*DAY_NAMES, ""], dtype=object)[day.dt.day_of_week.fillna(len(DAY_NAMES)).astype("int64")]
        remedy = f", and weeks open on {DAY_NAMES[first]}: name a week by its first day"
        self.flag(shifted, "wrong_week", "week_or_date", "a " + names + remedy)
        self.parsed["date"] = day
        self.parsed["week"] = weeks_of(day, first).where(~is_week, day)

    def _parse_units(self) -> None:
        is_whole = self.definition.whole_units
        form = "a whole number without separators" if is_whole else "a number"
        self._parse_numbers("units", form, is_whole=is_whole, optional=True)
        # Returns are netted in the sum of their week; a row of a week is that sum.
        is_week = ~self.is_day & ~self.is_transaction
        below = (self.parsed["units"] < 0).to_numpy(dtype=bool) & is_week
        if not self.definition.negative_units:
            self.flag(below, "negative", "units", "it cannot be less than 0")

    def _parse_covariate(self, covariate: Covariate) -> None:
        is_flag = covariate.role == "flag"
        form = "0 or 1" if is_flag else f"{covariate.meaning}, as a number"
        optional = covariate.empty != "quarantine"
        self._parse_numbers(covariate.name, form, is_whole=is_flag, optional=optional, is_flag=is_flag)
        values = self.parsed[covariate.name]
        if covariate.empty == "zero":
            given = self._of_layouts([covariate.name in each.columns for each in self.layouts])
            self.parsed[covariate.name] = values.where(~(values.isna() & given & self.is_sound), 0.0)
        if covariate.role == "price":
            # What comes free with another is sold, and says nothing about the price; nor does a price of 0 where prices
            # may be unknown.
            free = (self.is_transaction | (covariate.empty == "unknown")) & (values == 0).to_numpy(dtype=bool)
            self.parsed[covariate.name] = self.parsed[covariate.name].where(~free)
        if covariate.role != "number":
            self.flag((values < 0).to_numpy(dtype=bool), "negative", covariate.name, "it cannot be less than 0")

    def _derive_price(self) -> None:
        """Give rows of layouts with revenue and without a price the price that both make."""
        prices = [each.name for each in self.definition.of_role("price")]
        has_revenue = self._of_layouts(["revenue" in each.columns for each in self.layouts])
        if not prices or not has_revenue.any():
            return
        self._parse_numbers("revenue", "the money of the row, as a number", is_whole=False, optional=True)
        units, revenue = self.parsed["units"], self.parsed.pop("revenue")
        lacks = self._of_layouts([prices[0] not in each.columns for each in self.layouts])
        derived = (revenue / units).where(has_revenue & lacks & (units > 0) & (revenue > 0))
        self.parsed[prices[0]] = self.parsed[prices[0]].fillna(derived)

    def _parse_numbers(self, name: str, form: str, *, is_whole: bool, optional: bool, is_flag: bool = False) -> None:
        values = np.full(len(self.frame), np.nan)
        for layout, rows in self.by_layout():
            if name not in layout.columns:
                continue
            codes, texts = self.distinct(name, rows)
            texts = texts.where(~texts.str.strip().isin(layout.empty), "")
            if is_flag:
                texts = flags_as_numbers(texts)
            parsed = parse_numbers(texts, is_whole=is_whole, decimal=layout.decimal, thousands=layout.thousands)
            values[rows] = parsed.numbers[codes]
            mark = "" if is_whole else f" with the decimal mark {layout.decimal!r}"
            rules = parsed.rules
            if not optional:
                rules = np.where((texts == "").to_numpy(dtype=bool), "missing_value", rules)
            self._flag_texts(rows, codes, rules, name, f"write {form}{mark}, of 16 digits at most")
        self.parsed[name] = values


def no_rows(definition: PanelDefinition) -> pd.DataFrame:
    """Return the rows of an empty inbox."""
    kinds = {"line": "int32", "layout": "int32"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "str")) for name in raw_columns(definition)})


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, as `1 row` and `2 rows`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _dtype(key: Key, ids: list[Id]) -> str:
    return "int64" if key.id == "number" and ONLY not in ids else "str"
