"""The proposal of a panel definition: what files nobody has declared yet seem to hold, and what to check."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from forecasting.contracts.calendar import DAY_NAMES
from forecasting.contracts.errors import DataError
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Covariate, Empty, Key, PanelDefinition
from forecasting.core import column_names as names
from forecasting.core.attribute_columns import propose_attributes
from forecasting.core.column_roles import Reading, Roles
from forecasting.core.covariate_columns import CovariateColumns, propose_covariates, propose_price
from forecasting.core.file_names import any_name, pattern_of
from forecasting.core.key_columns import NO_DAY, is_number_id
from forecasting.core.number_format import currency_of
from forecasting.core.panel_part import PanelPart, part_of, roles_of, without_totals
from forecasting.core.panel_rows import (
    empty_in_past,
    find_unsold,
    opening_day,
    words_of,
)
from forecasting.core.sampled_file import DATE_OF_NAME, DATE_OF_PARTS, STORE_OF_NAME, SampledFile
from forecasting.core.text_column import NO_VALUE

# So few rows of past weeks without units are mistakes of the sender.
FEW_EMPTY = 2
# At most this share of weeks with less than 0 units are mistakes; an import goes on with 1 % of rows in quarantine.
FEW_NEGATIVE = 0.005


@dataclass(frozen=True)
class Proposal:
    """What files seem to hold: the definition, how they arrive, and sentences about what somebody should check.

    example: name of a file with sales.
    """

    definition: PanelDefinition
    layouts: tuple[Layout, ...]
    doubts: tuple[str, ...]
    example: str


def propose(files: Sequence[SampledFile]) -> Proposal:
    """Return the proposal for files, one for each header.

    Raises:
        DataError: a file has no date, no file has a quantity, or its dates are months.
    """
    roles = [roles_of(each, is_plan_possible=len(files) > 1) for each in files]
    if all(each.units is None for each in roles):
        roles = [roles_of(each, is_plan_possible=False) for each in files]
    selling = [each for each in roles if each.units is not None]
    if not selling:
        raise DataError(_no_quantity(roles[0]), "name a file with past sales, in units")
    selling.sort(key=lambda each: (each.date is None, -each.file.rows))
    main = without_totals(part_of(selling[0]))
    if main.last_sold == NO_DAY:
        raise DataError(f"No row of {main.roles.file.name} has a date and a quantity", "name a file with past sales")
    others, unused = [], []
    for each in roles:
        if each is not selling[0]:
            try:
                others.append(without_totals(part_of(each, main.keys), main.keys))
            except DataError as error:
                # Such as the table of stores beside the sales.
                unused.append(f"{each.file.name} is not used: {error.problem}")
    return _Proposer(main, others, unused).proposal()


def _no_quantity(roles: Roles) -> str:
    empty = [each.name for each in roles.file.columns if names.quantity_score(each.name) and not len(each.texts)]
    if empty:
        return f"No row of {roles.file.name} has a quantity: its column `{empty[0]}` is empty"
    return (
        f"{roles.file.name} has no column of numbers sold among {words_of([each.name for each in roles.file.columns])}"
    )


class _Proposer:
    """Makes one proposal; collects its doubts in the order in which they come up."""

    def __init__(self, main: PanelPart, others: Sequence[PanelPart], doubts: Sequence[str]) -> None:
        self._main = main
        self._others = others
        self._doubts = list(doubts)

    def proposal(self) -> Proposal:
        """Return the definition, the layouts and the doubts."""
        main = self._main
        covariates: dict[str, Covariate] = {}
        layouts = [self._layout(part, covariates) for part in (main, *self._others)]
        described = propose_attributes(main.roles.others, main.keys, taken=covariates)
        self._doubts += described.doubts
        layouts[0] = replace(layouts[0], columns={**layouts[0].columns, **described.columns})
        layouts.sort(key=lambda each: -sum(map(len, each.columns.values())))
        definition = replace(
            self._definition(tuple(covariates.values())),
            category=described.category,
            store_attributes=described.store,
            product_attributes=described.product,
        )
        return Proposal(definition, tuple(layouts), tuple(dict.fromkeys(self._doubts)), main.roles.file.name)

    def _definition(self, covariates: tuple[Covariate, ...]) -> PanelDefinition:
        main, rows = self._main, self._main.rows
        starts_on, doubt = opening_day(rows, main.grain)
        self._say(doubt)
        if main.grain != "week":
            last = np.datetime64(main.last_sold, "D")
            self._say(f"Weeks start on {DAY_NAMES[starts_on]}, so that the last day, {last}, closes one")
        undated = int((rows.days == NO_DAY).sum())
        if undated and main.roles.date:
            self._say(
                f"`{main.roles.date.name}` has no date in {undated:,} of {len(rows.days):,} rows: they are quarantined"
            )
        unsold, doubt = find_unsold(rows, main.grain)
        self._say(doubt)
        unit, units = names.unit_words(main.roles.units.name if main.roles.units else "")
        date = main.roles.date.dates if main.roles.date else None
        known = rows.units[np.isfinite(rows.units)]
        negative = int((known < 0).sum())
        # A row of a week is the sum of its sales and returns; days and receipts are netted in that sum.
        may_be_negative = main.grain == "week" and negative > FEW_NEGATIVE * len(known)
        if negative:
            meant = (
                "weeks may be below 0 (negative_units = true)"
                if may_be_negative
                else "such rows are quarantined unless negative_units is true"
                if main.grain == "week"
                else "they are netted with the sales of their week, and a week that stays below 0 counts as 0 "
                "(negative_units = false)"
            )
            self._say(f"{negative:,} of {len(known):,} rows have less than 0 units: {meant}")
        return PanelDefinition(
            name=_panel_name(main.roles.file.name),
            unit=unit,
            units=units,
            currency=currency_of(each.name for each in main.roles.file.columns),
            store=self._key(main.keys.store, "store", "stores"),
            product=self._key(main.keys.product, "product", "products"),
            covariates=covariates,
            week_starts_on=starts_on,
            time_zone=(date.zone if date else "") or "UTC",
            whole_units=bool(np.all(known % 1 == 0)) and not self._has_written_decimals(),
            negative_units=may_be_negative,
            unsold=unsold,
            empty_units=self._empty_units(),
            new_ids="accept",
        )

    def _has_written_decimals(self) -> bool:
        """Return whether a text file writes units with a decimal mark, as 30.0: its reader takes none as whole."""
        units, mark = self._main.roles.units, self._main.roles.form.decimal
        if units is None or units.column.is_typed:
            return False
        written = units.column.texts[units.column.texts.str.contains(mark, regex=False)]
        if len(written) and units.is_whole:
            self._say(f"`{units.name}` is whole and written as `{written.iloc[0]}`: units have decimals (whole_units)")
        return len(written) > 0

    def _empty_units(self) -> Empty:
        empty = empty_in_past(self._main.rows)
        if not empty:
            return "quarantine"
        few = empty <= FEW_EMPTY
        meant = "quarantined" if few else "unknown, as if they were missing"
        rows = len(self._main.rows.days)
        self._say(f"{empty:,} of {rows:,} rows of past dates have no units: they are {meant} (empty_units)")
        return "quarantine" if few else "unknown"

    def _key(self, columns: Sequence[Reading], word: str, words: str) -> Key:
        if columns and (found := names.key_word(_main_column(columns).name)):
            word, words = found.word, found.words
        texts = [each.column for each in columns]
        is_number = is_number_id(texts)
        for column in texts:
            if column.untrimmed:
                self._say(f"`{column.name}` has blanks around {column.untrimmed:,} ids: they are trimmed")
            if column.is_floating and is_number:
                self._say(f"`{column.name}` holds decimal numbers such as {column.texts[0]}: ids are the whole numbers")
            if column.empty:
                self._say(f"`{column.name}` is empty in {column.empty:,} rows: they are quarantined")
        return Key(word, words, "number" if is_number else "text")

    def _layout(self, part: PanelPart, covariates: dict[str, Covariate]) -> Layout:
        roles, keys, dialect = part.roles, part.keys, part.roles.file.dialect
        self._doubts += [*roles.doubts, *keys.doubts]
        if roles.file.is_sampled:
            self._say(f"Only parts of {roles.file.name} were looked at: it is large")
        columns: dict[str, tuple[str, ...]] = {}
        for name, readings in (("store", keys.store), ("product", keys.product)):
            if readings and readings[0].name != STORE_OF_NAME:
                columns[name] = tuple(each.name for each in readings)
        for name, reading in (("date", roles.date), ("units", roles.units)):
            if reading and reading.name != DATE_OF_NAME:
                columns[name] = roles.file.date_parts if reading.name == DATE_OF_PARTS else (reading.name,)
        found = self._covariates(part)
        if roles.price is None and roles.revenue is not None and roles.units is not None:
            columns["revenue"] = (roles.revenue.name,)
            covariates.setdefault(
                "price", Covariate("price", "price", "price", "money a unit, revenue by units", "unknown")
            )
            self._say(f"The price is `{roles.revenue.name}` by `{roles.units.name}`, as no column has it")
        for each in found:
            self._doubts += each.doubts
            for covariate, column in each.columns:
                before = covariates.get(covariate.name)
                if before is None or covariate.empty != "quarantine":
                    covariates[covariate.name] = covariate
                columns[covariate.name] = (column,)
        date_format = roles.date.dates.format if roles.date and roles.date.dates else "iso"
        if dialect.encoding not in ("utf-8", "utf-8-sig"):
            self._say(f"{roles.file.name} is read as {dialect.encoding}{self._foreign_letters(part)}")
        if dialect.header_line > 1:
            self._say(f"The header of {roles.file.name} is line {dialect.header_line}: those above it are passed over")
        return Layout(
            name=_panel_name(roles.file.name),
            columns=columns,
            files=self._files(part, has_date="date" in columns),
            grain=part.grain,
            date_format=date_format,
            delimiter=dialect.delimiter,
            encoding=dialect.encoding,
            decimal=roles.form.decimal,
            thousands=roles.form.thousands,
            sheet=dialect.sheet,
            header_line=dialect.header_line,
            fill_down=roles.fill_down,
            empty=tuple(dict.fromkeys([*(text for each in found for text in each.empty), *_no_value(roles.units)])),
            leave_out=self._leave_out(part),
        )

    def _files(self, part: PanelPart, *, has_date: bool) -> str:
        """Return the pattern of names; where names declare nothing, the header alone says which layout a file has."""
        names_of = part.roles.file.names
        has_store = any(each.name == STORE_OF_NAME for each in part.keys.store)
        if has_date and not has_store:
            return any_name(names_of)
        day = "" if has_date else "week" if part.grain == "week" else "date"
        return pattern_of(names_of, day=day, has_store=has_store)

    def _covariates(self, part: PanelPart) -> list[CovariateColumns]:
        taken = {id(each) for each in part.keys.columns}
        left = [each for each in part.roles.others if id(each) not in taken]
        known = part.rows.days[part.rows.days != NO_DAY]
        ahead = part.roles.units is None and len(known) > 0 and int(known.max()) > self._main.last_sold
        is_transaction = part.grain == "transaction"
        found = [propose_price(part.roles.price, is_transaction=is_transaction)] if part.roles.price else []
        return [*found, propose_covariates(left, reaches_ahead=ahead, file=part.roles.file.name)]

    def _leave_out(self, part: PanelPart) -> dict[str, tuple[str, ...]]:
        found = dict(part.left_out)
        self._doubts += part.doubts
        second = part.roles.file.dialect.second_header
        named = {each.name: text for each, text in zip(part.roles.file.columns, second, strict=False) if text}
        used = [each for each in (part.roles.units, part.roles.date, *part.keys.columns) if each and each.name in named]
        if used:
            found[used[0].name] = (*found.get(used[0].name, ()), named[used[0].name])
            self._say(f"The line below the header of {part.roles.file.name} is a second header: it is left out")
        return found

    def _foreign_letters(self, part: PanelPart) -> str:
        texts = (text for each in part.roles.file.columns for text in each.texts[:2000])
        example = next((text for text in texts if not text.isascii()), "")
        return f": check that `{example[:60]}` is right" if example else ""

    def _say(self, doubt: str) -> None:
        if doubt:
            self._doubts.append(doubt)


def _no_value(reading: Reading | None) -> list[str]:
    return [text for text in NO_VALUE if reading and (reading.column.texts == text).any()]


def _main_column(columns: Sequence[Reading]) -> Reading:
    """Return the column that names a key: the one whose word is surest."""
    return min(columns, key=lambda each: word.rank if (word := names.key_word(each.name)) else 99)


def _panel_name(file: str) -> str:
    words = [word for word in re.split(r"[\W_]+", PurePath(file).stem) if word and not word.isdigit()]
    return " ".join(words) or "sales"
