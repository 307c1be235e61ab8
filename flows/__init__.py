"""The Prefect flows, their stages and the command line."""

from flows.settings import apply_defaults

apply_defaults()
