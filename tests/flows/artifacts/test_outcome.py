"""The outcome's page."""

from dataclasses import replace

import pandas as pd
from flows.artifacts.outcome import MOST_NAMED, outcome_markdown

from tests.flows.artifacts.conftest import Published


def test_a_failed_series_is_named_with_its_reason(published: Published) -> None:
    """Its product's name comes from outside and stays text; the model that was asked for comes first."""
    record = published.record | {"series_by_model": {"mean": 1, "price_response": 912}}
    lake, spec = published.lake, replace(published.spec, model="price_response")
    page = outcome_markdown(lake.forecasts.read(spec.cutoff), lake.reference.products(), spec, record)
    assert "## 913 series × 2 weeks" in page
    assert page.index(r"| price\_response | asked for | 912 |") < page.index("| mean | fallback | 1 |")
    (row,) = [line for line in page.splitlines() if line.startswith("| 2 |")]
    assert r"\*\*Evil\*\* \<img src=x" in row
    assert row.endswith(r"| timed\_out | the model took longer than it may |")


def test_many_failures_are_counted_beyond_the_first(published: Published) -> None:
    """A page is not a table of thousands."""
    forecast = published.lake.forecasts.read(published.spec.cutoff).assign(reason="raised")
    page = outcome_markdown(forecast, published.lake.reference.products(), published.spec, published.record)
    assert page.count("the model broke off with an error") == MOST_NAMED
    assert f"{913 - MOST_NAMED} more are in the published table" in page


def test_a_run_without_failures_says_so(published: Published) -> None:
    """No empty table."""
    forecast = published.lake.forecasts.read(published.spec.cutoff).assign(reason=pd.NA)
    page = outcome_markdown(forecast, published.lake.reference.products(), published.spec, published.record)
    assert "No series failed, and none was refused." in page
    assert "on fallback" not in page
