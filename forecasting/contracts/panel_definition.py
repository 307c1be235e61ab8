"""The panel definition: what the sales of a lake are, in the words of their owner.

Nothing outside a definition, and the options of a model, names a covariate: code asks for covariates by their role.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from forecasting.contracts.calendar import DAYS_IN_WEEK, THURSDAY
from forecasting.contracts.errors import DataError, OptionError

if TYPE_CHECKING:
    import pandas as pd  # which `oj --help` does not wait for

# price: money a unit, above 0. flag: 0 or 1. share: 0 to 1. number: any number.
Role = Literal["price", "flag", "share", "number"]
RANGES: dict[Role, str] = {"price": "above 0", "flag": "0 or 1", "share": "from 0 to 1", "number": "a number"}
# What an empty value is. quarantine: an error of the sender. unknown: a value that nobody knows. zero: 0.
Empty = Literal["quarantine", "unknown", "zero"]
# number: whole, without leading zeros, which say nothing. text: as it is written.
IdType = Literal["number", "text"]
# Control characters, line breaks, and those that turn the direction of all that follows.
_ACTING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# The keys of a series; each has a table whose rows carry a name and attributes.
KeyName = Literal["store", "product"]
KEYS: tuple[KeyName, ...] = get_args(KeyName)
# What a product that did not sell in a week is: written, with 0 units; or left out.
Unsold = Literal["written", "left_out"]
# An id as the retailer writes it, and the pair (store, product) that names a series.
Id = int | str
Series = tuple[Id, Id]
# Columns of tables and of rows that are read, in which covariates or attributes stand too.
RESERVED = {
    *("store", "product", "week", "date", "units", "known", "announced", "step", "cutoff", "model", "reason", "kind"),
    *("store_name", "product_name", "forecast", "last_sold", "change", "file", "line", "rule", "detail"),
    *("name", "revenue", "layout", "passed_over", "file_week", "file_store", "week_or_date"),
}


def readable(key: Id) -> str:
    """Return an id for a line of text: as it is, but for characters that act on the line or its terminal."""
    return _ACTING.sub(lambda found: ascii(found[0])[1:-1], str(key))


def in_order(keys: Iterable[Id]) -> tuple[Id, ...]:
    """Return ids of one key, ascending: all of them are numbers, or all are text."""
    return tuple(sorted(keys))


@dataclass(frozen=True)
class Covariate:
    """A column whose values are known for past and coming weeks.

    name: the column. label: the word for people. meaning: what its values mean and in which unit.
    empty: what an empty value in a file is; a price of 0 is not possible.
    """

    name: str
    role: Role
    label: str
    meaning: str
    empty: Empty = "quarantine"

    def __post_init__(self) -> None:
        if self.role not in RANGES:
            raise DataError(
                f"The covariate {self.name!r} has the role {self.role!r}", f"give it one of {', '.join(RANGES)}"
            )
        allowed = [each for each in get_args(Empty) if not (each == "zero" and self.role == "price")]
        if self.empty not in allowed:
            raise DataError(f"The covariate {self.name!r} has empty={self.empty!r}", f"give it {' or '.join(allowed)}")

    @property
    def range(self) -> str:
        """The possible values, in words."""
        return RANGES[self.role]

    @property
    def neutral(self) -> float | None:
        """The value of weeks in which nobody stated one: 0, and none for a price."""
        return None if self.role == "price" else 0.0

    def is_possible(self, values: "pd.Series") -> "pd.Series":
        """Return which values the role allows; empty ones are not."""
        finite = values.abs() < float("inf")
        match self.role:
            case "price":
                return finite & (values > 0)
            case "flag":
                return values.isin([0, 1])
            case "share":
                return values.between(0, 1)
            case "number":
                return finite


@dataclass(frozen=True)
class Attribute:
    """A column of the table of stores or of products, which no forecast depends on; values may be empty."""

    name: str
    kind: Literal["whole", "decimal", "text"]
    meaning: str

    def __post_init__(self) -> None:
        if self.kind not in ("whole", "decimal", "text"):
            raise DataError(
                f"The attribute {self.name!r} has kind={self.kind!r}", "give it one of whole, decimal, text"
            )


@dataclass(frozen=True)
class Key:
    """One of the two keys of a series, `store` or `product`.

    word, words: for people, one and many. id: the type of its ids.
    Ids are what the retailer writes. A retailer with one key has one store, or one product, named `all`.
    """

    word: str
    words: str
    id: IdType = "text"

    def __post_init__(self) -> None:
        if self.id not in get_args(IdType):
            raise DataError(f"The key {self.word!r} has id={self.id!r}", f"give it {' or '.join(get_args(IdType))}")

    def parse(self, text: str) -> Id:
        """Return the id that a person wrote.

        Raises:
            OptionError: it is no number, where ids are numbers.
        """
        if self.id == "text":
            return text
        try:
            return int(text)
        except ValueError:
            raise OptionError(f"{self.word}={text}", "is no number", f"name a {self.word} by its number") from None

    def named(self, key: Id) -> str:
        """Return the word and the id: store 7."""
        return f"{self.word} {readable(key)}"


@dataclass(frozen=True)
class PanelDefinition:
    """What the sales of a lake are.

    unit, units: what is counted, one and many. currency: the sign before a price.
    store, product: the two keys of a series.
    covariates: what is known in advance.
    week_starts_on: the weekday that opens a week, Monday = 0.
    time_zone: the clocks by which a week closes, an IANA name.
    whole_units: whether units are whole numbers.
    negative_units: whether a week may have less than 0 units once returns are netted; else such a week counts as 0.
    unsold: whether a product that did not sell in a week is `written`, with 0 units, so that a missing row is unknown;
        or `left_out`, so that a missing row of a store that reported the week is 0 units.
    empty_units: what a row of a past week without units is.
    new_ids: whether rows of a store or product that the lake does not know are quarantined, or taken in.
    holidays: country whose public holidays the models may use, as ISO 3166 code; empty for none.
    category: the attribute of products that groups them; empty for none. It stands in the order sheet.
    """

    name: str
    unit: str
    units: str
    currency: str
    store: Key
    product: Key
    covariates: tuple[Covariate, ...]
    week_starts_on: int
    time_zone: str
    whole_units: bool = True
    negative_units: bool = False
    unsold: Unsold = "written"
    empty_units: Empty = "quarantine"
    new_ids: Literal["quarantine", "accept"] = "quarantine"
    holidays: str = ""
    category: str = ""
    store_attributes: tuple[Attribute, ...] = ()
    product_attributes: tuple[Attribute, ...] = ()

    def __post_init__(self) -> None:
        if self.week_starts_on not in range(DAYS_IN_WEEK):
            raise DataError(
                f"The panel definition has week_starts_on={self.week_starts_on!r}", "name a day of the week"
            )
        choices = (
            ("unsold", get_args(Unsold)),
            ("empty_units", get_args(Empty)),
            ("new_ids", ("quarantine", "accept")),
        )
        for name, allowed in choices:
            if getattr(self, name) not in allowed:
                raise DataError(
                    f"The panel definition has {name}={getattr(self, name)!r}", f"give it {' or '.join(allowed)}"
                )
        attributes = [each.name for each in (*self.store_attributes, *self.product_attributes)]
        for kind, own in (("covariates", self.names), ("attributes", attributes)):
            named = [*self.names, *attributes]
            wrong = [name for name in own if not name.isidentifier() or name in RESERVED or named.count(name) > 1]
            if wrong:
                raise DataError(
                    f"The panel definition {self.name!r} has {kind} named {', '.join(wrong)}",
                    "give each a name of its own, of letters and digits, which is none of "
                    + ", ".join(sorted(RESERVED)),
                )
        if self.category and self.category not in [each.name for each in self.product_attributes]:
            raise DataError(
                f"The panel definition {self.name!r} has category={self.category!r}, which is no product attribute",
                "declare it under product_attributes, or leave the category empty",
            )

    @property
    def names(self) -> list[str]:
        """The names of all covariates, in their order."""
        return [each.name for each in self.covariates]

    def of_role(self, *roles: Role) -> tuple[Covariate, ...]:
        """Return the covariates of these roles, in their order."""
        return tuple(each for each in self.covariates if each.role in roles)

    def named(self, series: Series) -> str:
        """Return a series in words: store 7 brand 2."""
        store, product = series
        return f"{self.store.named(store)} {self.product.named(product)}"

    def described(self, key: KeyName) -> tuple[Attribute, ...]:
        """Return what files may say of a store or product: its name, which is `<key>_name`, then its attributes."""
        attributes = self.store_attributes if key == "store" else self.product_attributes
        return Attribute(f"{key}_name", "text", f"name of the {key}"), *attributes

    @property
    def promotions(self) -> tuple[Covariate, ...]:
        """The covariates that say whether a product is promoted: flags and shares."""
        return self.of_role("flag", "share")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` is the inverse."""
        return asdict(self)

    @staticmethod
    def from_dict(plain: dict[str, Any]) -> "PanelDefinition":
        """Return the definition that `as_dict` gave.

        Raises:
            DataError: the values are those of no definition.
        """
        try:
            nested = {
                "store": Key(**plain["store"]),
                "product": Key(**plain["product"]),
                "covariates": tuple(Covariate(**each) for each in plain["covariates"]),
                "store_attributes": tuple(Attribute(**each) for each in plain["store_attributes"]),
                "product_attributes": tuple(Attribute(**each) for each in plain["product_attributes"]),
            }
            return PanelDefinition(**plain | nested)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"The panel definition cannot be read ({type(error).__name__}: {error})",
                "correct reference/panel.toml of the lake, or restore it from a copy",
            ) from error


# The shipped data set, and what a lake without a definition holds.
ORANGE_JUICE = PanelDefinition(
    name="orange juice",
    unit="carton",
    units="cartons",
    currency="$",
    store=Key("store", "stores", "number"),
    product=Key("brand", "brands", "number"),
    covariates=(
        Covariate("price", "price", "price", "dollars a carton"),
        Covariate("deal", "flag", "deal", "1 where the store had a coupon or in-store deal, else 0"),
        Covariate("feat", "share", "advert", "share of the product's variants in the weekly advert, 0 to 1"),
    ),
    week_starts_on=THURSDAY,
    time_zone="America/Chicago",
    # What the census and the trade know of a store's surroundings.
    store_attributes=(
        Attribute("age60", "decimal", "share of the population aged 60 or more"),
        Attribute("educ", "decimal", "share of the population with a college degree"),
        Attribute("ethnic", "decimal", "share of the population that is black or Hispanic"),
        Attribute("income", "decimal", "log of the median income in dollars"),
        Attribute("hhlarge", "decimal", "share of households with five or more persons"),
        Attribute("workwom", "decimal", "share of women with full-time jobs"),
        Attribute("hval150", "decimal", "share of households worth over 150,000 dollars"),
        Attribute("sstrdist", "decimal", "distance to the nearest warehouse store, miles"),
        Attribute("sstrvol", "decimal", "sales ratio of this store to the nearest warehouse store"),
        Attribute("cpdist5", "decimal", "average distance to the nearest five supermarkets, miles"),
        Attribute("cpwvol5", "decimal", "sales ratio of this store to the average of the nearest five"),
    ),
    product_attributes=(Attribute("ounces", "whole", "ounces a carton"),),
)
