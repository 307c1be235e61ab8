"""The stages of the weekly batch as plain functions with typed results."""
