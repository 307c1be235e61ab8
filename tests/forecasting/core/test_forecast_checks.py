"""Tests of the checks of forecast rows: each reason, and the sentence that names the series."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts import schemas
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.forecast_checks import require_complete, unusable_series

SPEC = ForecastSpec(date(1991, 1, 31))
SERIES = pd.DataFrame([(2, 1), (2, 2), (5, 1)], columns=schemas.SERIES)


@pytest.fixture
def rows() -> pd.DataFrame:
    """Faultless rows of three series and two steps."""
    found = SERIES.merge(pd.DataFrame({"step": SPEC.steps, "week": pd.DatetimeIndex(SPEC.weeks)}), how="cross")
    return found.assign(forecast=10.0, lo_95=2.0, lo_80=5.0, hi_80=15.0, hi_95=20.0)


def test_good_rows_have_no_unusable_series(rows: pd.DataFrame) -> None:
    """The check passes what is right."""
    assert unusable_series(rows, SERIES, SPEC) == {}
    require_complete(rows, SERIES, SPEC)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("forecast", -0.5, "negative"),
        ("lo_95", -0.5, "negative"),
        ("forecast", float("nan"), "not_finite"),
        ("forecast", float("inf"), "not_finite"),
        ("hi_95", float("nan"), "not_finite"),
        ("lo_80", 1e6, "crossing"),
        ("lo_95", 1e6, "crossing"),
        ("hi_95", 0.0, "crossing"),
        ("step", 3, "missing_row"),
    ],
)
def test_a_bad_row_costs_its_series(rows: pd.DataFrame, column: str, value: float, reason: str) -> None:
    """One bad number in one step makes its series unusable, under this name, and no other."""
    bad = rows.astype({column: "float64"})
    bad.loc[2, column] = value

    assert unusable_series(bad, SERIES, SPEC) == {(2, 2): reason}
    with pytest.raises(RunError, match=f"store 2 brand 2: {reason}"):
        require_complete(bad, SERIES, SPEC)


def test_a_step_that_is_there_twice_makes_its_series_unusable(rows: pd.DataFrame) -> None:
    """Twice is as wrong as never."""
    twice = pd.concat([rows, rows.head(1)], ignore_index=True)

    assert unusable_series(twice, SERIES, SPEC) == {(2, 1): "missing_row"}


def test_no_rows_at_all_are_every_series_missing(rows: pd.DataFrame) -> None:
    """A model that answers with nothing has failed for each of its series."""
    found = unusable_series(rows.head(0), SERIES, SPEC)

    assert found == dict.fromkeys(SERIES.itertuples(index=False, name=None), "missing_row")


def test_rows_of_a_series_that_nobody_asked_for_are_refused(rows: pd.DataFrame) -> None:
    """Rows of another series may be faultless, and still do not belong."""
    other = pd.concat([rows, rows.head(2).assign(store=99)], ignore_index=True)

    with pytest.raises(RunError, match="has 8 rows where 6 are expected"):
        require_complete(other, SERIES, SPEC)


def test_a_row_of_another_week_than_its_step_is_a_missing_row(rows: pd.DataFrame) -> None:
    """Step 1 is the week after the cutoff, and no other."""
    late = rows.copy()
    late.loc[0, "week"] += pd.Timedelta(weeks=1)

    assert unusable_series(late, SERIES, SPEC) == {(2, 1): "missing_row"}


def test_at_most_three_series_are_named(rows: pd.DataFrame) -> None:
    """The sentence stays short however many series are unusable."""
    many = pd.DataFrame([(store, 1) for store in range(2, 9)], columns=schemas.SERIES)

    with pytest.raises(RunError, match="7 series are unusable") as refused:
        require_complete(rows.head(0), many, SPEC)
    assert str(refused.value).count("missing_row") == 3


@given(st.lists(st.floats(0, 1e9), min_size=5, max_size=5))
def test_ordered_finite_numbers_are_usable(values: list[float]) -> None:
    """Whatever the numbers: the wider interval around the narrower, none negative."""
    names = ["lo_95", "lo_80", "forecast", "hi_80", "hi_95"]
    weeks = SERIES.merge(pd.DataFrame({"step": SPEC.steps, "week": pd.DatetimeIndex(SPEC.weeks)}), how="cross")

    assert unusable_series(weeks.assign(**dict(zip(names, sorted(values), strict=True))), SERIES, SPEC) == {}
