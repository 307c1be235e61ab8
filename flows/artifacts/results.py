"""The results: which files there are now, how to open them, and how to see that they are whole."""

import hashlib
import logging
from pathlib import Path
from typing import Any

from flows.artifacts.markdown import block, code, text
from flows.artifacts.posting import post
from forecasting.storage.lake import Lake

logger = logging.getLogger(__name__)


def show_results(lake: Lake, record: dict[str, Any]) -> None:
    """Where the results are."""
    logger.info("%s: %s (%s rows).", record["outcome"].capitalize(), record["published"], f"{record['rows']:,}")
    post("results", "The files of the run, and how to open them", results_markdown, lake, record)


def results_markdown(lake: Lake, record: dict[str, Any]) -> str:
    """The files, with the commands that open them and their hashes."""
    published, report = (Path(record[name]).resolve() for name in ("published", "report"))
    run_records = (lake.root / "run_records" / record["spec"]["cutoff"]).resolve()
    return "\n\n".join(
        [
            "## Forecast",
            f"{record['rows']:,} rows, one per store, product and week, with the forecast and its intervals:",
            block("python", f"import pandas as pd\npd.read_parquet({str(published)!r})"),
            f"sha256 {code(_sha256(published))}",
            "## Report",
            _page(record["report_page"]),
            "History and forecast in one table, for reporting tools that read Parquet:",
            block("python", f"import duckdb\nduckdb.read_parquet({str(report)!r})"),
            f"sha256 {code(_sha256(report))}",
            "## Receipts",
            f"What each run of the week did, published or not, is kept in {code(run_records)}.",
        ]
    )


def _page(page: dict[str, Any]) -> str:
    if "error" in page:
        return f"The page for people could not be written: {text(page['error'])}"
    return f"For people, to be opened in a browser: {code(Path(page['path']).resolve().as_uri())}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
