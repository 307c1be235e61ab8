"""The columns that several tables have."""

import pyarrow as pa

from forecasting.contracts.panel_definition import Attribute, Covariate, PanelDefinition
from forecasting.contracts.table import column

LEVELS = (80, 95)

_ROLE_TYPES = {"price": pa.float64(), "flag": pa.int8(), "share": pa.float64(), "number": pa.float64()}
_ATTRIBUTE_TYPES = {"whole": pa.int32(), "decimal": pa.float64(), "text": pa.string()}
_ID_TYPES = {"number": pa.int64(), "text": pa.string()}

WEEK = column("week", pa.date32(), "first day of the week")

INTERVALS = [
    column(f"{side}_{level}", pa.float64(), f"units: {which} end of the central {level} % interval", nullable=True)
    for level in LEVELS
    for side, which in (("lo", "lower"), ("hi", "upper"))
]

POINTS = [
    column("median", pa.float64(), "units: half of the distribution lies below; least absolute error"),
    column("mean", pa.float64(), "units: least squared error; the only point that adds up over series"),
    column("mape", pa.float64(), "units: least absolute percentage error; lies below the median"),
]


def store(definition: PanelDefinition) -> pa.Field:
    """Return the column of the store's id."""
    return column("store", _ID_TYPES[definition.store.id], "the store's id, as the retailer writes it")


def product(definition: PanelDefinition) -> pa.Field:
    """Return the column of the product's id."""
    return column("product", _ID_TYPES[definition.product.id], "the product's id, as the retailer writes it")


def cell(definition: PanelDefinition) -> tuple[pa.Field, pa.Field, pa.Field]:
    """Return the columns that name a cell."""
    return store(definition), product(definition), WEEK


def units(definition: PanelDefinition, name: str, meaning: str, nullable: bool = False) -> pa.Field:
    """Return a column of units, whole or not."""
    return column(name, pa.int64() if definition.whole_units else pa.float64(), meaning, nullable)


def covariate(of: Covariate, nullable: bool = False) -> pa.Field:
    """Return the column of a covariate."""
    meaning = of.meaning + ("; empty where unknown" if nullable else "")
    return column(of.name, _ROLE_TYPES[of.role], meaning, nullable)


def attribute(of: Attribute) -> pa.Field:
    """Return the column of an attribute of stores or products."""
    return column(of.name, _ATTRIBUTE_TYPES[of.kind], of.meaning, nullable=True)


def category(definition: PanelDefinition) -> list[pa.Field]:
    """Return the column of the attribute that groups products; none where the definition names none."""
    return [attribute(each) for each in definition.product_attributes if each.name == definition.category]
