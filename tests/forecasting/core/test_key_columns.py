"""Keys: the columns that, with the date, name each row once."""

import numpy as np

from forecasting.core.column_roles import Roles, assign_roles
from forecasting.core.key_columns import KeyColumns, choose_keys, codes_of, is_number_id
from tests.forecasting.core.sampled import column, panel, sampled


def keys_of(text: str, like: KeyColumns | None = None) -> tuple[Roles, KeyColumns]:
    roles = assign_roles(sampled(text), is_plan_possible=like is not None)
    assert roles.date is not None
    assert roles.date.dates is not None
    days = roles.date.dates.days.to_numpy().astype("datetime64[D]").astype(np.int64)
    return roles, choose_keys(roles, roles.date.column.spread(days, 0), like)


def keys(text: str, like: KeyColumns | None = None) -> KeyColumns:
    return keys_of(text, like)[1]


def names(found: KeyColumns) -> tuple[list[str], list[str]]:
    return [each.name for each in found.store], [each.name for each in found.product]


def test_a_store_and_a_product() -> None:
    """By their names."""
    found = keys(panel())
    assert names(found) == (["store"], ["product"])
    assert found.repeats == 0


def test_two_columns_make_a_key_where_one_does_not() -> None:
    """Country and store; a doubt says so."""
    both = [
        panel(header="store,product,date,sold,country", more=f",{country}").splitlines() for country in ("AR", "ES")
    ]
    found = keys("\n".join([*both[0], *both[1][1:]]))
    assert names(found) == (["store", "country"], ["product"])
    assert found.doubts == (
        "`store` and `country` together make the key, as none of them alone names each row of a date once",
    )


def test_lines_of_receipts_have_no_more_keys() -> None:
    """No other column makes their rows unique."""
    rows = panel().splitlines()
    found = keys("\n".join([*rows, *rows[1:]]))
    assert names(found) == (["store"], ["product"])
    assert found.repeats > 0.4


def test_columns_without_a_word_are_keys_where_rows_differ_by_them() -> None:
    """And are doubted."""
    found = keys(panel(header="aa,bb,date,units"))
    assert sorted(each.name for each in found.columns) == ["aa", "bb"]
    assert "`aa` is taken as a key" in " ".join(found.doubts)


def test_a_single_series_has_no_keys() -> None:
    """Nothing names a store or a product."""
    found = keys("date,units\n2024-01-01,3\n2024-01-08,4")
    assert names(found) == ([], [])
    assert "one series" in found.doubts[0]


def test_codes_are_preferred_to_names_and_to_groups() -> None:
    """`product_name` is another writing of the product, `category` a group of products."""
    rows = [
        f"Tea {product},{product},{'hot' if product < 3 else 'cold'},2024-01-{day + 1:02d},5"
        for product in range(6)
        for day in range(10)
    ]
    found = keys("\n".join(["product_name,product_id,category,date,units", *rows]))
    assert names(found) == ([], ["product_id"])


def test_a_weak_word_is_no_key_where_rows_do_not_differ_by_it() -> None:
    """The type of a holiday changes with the date; the only brand of a file does not."""
    days = [f"{store},2024-01-{day:02d},5" for store in (1, 2) for day in range(1, 20)]
    changing = [f"{row},{'Easter' if at % 5 else 'none'}" for at, row in enumerate(days)]
    assert names(keys("\n".join(["store,date,units,holiday_type", *changing]))) == (["store"], [])
    assert names(keys("\n".join(["store,date,units,brand", *(f"{row},X" for row in days)]))) == (["store"], ["brand"])


def test_another_file_has_the_keys_of_the_sales() -> None:
    """By the same names, in any writing."""
    sales = keys(panel(header="Store,Dept,Date,Units"))
    plans = keys("store,date,CPI\n1,2024-01-01,2.5\n1,2024-01-08,2.6", sales)
    assert names(plans) == (["store"], [])


def test_numbers_and_texts() -> None:
    """Leading zeros, blanks within and several columns are texts."""
    assert is_number_id([column("x", ["1", "20", "0"])])
    assert not is_number_id([column("x", ["1", "020"])])
    assert not is_number_id([column("x", ["1", "2a"])])
    assert not is_number_id([column("x", ["1"]), column("y", ["1"])])


def test_combinations_have_codes() -> None:
    """Equal ones the same; a row without a part has none."""
    first, second = column("a", ["x", "x", "y", "x"]), column("b", ["1", "2", "1", ""])
    codes = codes_of([first, second], 4)
    assert codes[3] == -1
    assert len(set(codes[:3])) == 3
    assert list(codes_of([], 3)) == [0, 0, 0]
