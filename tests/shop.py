"""Another retailer, whose files are nothing like the orange juice's.

Semicolons, decimal commas, German dates; ids of text that would be formulas, paths, markup and SQL elsewhere; products
that did not sell are left out.
"""

from datetime import date
from pathlib import Path
from typing import Any

from forecasting.contracts.calendar import WEEK
from forecasting.contracts.layout import Layout
from forecasting.contracts.panel_definition import Covariate, Key, PanelDefinition
from forecasting.storage.lake import Lake

FIRST = date(2023, 1, 2)
STORES = ["007", "=1+1", "../Köln"]
PRODUCTS = ["Käse 'alt'", "<b>Milch</b>", "Eis; 2 Liter"]
SHOP = PanelDefinition(
    name="shop",
    unit="kg",
    units="kg",
    currency="€",
    store=Key("Filiale", "Filialen"),
    product=Key("Artikel", "Artikel"),
    covariates=(Covariate("price", "price", "price", "euros a kg"),),
    week_starts_on=0,
    time_zone="Europe/Berlin",
    whole_units=False,
    unsold="left_out",
    new_ids="accept",
)
_PLAN_COLUMNS = {"store": ("Filiale",), "product": ("Artikel",), "date": ("Datum",), "price": ("Preis",)}
_STYLE: dict[str, Any] = {"date_format": "%d.%m.%Y", "delimiter": ";", "decimal": ","}
SALES = Layout("sales", {**_PLAN_COLUMNS, "units": ("Menge",)}, files="Umsatz*.csv", **_STYLE)
PLANS = Layout("plans", _PLAN_COLUMNS, files="Plan*.csv", **_STYLE)
HEADER, PLAN_HEADER = "Filiale;Artikel;Datum;Preis;Menge\n", "Filiale;Artikel;Datum;Preis\n"


def shop_lake(root: Path, definition: PanelDefinition = SHOP) -> Lake:
    """A lake with the shop's panel file, and nothing else."""
    lake = Lake(root)
    lake.prepare()
    lake.reference.write_panel(definition, [SALES, PLANS])
    return lake


def week(number: int) -> date:
    """The first day of a week; week 0 is the first of the history."""
    return FIRST + WEEK * number


def sold(number: int, store: int, product: int) -> float:
    """Units of a series in a week; the last product of the last store sells every other week."""
    if (store, product) == (2, 2) and number % 2:
        return 0.0
    return 20.5 + 3 * store + 5 * product + (number * 7 + store + product) % 4


def write_sales(path: Path, weeks: range, stores: list[str] = STORES) -> Path:
    """Write the sales of some weeks; what did not sell is left out."""
    lines = [
        f"{_cell(number, store, product, stores)};{_decimal(units)}\n"
        for number, store, product in _cells(weeks, stores)
        if (units := sold(number, store, product))
    ]
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


def write_plan(path: Path, weeks: range, stores: list[str] = STORES) -> Path:
    """Write the prices of some weeks."""
    lines = [f"{_cell(*cell, stores)}\n" for cell in _cells(weeks, stores)]
    path.write_text(PLAN_HEADER + "".join(lines), encoding="utf-8")
    return path


def _cells(weeks: range, stores: list[str]) -> list[tuple[int, int, int]]:
    return [
        (number, store, product) for number in weeks for store in range(len(stores)) for product in range(len(PRODUCTS))
    ]


def _cell(number: int, store: int, product: int, stores: list[str]) -> str:
    price = _decimal(2 + product + 0.5 * (number % 5 == 0))
    return f'{stores[store]};"{PRODUCTS[product]}";{week(number):%d.%m.%Y};{price}'


def _decimal(value: float) -> str:
    return str(value).replace(".", ",")
