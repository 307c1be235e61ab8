"""Declared options become flat parameters, for the form of the Prefect UI and for the command line."""

import inspect
import re
from datetime import date
from typing import Annotated, Any

import pytest
import typer
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import parameter_schema
from typer.testing import CliRunner, Result

from flows.backtest import backtest
from flows.parameters import described
from flows.train import train
from flows.weekly_forecast import weekly_forecast
from forecasting.cli import models, runs
from forecasting.contracts.spec import Option


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
    for flow, command in ((weekly_forecast, runs.run), (backtest, runs.backtest), (train, models.train)):
        of_flow, of_command = (inspect.signature(each).parameters for each in (flow.fn, command))
        assert [(each.name, each.default) for each in of_flow.values()] == [
            (each.name, each.default) for each in of_command.values()
        ]
        assert [each.annotation.__origin__ for each in of_flow.values()] == [
            each.annotation.__origin__ for each in of_command.values()
        ]


def test_a_value_out_of_bounds_is_refused_before_anything_runs() -> None:
    """Pydantic checks the flow's parameters too, not only the form."""
    with pytest.raises(ParameterTypeError, match="horizon"):
        weekly_forecast.validate_parameters({"horizon": 0})


app = typer.Typer()


@app.command()
@described
def shown(
    day: Annotated[date | None, Option("A day.")] = None,
    many: Annotated[list[str], Option("Words.")] = [],  # noqa: B006 - Typer copies it
    share: Annotated[float, Option("A share.", 0, 1)] = 0.5,
    number: Annotated[int | None, Option("A number.", 1)] = None,
    renamed: Annotated[bool, Option("A flag.", flag="--other")] = False,
) -> None:
    """Print the values."""
    typer.echo((day, many, share, number, renamed))


def given(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def test_values_are_read_by_their_types() -> None:
    """Dates, lists, numbers and flags under another name."""
    values: tuple[Any, ...] = (date(1992, 4, 16), ["a", "b"], 1.0, 3, True)
    args = ("--day", "1992-04-16", "--many", "a", "--many", "b", "--share", "1", "--number", "3", "--other")
    assert given(*args).output == f"{values}\n"
    assert given().output == f"{(None, [], 0.5, None, False)}\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--day", "today"), "'today' is not of the form YYYY-MM-DD."),
        (("--share", "1.5"), "1.5 is out of bounds: 0 to 1."),
        (("--share", "nan"), "nan is out of bounds: 0 to 1."),
        (("--number", "0"), "0 is out of bounds: 1 or more."),
        (("--number", "1.5"), "'1.5' is not a whole number."),
    ],
)
def test_a_value_that_cannot_be_read_is_named(args: tuple[str, ...], says: str) -> None:
    """With the option and what it takes."""
    refused = given(*args)
    assert refused.exit_code == 2
    assert f"Invalid value for '{args[0]}': {says}" in " ".join(refused.output.replace("│", " ").split())


def test_the_help_shows_bounds_and_defaults() -> None:
    """A default of None is not shown."""
    text = " ".join(given("--help").output.replace("│", " ").split())
    assert "A share (0 to 1). [default: 0.5]" in text
    assert "--number N A number (1 or more). --other" in text
