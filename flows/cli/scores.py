"""The command `oj scores`."""

from flows import parameters as p
from flows.cli.app import app
from flows.options import LakeOptions
from flows.session import user_errors


@app.command()
def scores(lake: p.LakeRoot = None) -> None:
    """How the published forecasts came out, week by week, beside the naive forecast; and the alarms of drift."""
    with user_errors():
        from flows.terminal.console import console
        from flows.terminal.scores import scores_table

        home = LakeOptions(lake=lake).home
        found = home.scores()
        if found.empty:
            console.print("No forecast has matured yet: the next run scores those whose week it collects.")
            return
        console.print(scores_table(found))
        alarms = home.alarms(found["week"].max().date())
        for alarm in alarms:
            console.print(f"{alarm['week']}  {alarm['sentence']}", style="red")
        if not alarms:
            console.print("No alarm has been raised.", style="dim")
