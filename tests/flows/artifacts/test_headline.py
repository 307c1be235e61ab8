"""The headline's page."""

import base64
import re
from datetime import date

import pytest
from flows.artifacts.headline import headline, headline_markdown

from forecasting.core.report import Expectation
from tests.flows.artifacts.conftest import Published


@pytest.mark.parametrize(
    ("units", "words"),
    [(1200, "20 % more than in"), (900, "10 % less than in"), (1004, "as many as in")],
)
def test_the_headline_is_one_sentence(units: float, words: str) -> None:
    """More, less, or the same."""
    said = headline(Expectation(date(1992, 4, 23), units, 1000, 4))
    assert said == (
        f"{units:,.0f} cartons are expected in the week of 1992-04-23, {words} the mean of the last 4 weeks (1,000)"
    )


def test_the_page_has_a_chart_movers_and_no_markup_of_names(published: Published) -> None:
    """The chart is a small PNG within the page, told in words too; names from outside stay text."""
    report = published.report
    report["product_name"] = "**Evil** | <b>"
    page = headline_markdown(report, "median")
    alternative, data = re.findall(r"!\[(.*?)\]\(data:image/png;base64,([^)]*)\)", page)[0]
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert len(data) < 60_000
    assert "Last sold, 1992-04-16" in alternative
    assert "1992-04-23" in alternative
    assert page.count(r"| \*\*Evil\*\* \| \<b\> |") == 10
    assert "only means add up" in page
    assert "only means add up" not in headline_markdown(report, "mean")
