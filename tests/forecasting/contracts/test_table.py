"""Tests of a declared table: what casting to it means."""

from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.panel_definition import ORANGE_JUICE, Covariate, Key
from tests.strategies import Market, markets, whole_offers

ROW = pd.DataFrame({"store": [2], "product": [1], "week": pd.DatetimeIndex(["1991-01-03"]), "units": [12]})


@settings(max_examples=15, deadline=None)
@given(markets())
def test_a_table_survives_the_way_to_disk_and_back(market: Market) -> None:
    """Casting to Arrow and back gives the same rows, types and column order."""
    for table, frame in ((orange_juice.SALES, market.sales), (orange_juice.PROMOTIONS, market.promotions)):
        pd.testing.assert_frame_equal(table.from_arrow(table.to_arrow(frame)), frame)


def test_columns_are_put_in_order_and_others_left_out() -> None:
    """A cast frame has the declared columns, in the declared order, whatever the producer's frame looked like."""
    cast = orange_juice.SALES.cast(ROW[["units", "week", "product", "store"]].assign(note="x"))

    assert list(cast.columns) == ["store", "product", "week", "units"]
    assert cast.dtypes.astype(str).tolist() == ["int64", "int64", "datetime64[us]", "int64"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_weeks_have_one_type_in_memory(unit: str) -> None:
    """Whatever resolution pandas gave a date, it is microseconds after the cast."""
    cast = orange_juice.SALES.cast(ROW.astype({"week": f"datetime64[{unit}]"}))

    assert cast["week"].dtype == "datetime64[us]"
    assert cast["week"].iloc[0] == pd.Timestamp("1991-01-03")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("units", 1.5),
        ("units", "a dozen"),
        ("units", None),
        ("store", 2**70),
        ("week", "next week"),
        ("week", pd.NaT),
    ],
)
def test_a_value_that_does_not_fit_is_refused(column: str, value: object) -> None:
    """No half carton, no words, no gap: the table's name stands in the error."""
    with pytest.raises(SchemaError, match="sales"):
        orange_juice.SALES.to_arrow(ROW.assign(**{column: [value]}))


def test_a_missing_column_is_named() -> None:
    """The error names the column that is lacking and those that are there."""
    with pytest.raises(SchemaError, match=r"lacks the declared columns week, units \(it has store, product\)"):
        orange_juice.SALES.to_arrow(ROW[["store", "product"]])
    with pytest.raises(SchemaError, match="lacks the declared columns units"):
        orange_juice.SALES.from_arrow(orange_juice.SALES.to_arrow(ROW).drop_columns("units"))


def test_a_file_from_before_a_covariate_has_its_neutral_value() -> None:
    """A flag, a share and a number are 0 there; a price has no such value, and a frame to be written needs them all."""
    added = [Covariate(f"new_{role}", role, role, role) for role in ("flag", "share", "number")]
    old, new = (
        schemas.promotions(replace(ORANGE_JUICE, covariates=(*ORANGE_JUICE.covariates, *some))) for some in ([], added)
    )
    rows = old.cast(whole_offers(ROW.assign(price=2.5)))

    read = new.from_arrow(old.to_arrow(rows))

    pd.testing.assert_frame_equal(read, new.cast(rows.assign(new_flag=0, new_share=0.0, new_number=0.0)))
    with pytest.raises(SchemaError, match="lacks the declared columns new_flag, new_share, new_number"):
        new.to_arrow(rows)
    with pytest.raises(SchemaError, match="lacks the declared columns price"):
        new.from_arrow(new.to_arrow(read).drop_columns("price"))


def test_a_column_of_another_type_on_disk_is_refused() -> None:
    """A file whose units cannot be read as whole cartons is not read at all."""
    table = orange_juice.SALES.to_arrow(ROW)
    stranger = table.set_column(3, "units", pa.array(["a dozen"]))

    with pytest.raises(SchemaError, match="another type"):
        orange_juice.SALES.from_arrow(stranger)


def test_an_empty_value_on_disk_is_refused_where_none_may_be() -> None:
    """A file of ours without a store number is damaged, and the column is named."""
    nullable = pa.schema([field.with_nullable(True) for field in orange_juice.SALES.schema])
    table = orange_juice.SALES.to_arrow(ROW).cast(nullable).set_column(0, "store", pa.array([None], pa.int32()))

    with pytest.raises(SchemaError, match="'store'"):
        orange_juice.SALES.from_arrow(table)


def test_columns_that_may_be_empty_stay_empty() -> None:
    """A reason that is not there is an empty value on both sides."""
    row = {name: [1.0] for name in ("forecast", "lo_80", "hi_80", "lo_95", "hi_95")}
    week = pd.DatetimeIndex(["1991-01-10"])
    frame = pd.DataFrame(
        {"store": 2, "product": 1, "week": week, "cutoff": week, "step": 1, "model": "naive", **row}
    ).assign(reason=None, promotion_known=True)

    cast = orange_juice.FORECAST.cast(frame)

    assert cast["reason"].isna().all()
    assert bool(cast["promotion_known"].iloc[0]) is True


@pytest.mark.parametrize("ids", [["007", "7"], ["a", "A"], ["a ", "a"], ["São", "\u200f"]])
def test_ids_of_text_come_back_as_they_are_written(ids: list[str]) -> None:
    """Leading zeros, case, spaces and every letter of Unicode; sorted by code point."""
    text = Key("shop", "shops", "text")
    table = schemas.sales(replace(ORANGE_JUICE, store=text, product=text))
    frame = pd.concat([ROW.assign(store=each, product=each) for each in ids], ignore_index=True)

    assert table.cast(frame)["store"].tolist() == ids
    assert table.declared(table.to_arrow(frame)).column("product").to_pylist() == ids


def test_a_number_is_never_read_as_text_or_a_text_as_a_number() -> None:
    """Arrow would read the text 007 as the number 7."""
    shops = schemas.sales(replace(ORANGE_JUICE, store=Key("shop", "shops", "text")))
    text = ROW.assign(store=["007"])
    with pytest.raises(SchemaError, match="has text in column 'store'"):
        orange_juice.SALES.to_arrow(text)
    with pytest.raises(SchemaError, match="'store' is string, not int64"):
        orange_juice.SALES.declared(shops.to_arrow(text))
    with pytest.raises(SchemaError, match="'store' is int64, not string"):
        shops.declared(orange_juice.SALES.to_arrow(ROW))
    with pytest.raises(SchemaError, match="does not fit"):
        shops.to_arrow(ROW)


def test_units_have_decimals_where_the_definition_says_so() -> None:
    """In sales, corrections and actuals."""
    weighed = replace(ORANGE_JUICE, whole_units=False)
    assert schemas.sales(weighed).cast(ROW.assign(units=0.37))["units"].tolist() == [0.37]
    for table, column in ((schemas.corrections(weighed), "units_after"), (schemas.backtest(weighed), "actual")):
        assert table.schema.field(column).type == pa.float64()


def test_a_covariate_whose_empty_value_is_unknown_may_be_empty() -> None:
    """Others may not."""
    price = replace(ORANGE_JUICE.covariates[0], empty="unknown")
    table = schemas.promotions(replace(ORANGE_JUICE, covariates=(price, *ORANGE_JUICE.covariates[1:])))
    assert [field.name for field in table.schema if field.nullable] == ["price"]
