"""The flow's parameters: a form in the Prefect UI, and the same options on the command line."""

import inspect
import re
from dataclasses import fields

import pytest
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import parameter_schema

from flows.backtest import backtest
from flows.options import WeeklyOptions
from flows.train import train
from flows.weekly_forecast import weekly_forecast
from forecasting.cli import models, runs


def test_every_parameter_has_a_title_and_a_description() -> None:
    """A person who opens the form sees what each field means."""
    properties = parameter_schema(weekly_forecast.fn).properties
    assert len(properties) == len(fields(WeeklyOptions))
    for name, field in properties.items():
        assert field.get("title"), name
        assert field.get("description"), name


def test_bounds_are_part_of_the_form() -> None:
    """The form refuses what the flow would refuse."""
    properties = parameter_schema(weekly_forecast.fn).properties
    assert (properties["horizon"]["minimum"], properties["horizon"]["maximum"]) == (1, 26)
    assert properties["min_reporting"]["maximum"] == 1
    assert properties["point"]["enum"] == ["median", "mean", "mape"]
    takes_database = re.compile(properties["database"]["pattern"]).search
    assert takes_database("reporting")
    assert takes_database("sqlite:////srv/oj.db")
    assert not takes_database("postgresql://oj:password@host/db")


def test_the_command_line_has_the_same_options() -> None:
    """`oj run` takes every parameter of the flow, with the same default and type."""
    assert inspect.signature(weekly_forecast.fn) == inspect.signature(runs.run)
    assert inspect.signature(backtest.fn) == inspect.signature(runs.backtest)
    assert inspect.signature(train.fn) == inspect.signature(models.train)


def test_a_value_out_of_bounds_is_refused_before_anything_runs() -> None:
    """Pydantic checks the flow's parameters too, not only the form."""
    with pytest.raises(ParameterTypeError, match="horizon"):
        weekly_forecast.validate_parameters({"horizon": 0})
