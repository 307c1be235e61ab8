"""The command `oj whatif`."""

from datetime import date
from typing import Annotated

import typer

from flows import parameters as p
from flows.options import LakeOptions
from forecasting.cli.app import app
from forecasting.cli.session import by_name, user_errors


@app.command()
def whatif(
    store: Annotated[int, typer.Option(help="Store number.", show_default=False)],
    product: Annotated[int, typer.Option(help="Product number.", show_default=False)],
    week: Annotated[
        date,
        typer.Option(**p.A_WEEK, help="First day of a coming week.", show_default=False),
    ],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Value of a covariate, as price=1.99; repeat it for others. What is not set is as planned.",
            show_default=False,
        ),
    ] = None,
    lake: p.LakeRoot = None,
) -> None:
    """What a store would sell of a product under another offer, beside what is expected under the plan."""
    with user_errors():
        from forecasting.pipeline.outlook import outlook_of
        from forecasting.pipeline.what_if import what_if
        from forecasting.presentation.terminal.whatif import show_answer

        home = LakeOptions(lake=lake).home
        of, model = outlook_of(home)
        answer = what_if(of, store, product, week, **by_name("set", given or [], float))
        show_answer(home, store, product, week, model, answer)
