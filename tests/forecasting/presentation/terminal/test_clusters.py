"""What `oj clusters` prints."""

from io import StringIO

from forecasting.presentation.terminal.clusters import show_clusters, show_reaped
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.terminal.printed import text_of


def test_a_lake_without_clusters_says_so(printed: StringIO, lake: Lake) -> None:
    """None beyond this machine, and none to end."""
    show_clusters(lake)
    show_reaped([])

    assert text_of(printed).splitlines() == ["No cluster is alive beyond this machine.", "No orphans."]


def test_a_damaged_entry_is_an_orphan(printed: StringIO, lake: Lake) -> None:
    """It is shown within 80 columns, with the command that ends it."""
    entry = lake.cluster_entry("ab")
    entry.parent.mkdir(parents=True)
    entry.write_text("cut off")

    show_clusters(lake)

    text = text_of(printed)
    assert "orphan: its run is gone" in text
    assert "Next: oj clusters reap" in text
