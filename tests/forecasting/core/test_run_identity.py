"""Tests of a run's identity."""

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forecasting.contracts.spec import ForecastSpec
from forecasting.core.run_identity import hash_of_input, identify

SPEC = ForecastSpec(date(1992, 4, 16), model="naive")
digests = st.lists(st.text("0123456789abcdef", min_size=4, max_size=4), max_size=5)
inputs = st.fixed_dictionaries({"sales": digests, "promotions": digests})


def identity(**changes: Any) -> str:
    given_values = {
        "digests": {"sales": ["a1", "b2"], "promotions": ["c3"]},
        "spec": SPEC,
        "options": {"accept_gaps": None},
        "code": "abc",
    }
    return identify(**{**given_values, **changes})


@given(inputs, inputs)
def test_equal_ids_stand_for_equal_input(one: dict[str, list[str]], other: dict[str, list[str]]) -> None:
    """Every file counts, in its table and its place; 16 hexadecimal digits."""
    assert (identity(digests=one) == identity(digests=other)) == (one == other)
    assert (hash_of_input(one) == hash_of_input(other)) == (one == other)
    assert len(identity(digests=one)) == 16
    assert int(identity(digests=one), 16) >= 0


def test_a_run_id_does_not_depend_on_the_order_of_the_tables() -> None:
    """They are named."""
    assert identity(digests={"promotions": ["c3"], "sales": ["a1", "b2"]}) == identity()


def test_a_run_id_changes_with_every_option_and_with_the_code() -> None:
    """Cutoff, horizon, gap, model, point, any further option and the code each make another run."""
    others = [
        replace(SPEC, cutoff=date(1992, 4, 9)),
        replace(SPEC, horizon=3),
        replace(SPEC, gap=1),
        replace(SPEC, model="mean"),
        replace(SPEC, point="mean"),
        replace(SPEC, point="mape"),
    ]

    ids = [
        identity(),
        *(identity(spec=other) for other in others),
        identity(code="abd"),
        identity(options={"accept_gaps": "flood"}),
        identity(options={}),
    ]

    assert len(set(ids)) == len(ids)
