"""Small files as retailers send them, each with its right outcome, and more of their kinds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.contracts.layout import Layout
from forecasting.contracts.orange_juice import LAYOUTS
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate, Key
from forecasting.core.validation import Validated
from tests.forecasting.retailer import DAYS, HEADER, SHOPS, TILL, WEEKS, rows_of, taken
from tests.forecasting.storage.formats.test_parquet import parquet

CASES = Path(__file__).parent / "cases"
COLUMNS = {"store": ("store",), "product": ("brand",), "date": ("week",), "units": ("units",), "price": ("price",)}
WITHOUT_PRICE = {name: column for name, column in COLUMNS.items() if name != "price"}
PLAIN = Layout("plain", COLUMNS)


def case(name: str, **layout: Any) -> Validated:
    """Read and validate a case, by the plain layout with these changes."""
    (path,) = CASES.glob(f"{name}*")
    return taken({path.name: path.read_bytes()}, SHOPS, [replace(PLAIN, **layout)])


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("i10", {}),
        ("i12", {"delimiter": ";", "decimal": ","}),
        ("i14", {"encoding": "cp1252"}),
        ("i16", {"date_format": "iso_week"}),
        ("i17", {"date_format": "%m/%d/%Y"}),
        ("i34", {}),
        ("i39", {"date_format": "excel"}),
        ("i42", {"header_line": 3}),
        ("p02", {}),
        ("p06", {}),
        ("x01", {}),
    ],
)
def test_a_file_that_is_declared_as_it_is_comes_in_whole(name: str, layout: Mapping[str, Any]) -> None:
    """Two stores, two products, sixty weeks."""
    found = case(name, **layout)
    assert (found.accepted, len(found.sales), found.quarantined_by_rule) == (240, 240, {})
    assert (len(found.new_stores), found.new_products) == (2, ("1", "2"))
    assert found.sales["week"].agg(["min", "max"]).tolist() == [pd.Timestamp("2023-01-02"), pd.Timestamp("2024-02-19")]


@pytest.mark.parametrize(
    ("name", "rule", "line", "says", "layout"),
    [
        ("i02", "no_rows", 1, "the file has no row below its header", {}),
        ("i06", "wrong_header", 1, "it names 'units' 2 times", {"columns": WITHOUT_PRICE}),
        ("i08", "missing_value", 242, "product is ''", {}),
        ("i12", "wrong_header", 1, "the header is 'store;brand;week;units;price', it lacks store", {}),
        ("i14", "not_utf8", 2, "save the file as UTF-8", {}),
        ("i16", "not_a_date", 2, "week_or_date is '2023-W01': write dates", {}),
        ("i23", "negative", 2, "units is '-3'", {}),
        ("i24", "out_of_range", 242, "price is '0': it must be above 0", {}),
        ("i25", "out_of_range", 242, "units is '100000000000000000000'", {}),
        ("i26", "infinite", 242, "price is 'inf'", {}),
        ("i28", "missing_value", 2, "no row of the file has units", {}),
        ("i30", "cut_row", 241, "3 values where 4 are declared", {"columns": WITHOUT_PRICE}),
        ("i32", "control_character", 2, "store is 'Store\\n101'", {}),
        ("i38", "control_character", 3, "product is '1\\x00'", {}),
        ("p07", "missing_value", 5, "store is ''", {}),
        ("p16", "not_a_date", 9, "week_or_date is ''", {}),
    ],
)
def test_what_cannot_be_taken_in_says_which_line_and_why(
    name: str, rule: str, line: int, says: str, layout: Mapping[str, Any]
) -> None:
    """And costs no other row."""
    found = case(name, **layout)
    assert set(found.quarantined["rule"]) == {rule}
    first = found.quarantined.iloc[0]
    assert (first["line"], says in first["detail"]) == (line, True)


def test_what_was_read_otherwise_than_it_is_written_is_said() -> None:
    """Spaces around ids, and ids of a decimal column."""
    assert case("i10").notes == ("1 id of shops came with spaces around, which are left out",)
    assert case("p06").new_stores == ("101", "102")
    assert (
        "the column store holds decimal numbers"
        in rows_of({"p.parquet": (CASES / "p06_float_store.parquet").read_bytes()}, SHOPS, [PLAIN]).notes[0]
    )


def test_merged_cells_are_filled_down_where_the_layout_says_so() -> None:
    """Else they are rows without a store, all of them counted."""
    assert case("i09").quarantined_by_rule == {"missing_value": 119}
    assert case("i09", fill_down=True).accepted == 121


@pytest.mark.parametrize("name", ["bad_utf8", "date_out_of_range", "ts_huge"])
def test_a_damaged_file_of_the_inbox_costs_itself_only(name: str) -> None:
    """The files beside it go on."""
    good = b"store,product,week,units,price,deal,feat\n2,1,1992-04-16,3,2.5,0,0\n"
    files = {
        "1992-04-16_store-090.parquet": (CASES / f"inbox_{name}.parquet").read_bytes(),
        "1992-04-16_store-002.csv": good,
    }
    found = taken(files, replace(ORANGE_JUICE, new_ids="accept"), LAYOUTS)
    assert (found.accepted, found.quarantined_by_rule) == (1, {"unreadable_file": 1})


MINE = replace(SHOPS, store=Key("shop", "shops", "number"))


@pytest.mark.parametrize(
    ("columns", "accepted", "rules"),
    [
        ({}, 2, {}),
        ({"shop": pa.array([101, None])}, 1, {"missing_value": 1}),
        ({"shop": pa.array([101.0, 102.0])}, 2, {}),
        ({"shop": pa.array([101.5, 102.0])}, 1, {"not_a_number": 1}),
        ({"shop": pa.array([101, 102], pa.decimal128(9, 2))}, 2, {}),
        ({"shop": pa.array([101, 102]).dictionary_encode()}, 2, {}),
        ({"day": pa.array(["2024-01-01"] * 2).cast(pa.timestamp("ns"))}, 2, {}),
        ({"day": pa.array(["2024-01-01"] * 2).cast(pa.timestamp("ns")).cast(pa.timestamp("s", "UTC"))}, 2, {}),
        ({"day": pa.array(["2024-01-01", None]).cast(pa.date32())}, 1, {"not_a_date": 1}),
        ({"pieces": pa.array([1.0, 2.0])}, 2, {}),
        ({"pieces": pa.array([1.5, 2.0])}, 1, {"not_a_number": 1}),
        ({"pieces": pa.array([1e20, 2.0])}, 1, {"out_of_range": 1}),
        ({"pieces": pa.array([2**63, 2], pa.uint64())}, 1, {"out_of_range": 1}),
        ({"price": pa.array([2.5, float("nan")])}, 1, {"missing_value": 1}),
        ({"price": pa.array([2.5, float("inf")])}, 1, {"infinite": 1}),
    ],
)
def test_typed_columns_keep_the_rules(columns: dict[str, pa.Array], accepted: int, rules: dict[str, int]) -> None:
    """As text does."""
    plain = {"shop": pa.array([101, 102]), "article": pa.array(["x", "x"]), "day": pa.array(["2024-01-01"] * 2)}
    numbers = {"pieces": pa.array([1, 2]), "price": pa.array([2.5, 2.5])}
    found = taken({"a.parquet": parquet({**plain, **numbers, **columns})}, MINE)
    assert (found.accepted, found.quarantined_by_rule) == (accepted, rules)


@pytest.mark.parametrize("shop", ["007", "=1+1", "../../etc", "<b>", "a'; DROP TABLE", "Köln, Ost", "نان", "💡"])
def test_ids_stay_as_they_are_written(shop: str) -> None:
    """Whatever is in them."""
    assert taken(f'"{shop}",x,2024-01-01,3,2\n').new_stores == (shop,)


def test_a_week_named_by_another_day_says_which() -> None:
    """It may be a week that opens on another weekday."""
    detail = taken("a,x,2024-01-07,3,2\n").quarantined["detail"].iloc[0]
    assert detail == "week_or_date is '2024-01-07': a Sunday, and weeks open on Monday: name a week by its first day"


def test_texts_that_mean_no_value_are_empty_where_the_layout_says_so() -> None:
    """Else NA is no number, and an id."""
    text = "NA,x,2024-01-01,3,2\na,x,2024-01-01,3,-\na,y,2024-01-01,3,2\n"
    assert taken(text).quarantined_by_rule == {"not_a_number": 1}
    found = taken({"a.csv": HEADER + text}, SHOPS, [replace(WEEKS, empty=("NA", "-"))])
    assert found.quarantined_by_rule == {"missing_value": 2}


@pytest.mark.parametrize(("text", "value"), [("TRUE", 1), ("false", 0), ("1", 1)])
def test_a_flag_may_be_a_truth(text: str, value: int) -> None:
    """As R and pandas write it."""
    definition = replace(SHOPS, covariates=(Covariate("flyer", "flag", "flyer", "1 where it is in the flyer"),))
    layout = Layout(
        "flyers", {**{name: WEEKS.columns[name] for name in ("store", "product", "date", "units")}, "flyer": ("flyer",)}
    )
    content = f"shop,article,day,pieces,flyer\na,x,2024-01-01,3,{text}\n"
    assert taken({"a.csv": content}, definition, [layout]).promotions["flyer"].tolist() == [value]


def test_a_sum_that_is_not_exact_is_out_of_range() -> None:
    """No units are clipped or rounded in silence."""
    text = "".join(
        f"a,{article},2024-01-0{day},{units},2\n" for day in (1, 7) for article, units in (("x", 2**53 - 1), ("y", 1))
    )
    found = taken(text, replace(SHOPS, unsold="left_out"), [TILL])
    assert (found.quarantined_by_rule, found.sales["units"].tolist()) == ({"out_of_range": 2}, [2])


def test_a_store_or_product_that_no_column_names_is_all() -> None:
    """A retailer with one of them."""
    layout = replace(WEEKS, columns={name: WEEKS.columns[name] for name in ("product", "date", "units", "price")})
    found = taken({"a.csv": HEADER + "a,x,2024-01-01,3,2\n"}, SHOPS, [layout])
    assert (found.new_stores, found.new_products) == (("all",), ("x",))


_shops = st.sampled_from(["a", "a ", "", "é", "\0", "b"])
_days = st.sampled_from([*(f"2024-01-{day:02d}" for day in range(1, 15)), "2024-02-30", "", "1.1.2024"])
_units = st.sampled_from(["1", "2", "-1", "0", "", "1.5", "NA", "inf", "1e20", "-9007199254740993"])
_prices = st.sampled_from(["2", "2.5", "0", "", "-1", "x", "1e9"])
_lines = st.lists(st.tuples(_shops, st.sampled_from("xy"), _days, _units, _prices).map(",".join), max_size=20)


@settings(max_examples=25, deadline=None)
@given(
    _lines,
    st.sampled_from([WEEKS, DAYS, TILL]),
    st.sampled_from(["written", "left_out"]),
    st.sampled_from(["quarantine", "unknown", "zero"]),
    st.booleans(),
)
def test_every_row_of_any_layout_is_accounted_for(
    lines: list[str], layout: Layout, unsold: Any, empty: Any, negative: bool
) -> None:
    """Whatever the definition says, no row is lost, and what is accepted keeps the declared tables."""
    definition = replace(SHOPS, unsold=unsold, empty_units=empty, negative_units=negative)
    found = taken("\n".join(lines), definition, [layout])  # which checks that the counts add up
    assert negative or (found.sales["units"] >= 0).all()
    assert not found.sales.duplicated(["store", "product", "week"]).any()
    assert not found.promotions.duplicated(["announced", "store", "product", "week"]).any()
    assert (found.promotions["announced"] <= found.promotions["week"]).all()
    assert set(found.new_stores) == set(found.sales["store"])
