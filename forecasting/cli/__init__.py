"""The command line `oj`. Commands import what they need themselves: `oj --help` answers at once."""

# ruff: isort: off
from forecasting.cli.app import app

# Each adds its commands, in the order in which `oj --help` lists them.
from forecasting.cli import runs, lake, notify, clusters, snapshot, report, export, load, models, whatif, scores  # noqa: F401

__all__ = ["app"]
