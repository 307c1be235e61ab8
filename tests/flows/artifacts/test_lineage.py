"""The lineage's page."""

import re
import subprocess

from flows.artifacts.lineage import lineage_markdown
from tests.flows.artifacts.conftest import Published


def test_every_step_has_its_counts_and_a_hash_that_can_be_checked(published: Published) -> None:
    """From 82 files to the report; the command of the page gives the hash of the sales."""
    page = lineage_markdown(published.lake, published.spec, published.work)
    steps = [line.split(" | ") for line in page.splitlines() if line.endswith("` |")]
    assert [(step[0], step[1]) for step in steps] == [
        ("| files that the stores sent", "82"),
        ("| sales up to 1992-04-16", "97"),
        ("| promotions announced up to 1992-04-16", "93"),
        ("| forecast", "1"),
        ("| report", "1"),
    ]
    assert steps[3][2] == "1,826"
    assert f"Run id `{published.work.run_id}`" in page
    assert "913 series in 4 partitions" in page
    (command,) = re.findall(r"```sh\n(.*?)\n```", page)
    summed = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout  # noqa: S602
    assert steps[1][4] == f"`{summed[:12]}` |"
