"""The command `oj scores`."""

from flows import parameters as p
from flows.options import LakeOptions
from forecasting.cli.app import app
from forecasting.cli.session import user_errors


@app.command()
def scores(lake: p.LakeRoot = None) -> None:
    """How the published forecasts came out, week by week, beside the naive forecast; and the alarms of drift."""
    with user_errors():
        from forecasting.presentation.terminal.console import console
        from forecasting.presentation.terminal.scores import scores_table

        home = LakeOptions(lake=lake).home
        found = home.monitoring.scores()
        if found.empty:
            console.print("No forecast has matured yet: the next run scores those whose week it collects.")
            return
        console.print(scores_table(found))
        alarms = home.monitoring.alarms(found["week"].max().date())
        for alarm in alarms:
            console.print(f"{alarm.week}  {alarm.sentence}", style="red")
        if not alarms:
            console.print("No alarm has been raised.", style="dim")
