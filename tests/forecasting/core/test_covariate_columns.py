"""Covariates: what a person knows in advance."""

from forecasting.core.column_roles import assign_roles
from forecasting.core.covariate_columns import CovariateColumns, propose_covariates, propose_price
from tests.forecasting.core.sampled import sampled


def covariates(text: str, *, reaches_ahead: bool = False) -> CovariateColumns:
    found = assign_roles(sampled(text), is_plan_possible=reaches_ahead)
    return propose_covariates(found.others, reaches_ahead=reaches_ahead, file="sales.csv")


def test_roles_follow_from_values() -> None:
    """0 and 1 are a flag, 0 to 1 a share, others a number."""
    found = covariates("date,units,IsHoliday,discount,Temperature\n2024-01-01,3,TRUE,0.2,-3.5\n2024-01-08,4,FALSE,0,7")
    assert [(each.name, each.role, column) for each, column in found.columns] == [
        ("is_holiday", "flag", "IsHoliday"),
        ("discount", "share", "discount"),
        ("temperature", "number", "Temperature"),
    ]


def test_measured_parts_of_the_quantity_are_none() -> None:
    """Nor stocks and customers; they are named in a doubt."""
    found = covariates("date,units,4046,Total Bags,Customers\n2024-01-01,3,1.5,2.5,4\n2024-01-08,4,2.5,1.5,5")
    assert found.columns == ()
    assert "`4046`, `Total Bags`, `Customers` of sales.csv are not used" in found.doubts[0]


def test_plans_that_reach_past_the_sales_are_known() -> None:
    """Whatever they are called."""
    found = covariates("date,Unemployment\n2024-01-01,8.1\n2024-01-08,8.2", reaches_ahead=True)
    assert [each.name for each, _ in found.columns] == ["unemployment"]


def test_empty_values_are_zero_or_unknown() -> None:
    """No markdown is 0; an unknown index is unknown; NA is declared as a text that means none."""
    found = covariates("date,units,MarkDown1,CPI\n2024-01-01,3,NA,211.1\n2024-01-08,4,5.5,NA\n2024-01-15,4,5,2.5")
    assert {each.name: each.empty for each, _ in found.columns} == {"mark_down1": "zero", "cpi": "unknown"}
    assert found.empty == ("NA",)
    assert any("1 of MarkDown1 are empty in the 3 rows" in doubt for doubt in found.doubts)


def test_a_column_with_other_texts_is_none() -> None:
    """A code such as `a` among zeros is no number."""
    rows = "\n".join(f"2024-01-{n + 1:02d},3,{'a' if n == 3 else 0}" for n in range(30))
    assert covariates(f"date,units,StateHoliday\n{rows}").columns == ()


def test_names_that_tables_have_are_avoided() -> None:
    """`known` is a column of a table, and so is no covariate's name."""
    found = covariates("date,known,Known\n2024-01-01,8.1,2\n2024-01-08,8.2,3", reaches_ahead=True)
    assert [each.name for each, _ in found.columns] == ["known_value", "known_value_value"]


def price(values: str, *, is_transaction: bool = False) -> CovariateColumns:
    rows = "\n".join(f"2024-01-{at + 1:02d},3,{value}" for at, value in enumerate(values.split(",")))
    roles = assign_roles(sampled(f"date,units,price\n{rows}"), is_plan_possible=False)
    assert roles.price is not None
    return propose_price(roles.price, is_transaction=is_transaction)


def test_prices() -> None:
    """Empty prices are unknown; prices of 0 or less are said."""
    assert price("1.5,2.5").columns[0][0].empty == "quarantine"
    assert price("1.5,2.5").doubts == ()
    found = price("1.5,,0,-2.5")
    assert found.columns[0][0].empty == "unknown"
    assert found.doubts == (
        "`price` is empty in 1 of 4 rows: such a price is unknown",
        "`price` is 0 in 1 of 4 rows: such a price is unknown",
        "`price` is below 0 in 1 of 4 rows: such rows are quarantined",
    )
    assert price("1.5,0", is_transaction=True).columns[0][0].empty == "unknown"
