"""The flow's parameters: a form in the Prefect UI, and the same options on the command line."""

import inspect
import typing
from typing import get_type_hints

import pytest
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import parameter_schema

from flows import cli
from flows.weekly_forecast import weekly_forecast


def test_every_parameter_has_a_title_and_a_description() -> None:
    """A person who opens the form sees what each field means."""
    properties = parameter_schema(weekly_forecast.fn).properties
    assert len(properties) == 14
    for name, field in properties.items():
        assert field.get("title"), name
        assert field.get("description"), name


def test_bounds_are_part_of_the_form() -> None:
    """The form refuses what the flow would refuse."""
    properties = parameter_schema(weekly_forecast.fn).properties
    assert (properties["horizon"]["minimum"], properties["horizon"]["maximum"]) == (1, 26)
    assert properties["min_reporting"]["maximum"] == 1
    assert properties["point"]["enum"] == ["median", "mean", "mape"]


def test_the_command_line_has_the_same_options() -> None:
    """`oj run` takes every parameter of the flow, with the same default and type."""
    of_flow = inspect.signature(weekly_forecast.fn).parameters
    of_command = inspect.signature(cli.run).parameters
    assert {name: value.default for name, value in of_flow.items()} == {
        name: value.default for name, value in of_command.items()
    }
    flow_types = get_type_hints(weekly_forecast.fn, include_extras=True)
    for name, kind in get_type_hints(cli.run, include_extras=True).items():
        if name != "return":
            assert typing.get_args(kind) == typing.get_args(flow_types[name]), name


def test_a_value_out_of_bounds_is_refused_before_anything_runs() -> None:
    """Pydantic checks the flow's parameters too, not only the form."""
    with pytest.raises(ParameterTypeError, match="horizon"):
        weekly_forecast.validate_parameters({"horizon": 0})
