"""The Prefect flows, their stages and their options."""

from flows.settings import apply_defaults

apply_defaults()
