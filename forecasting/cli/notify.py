"""`oj notify`: whether those are reached who are told of trouble."""

from typing import Annotated

import typer

from forecasting.cli.app import app
from forecasting.cli.session import user_errors
from forecasting.contracts.errors import OptionError


@app.command()
def notify(text: Annotated[str, typer.Argument(help="What to tell.", show_default=False)] = "It works.") -> None:
    """Send a line to those who are told of trouble, to see that it arrives."""
    with user_errors():
        from forecasting.pipeline.delivery import CONNECTION
        from forecasting.pipeline.delivery import notify as tell
        from forecasting.storage.connections import connections_path

        delivery = tell("Orange juice forecast: a test", text)
        delivery.require_all()
        if not delivery.targets:
            raise OptionError(
                str(connections_path()),
                "names nobody to notify",
                f'write {CONNECTION} = "mailto://..." into it, as docs/operations.md tells',
            )
        typer.echo(f"Told: {delivery.reached} of {delivery.targets}.")
