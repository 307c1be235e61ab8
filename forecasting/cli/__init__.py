"""The command line `oj`. Commands import what they need themselves, so that `oj --help` answers at once."""

# ruff: isort: off
from forecasting.cli.app import GROUPS, app

# Each adds its commands.
from forecasting.cli import runs, lake, results, models, service  # noqa: F401

# `oj --help` lists the groups in the order in which their first commands come.
app.registered_commands.sort(key=lambda each: GROUPS.index(str(each.rich_help_panel)))

__all__ = ["app"]
