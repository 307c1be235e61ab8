"""`oj report`: the page of a published week, written anew."""

from flows.options import CutoffOption, takes
from forecasting.cli.app import app
from forecasting.cli.session import user_errors


@app.command()
@takes(CutoffOption)
def report(options: CutoffOption) -> None:
    """Write the report page of a published week, and print where it is; the newest week, where none is named."""
    with user_errors():
        from forecasting.presentation.html import write_page
        from forecasting.presentation.terminal.files import show_page

        show_page(write_page(options.home, options.cutoff or options.home.forecasts.newest()))
