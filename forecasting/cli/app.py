"""`oj` itself, to which each module of this package adds its commands."""

import typer

app = typer.Typer(
    help="Next week's sales for every store and product: a weekly batch forecast.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
