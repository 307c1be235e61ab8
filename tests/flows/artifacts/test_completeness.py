"""The ledger's page."""

import logging

import pytest
from flows.artifacts.completeness import completeness_markdown, show_completeness

from tests.flows.artifacts.conftest import Published


def test_every_store_and_row_is_accounted_for(published: Published) -> None:
    """82 of 83 stores have come, and the rows add up."""
    page = completeness_markdown(published.record)
    assert "| Status | closed with gaps: enough of the expected stores have reported |" in page
    assert "| **Stores expected** | 83 " in page
    assert "| **Stores received** | 82 |" in page
    assert "| **Stores missing** | 1: store 90 |" in page
    assert "| **Came in** | 4,477 |" in page
    assert "| Quarantined | 0 |" in page


def test_gaps_and_who_accepted_them_are_named(published: Published) -> None:
    """By whom, why and when; what people wrote is text; quarantined rows are told by rule, late files by week."""
    completeness = published.record["completeness"] | {
        "incomplete": {5: "products 1, 2"},
        "accepted": {"by": "*me*", "why": "a | strike", "when": "1992-04-24T09:00:00+00:00"},
    }
    rows = {"rows_quarantined": 3, "quarantined_by_rule": {"cut_row": 3}, "late_files": {"1992-04-09": 2}}
    rows["inbox_notes"] = ["store 2 is *left*"]
    page = completeness_markdown(published.record | rows | {"completeness": completeness})
    assert "| **Store 5 lacks** | products 1, 2 |" in page
    assert r"| **Accepted by** | \*me\* |" in page
    assert r"| **because** | a \| strike |" in page
    assert "1992-04-24" in page
    assert r"| of these: cut\_row | 3 |" in page
    assert "| **Late files, week of 1992-04-09** | 2 |" in page
    assert r"| **Inbox** | store 2 is \*left\* |" in page


def test_the_log_says_it_in_plain_words(published: Published, caplog: pytest.LogCaptureFixture) -> None:
    """One line of the stores, one of the rows, and a warning for what was quarantined."""
    with caplog.at_level(logging.INFO):
        show_completeness(published.record | {"quarantined_by_rule": {"negative": 1}})
    said = [record.getMessage() for record in caplog.records]
    assert "82 of 83 expected stores have reported; missing: store 90." in said
    assert "4,477 rows came in: 4,477 accepted, 0 dropped as duplicates, 0 quarantined." in said
    assert ("WARNING", "1 row quarantined: negative.") in [(r.levelname, r.getMessage()) for r in caplog.records]
