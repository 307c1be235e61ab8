"""The receipt's page."""

from flows.artifacts.record import record_markdown

from tests.flows.artifacts.conftest import Published


def test_the_seconds_add_up(published: Published) -> None:
    """What no stage took is the cluster's going up and down."""
    page = record_markdown(published.record)
    assert "| Outcome | published, week of 1992-04-16 |" in page
    assert "| cluster up and down | 1.5 |" in page
    assert "| **in all** | **4.0** |" in page
    assert "| **Worker seconds** | 5.0 provisioned: 3.0 busy, 2.0 idle |" in page
    assert "| **Afterwards** | no worker is left |" in page


def test_what_is_left_and_what_it_cost_is_told(published: Published) -> None:
    """Processes that survived stand out; a cost is there where a price was given."""
    cluster = published.record["cluster"] | {"left_over": [42], "cost": 0.0125}
    page = record_markdown(published.record | {"cluster": cluster})
    assert "STILL RUNNING: 42" in page
    assert r"| **Cost** | 0\.0125 |" in page
    without = {name: value for name, value in published.record.items() if name != "cluster"}
    assert "## Cluster" not in record_markdown(without)
