"""The command `oj whatif`."""

from datetime import date
from typing import Annotated

import typer

from flows import parameters as p
from flows.options import LakeOptions
from forecasting.cli.app import app
from forecasting.cli.session import user_errors


@app.command()
def whatif(
    store: Annotated[int, typer.Option(help="Store number.", show_default=False)],
    product: Annotated[int, typer.Option(help="Product number.", show_default=False)],
    week: Annotated[
        date,
        typer.Option(**p.A_WEEK, help="First day of a coming week.", show_default=False),
    ],
    price: Annotated[
        float | None, typer.Option(help="Dollars a carton; empty: as planned.", show_default=False)
    ] = None,
    deal: Annotated[
        int | None, typer.Option(help="1 for a deal, else 0; empty: as planned.", show_default=False)
    ] = None,
    feat: Annotated[
        float | None,
        typer.Option(help="Share of the product in the advert, 0 to 1; empty: as planned.", show_default=False),
    ] = None,
    lake: p.LakeRoot = None,
) -> None:
    """What a store would sell of a product under another offer, beside what is expected under the plan."""
    with user_errors():
        from forecasting.pipeline.what_if import outlook_of, what_if
        from forecasting.presentation.terminal.whatif import show_answer

        home = LakeOptions(lake=lake).home
        of, model = outlook_of(home)
        answer = what_if(of, store, product, week, price=price, deal=deal, feat=feat)
        show_answer(home, store, product, week, model, answer)
