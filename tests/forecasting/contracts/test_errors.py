"""Tests of the error families."""

import copy
import pickle
from dataclasses import fields
from datetime import UTC, date, datetime

import pytest

from forecasting.contracts import errors

WEEK = date(1991, 1, 3)
EXAMPLES = [
    errors.SchemaError("sales", "lacks the declared columns units", "add them"),
    errors.DataError("Nothing was sold", "collect first"),
    errors.WeekNotWhole(WEEK, ("store 2", "store 5 lacks product 3"), 0.75, 0.9),
    errors.WeekWaiting(WEEK, ("store 2",), datetime(1992, 4, 23, 18, tzinfo=UTC)),
    errors.OptionError("horizon=0", "is less than 1", "give 1 or more weeks"),
    errors.StorageError("s3://bucket/lake/sales", "Permission denied"),
    errors.RunError("The week has 3 rows", "run again"),
    errors.WeekBusy(WEEK, "process 12"),
    errors.TooManyFallbacks(WEEK, 51, 50, ("store 2 product 1: raised",)),
]


def name_of(error: errors.ForecastingError) -> str:
    return type(error).__name__


def test_every_error_of_the_package_has_an_example_here() -> None:
    """A new error cannot escape the laws below."""
    assert {type(error) for error in EXAMPLES} == set(errors.ForecastingError.__subclasses__())


@pytest.mark.parametrize("error", EXAMPLES, ids=name_of)
def test_an_error_survives_pickling(error: errors.ForecastingError) -> None:
    """What a worker raised reaches the driver as the same class with the same fields and message."""
    back = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes

    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.args == error.args
    assert [getattr(back, field.name) for field in fields(back)] == list(error.args)


@pytest.mark.parametrize("error", EXAMPLES, ids=name_of)
def test_an_error_can_be_copied_and_raised(error: errors.ForecastingError) -> None:
    """A copy can be raised and caught as any error of the package, with a cause beside it."""
    with pytest.raises(errors.ForecastingError) as caught:
        raise copy.copy(error) from ValueError("cause")

    assert str(caught.value) == str(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=name_of)
def test_a_message_is_one_sentence(error: errors.ForecastingError) -> None:
    """People get sentences: a full stop at the end, no line break, no doubled punctuation."""
    text = str(error)

    assert text.endswith(".")
    assert "\n" not in text
    assert ".." not in text
    assert ";;" not in text


def test_a_week_that_is_not_whole_names_the_stores_and_the_ways_out() -> None:
    """Whoever reads it learns who is missing, how far the week is, and both remedies."""
    text = str(EXAMPLES[2])

    for part in ("1991-01-03", "store 2; store 5 lacks product 3", "75%", "90%", "inbox", "--accept-gaps"):
        assert part in text


def test_too_many_fallbacks_says_what_became_of_the_published_forecast() -> None:
    """The counts, the examples and the reassurance all stand in the message."""
    text = str(EXAMPLES[-1])

    for part in ("51 series", "allows 50", "store 2 product 1: raised", "unchanged"):
        assert part in text
