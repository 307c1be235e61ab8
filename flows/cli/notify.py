"""`oj notify`: whether those are reached who are told of trouble."""

from typing import Annotated

import typer

from flows.cli.app import app
from flows.session import user_errors
from forecasting.errors import OptionError


@app.command()
def notify(text: Annotated[str, typer.Argument(help="What to tell.", show_default=False)] = "It works.") -> None:
    """Send a line to those who are told of trouble, to see that it arrives."""
    with user_errors():
        from forecasting.adapters.connections import connections_path
        from forecasting.adapters.notify import CONNECTION
        from forecasting.adapters.notify import notify as tell

        delivery = tell("Orange juice forecast: a test", text)
        delivery.require_all()
        if not delivery.targets:
            raise OptionError(
                str(connections_path()),
                "names nobody to notify",
                f'write {CONNECTION} = "mailto://..." into it, as docs/operations.md tells',
            )
        typer.echo(f"Told: {delivery.reached} of {delivery.targets}.")
