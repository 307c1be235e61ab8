"""Columns that say something of stores and products: names, attributes, and the category."""

from forecasting.contracts.panel_definition import Attribute
from forecasting.core.attribute_columns import AttributeColumns, propose_attributes
from tests.forecasting.core.sampled import panel
from tests.forecasting.core.test_key_columns import keys_of

BRANDS = ("Aro", "Bio", "Cap")


def found(
    product: str = "", store: str = "", header: str = "", taken: tuple[str, ...] = (), articles: int = 12
) -> AttributeColumns:
    """What is found in a panel of two stores and some products, with more columns; `{}` is the place of an id."""
    rows = panel(days=4, stores=("1", "2"), products=tuple(f"{place:03d}" for place in range(articles))).splitlines()
    lines = []
    for row in rows[1:]:
        of_store, sku, *_ = row.split(",")
        place = int(sku)
        more = product.format(place=place, brand=BRANDS[place % 3], half=place % 2) + store.format(place=of_store)
        lines.append(row + more)
    roles, keys = keys_of("\n".join([f"store,sku,date,units{header}", *lines]))
    return propose_attributes(roles.others, keys, taken)


def test_a_name_beside_an_id_and_a_category() -> None:
    """The description is as good as unique; the family is shared, and goes before the brand as its word is surer."""
    said = found(",Juice {place},{brand},F{half}", header=",description,brand,family")
    assert said.columns == {"product_name": ("description",), "brand": ("brand",), "family": ("family",)}
    assert said.product == (
        Attribute("brand", "text", "as in the column brand"),
        Attribute("family", "text", "as in the column family"),
    )
    assert (said.category, said.store) == ("family", ())
    assert said.doubts == (
        "`description` is read as the name of each product, and shown beside its id",
        "`brand`, `family` depend on the product alone, and are read as attributes of it; `family` is the category "
        "that stands in the order sheet",
    )


def test_of_stores() -> None:
    """A city that each store has for itself is an attribute, a store name a name."""
    said = found(store=",City {place},Shop {place}", header=",city,store_name")
    assert said.columns == {"store_name": ("store_name",), "city": ("city",)}
    assert [each.name for each in said.store] == ["city"]
    assert said.category == ""


def test_a_text_that_each_product_has_for_itself_is_a_name_and_no_category() -> None:
    """Unless its word is that of a code, or of a group: then it is an attribute."""
    assert found(",Saft {place}", header=",libelle").columns == {"product_name": ("libelle",)}
    for header in ("ean_code", "category"):
        said = found(",x{place}", header=f",{header}")
        assert (list(said.columns), said.category) == ([header], "")


def test_a_name_may_be_written_anew() -> None:
    """Some products have two descriptions: it is said, and the latest counts. Another text of the kind is nothing."""
    rows = panel(days=8, stores=("1",), products=tuple(f"{place:03d}" for place in range(8))).splitlines()
    lines = [f"{row},Juice {row[2:5]}{' new' if row.startswith('1,000,2024-02') else ''}" for row in rows[1:]]
    roles, keys = keys_of("\n".join(["store,sku,date,units,description", *lines]))
    said = propose_attributes(roles.others, keys, ())
    assert said.columns == {"product_name": ("description",)}
    assert said.doubts[0].endswith("beside its id: 1 of 8 have several, and that of the latest row counts")
    roles, keys = keys_of("\n".join(["store,sku,date,units,mood", *lines]))
    assert propose_attributes(roles.others, keys, ()).columns == {}


def test_what_is_no_attribute() -> None:
    """Numbers, texts that change with the date, a text that is the same in all rows, customers, single rows of keys."""
    assert found(",1{place}", header=",size_cm").columns == {}
    assert found(",same", header=",chain_name").columns == {}
    assert found(",C{half}", header=",customer").columns == {}
    rows = panel(days=6).splitlines()
    events = [f"{row},{'Easter' if row.split(',')[2] > '2024-02' else 'none'}" for row in rows[1:]]
    roles, keys = keys_of("\n".join(["store,product,date,units,event", *events]))
    assert propose_attributes(roles.others, keys, ()).columns == {}
    roles, keys = keys_of("sku,date,units,family\na,2024-01-01,3,x\nb,2024-01-01,4,y\nc,2024-01-01,4,y")
    assert propose_attributes(roles.others, keys, ()).columns == {}


def test_attributes_have_names_of_their_own() -> None:
    """None that tables, covariates or others have; the column is named as it is in the file."""
    said = found(",K{half},G{half},g{half}", header=",kind,Sort,sort", taken=("sort",))
    assert said.columns == {"kind_text": ("kind",), "sort_text": ("Sort",), "sort_text_text": ("sort",)}
