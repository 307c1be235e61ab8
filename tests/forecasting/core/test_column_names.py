"""What names of columns say."""

import pytest

from forecasting.core import column_names as names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Weekly_Sales", ("weekly", "sales")),
        ("UnitPrice", ("unit", "price")),
        ("MarkDown1", ("mark", "down", "1")),
        ("XLarge Bags", ("x", "large", "bags")),
        ("Stück", ("stuck",)),
        ("Größe", ("grosse",)),
        ("", ()),
    ],
)
def test_words_of_a_name(name: str, words: tuple[str, ...]) -> None:
    """In any writing."""
    assert names.tokens(name) == words


QUANTITIES = (
    "units,quantity,Qty,num_sold,unit_sales,Menge,Absatz,Stück,Anzahl,cantidad,quantité,Weekly_Sales,sales,ventas,demand,"
    "Total Volume,Units Sold,Bottles Sold,verkaufte Menge"
)


@pytest.mark.parametrize("name", QUANTITIES.split(","))
def test_quantities(name: str) -> None:
    """In several languages."""
    assert names.quantity_score(name) > 0


@pytest.mark.parametrize(
    "name", ["price", "4046", "Total Bags", "stock units", "units planned", "cost", "Umsatz", "store"]
)
def test_what_is_no_quantity(name: str) -> None:
    """Prices, stocks, plans, money, parts."""
    assert names.quantity_score(name) == 0


def test_the_surer_quantity_wins() -> None:
    """Units before volume before sales before parts of them."""
    scores = [names.quantity_score(name) for name in ("units", "total volume", "sales", "sales of bags")]
    assert scores == sorted(set(scores), reverse=True)


@pytest.mark.parametrize(
    "name",
    ["AveragePrice", "UnitPrice", "price", "Preis", "prix", "Unit Price (EUR)", "total_price", "precio unitario"],
)
def test_prices(name: str) -> None:
    """Of what is sold."""
    assert names.is_price(name)


@pytest.mark.parametrize("name", ["Fuel_Price", "oil price", "units", "price change"])
def test_other_prices(name: str) -> None:
    """Fuel is not sold here."""
    assert not names.is_price(name)


def test_a_price_that_was_paid_is_nearer_than_a_listed_one() -> None:
    """As `sell_price` is to `base_price`."""
    assert names.price_rank("sell_price") < names.price_rank("base_price")


@pytest.mark.parametrize(
    ("name", "side", "word"),
    [
        ("Store", "store", "store"),
        ("store_nbr", "store", "store"),
        ("Filiale", "store", "store"),
        ("Country", "store", "country"),
        ("region", "store", "region"),
        ("Dept", "product", "department"),
        ("StockCode", "product", "product"),
        ("Item Description", "product", "product"),
        ("Artikelnr", "product", "article"),
        ("type", "product", "type"),
    ],
)
def test_keys(name: str, side: str, word: str) -> None:
    """Stores, products and their kin."""
    found = names.key_word(name)
    assert found is not None
    assert (found.side, found.word) == (side, word)


def test_an_attribute_is_less_of_a_key() -> None:
    """`store_type` is of a store, `product_category` groups products."""
    for key, attribute in (("store", "store_type"), ("product_id", "product_category")):
        first, second = names.key_word(key), names.key_word(attribute)
        assert first is not None
        assert second is not None
        assert second.side == first.side
        assert second.rank > first.rank


@pytest.mark.parametrize("name", ["InvoiceNo", "Customer ID", "order_id", "Row ID", ""])
def test_never_a_key(name: str) -> None:
    """Receipts, customers, rows."""
    assert names.is_never_key(name)
    assert names.key_word(name) is None


def test_receipts() -> None:
    """They say that rows are their lines."""
    assert names.is_receipt("Invoice")
    assert not names.is_receipt("Customer ID")


@pytest.mark.parametrize(
    ("name", "found"), [("Fuel_Price", "fuel_price"), ("MarkDown1", "mark_down1"), ("4046", "value_4046")]
)
def test_identifiers(name: str, found: str) -> None:
    """Covariates have names of letters and digits."""
    assert names.identifier(name) == found
    assert found.isidentifier()


def test_dates() -> None:
    """Dates, the day that begins a week, and parts of dates."""
    assert all(map(names.is_date, ("InvoiceDate", "Datum", "week_end", "ds", "semaine")))
    assert not names.is_date("store")
    assert names.is_start("week_start")
    assert names.is_week("WeekEnding")
    assert not names.is_week("date")
    assert names.is_part_of_date("DayOfWeek")
    assert not names.is_part_of_date("store week")


def test_covariates() -> None:
    """Known in advance, and those whose empty value is none."""
    assert names.is_known_flag("IsHoliday")
    assert names.is_known_number("Temperature")
    assert names.is_known_number("MarkDown3")
    assert not names.is_known_number("Total Bags")
    assert names.is_zero_if_empty("MarkDown3")
    assert not names.is_zero_if_empty("CPI")


def test_units() -> None:
    """The word for what is counted stands in the name, or is the plain one."""
    assert names.unit_words("Bottles Sold") == ("bottle", "bottles")
    assert names.unit_words("Menge (kg)") == ("kg", "kg")
    assert names.unit_words("num_sold") == ("unit", "units")
