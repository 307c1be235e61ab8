"""`oj` itself: the groups of its commands, and what every command shares."""

from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import Annotated, ParamSpec, TypeVar

import typer

from flows.parameters import described
from forecasting.cli.session import user_errors

P = ParamSpec("P")
R = TypeVar("R")

# The groups of commands, in the order of `oj --help`.
GROUPS = ("Every week", "Data", "Results", "Models and past weeks", "Service")
WEEKLY, DATA, RESULTS, MODELS, SERVICE = GROUPS

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def as_command(function: Callable[P, R]) -> Callable[P, R]:
    """Give a command the help of its options; its errors end in one sentence."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with user_errors():
            return function(*args, **kwargs)

    return described(call)


def command(panel: str, name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Add a function to `oj` as a command of a panel of its help."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        call = as_command(function)
        app.command(name, rich_help_panel=panel)(call)
        return call

    return decorate


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"oj {version('orange-juice-forecasting')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Forecast next week's sales for every store and product: a weekly batch."""
