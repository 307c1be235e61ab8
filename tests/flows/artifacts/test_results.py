"""The results' page."""

import re
import subprocess
from pathlib import Path

from flows.artifacts.results import results_markdown

from tests.flows.artifacts.conftest import Published


def test_the_commands_open_the_files_and_the_hashes_are_theirs(published: Published) -> None:
    """What stands on the page is run: both tables are read; `sha256sum` agrees."""
    page = results_markdown(published.lake, published.record)
    commands = re.findall(r"```python\n(.*?)\n```", page, flags=re.DOTALL)
    rows = []
    for command in commands:
        scope: dict[str, object] = {}
        *lines, last = command.splitlines()
        exec("\n".join(lines), scope)  # noqa: S102 - the command of the page
        rows.append(len(eval(last, scope)))  # noqa: S307 - as above
    assert rows[0] == published.record["rows"]
    assert rows[1] == len(published.report)
    for file in (Path(published.record["published"]), published.lake.reports.table_path):
        summed = subprocess.run(["sha256sum", str(file)], capture_output=True, text=True, check=True).stdout  # noqa: S607
        assert f"`{summed.split()[0]}`" in page
