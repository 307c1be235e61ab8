"""What people and their tools open.

report/report.parquet             history and forecasts in one table
report/scores.parquet             scores of the current forecasts
report/views.sql                  DuckDB's views of these tables
report/<cutoff>.html, <cutoff>/   the page of a week, and the parts of a page that is too large for one file
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from forecasting.contracts import schemas
from forecasting.storage.files import write_table
from forecasting.storage.forecasts import Forecasts
from forecasting.storage.location import Location
from forecasting.storage.reference import Reference

_VIEWS_HEAD = """\
-- DuckDB's views of this lake: `duckdb -init views.sql`, or in Python duckdb.sql(open("views.sql").read()).
-- Every run writes this file again; columns and examples are in docs/tables.md.
"""


@dataclass(frozen=True)
class Page:
    """A page: its HTML, and the files that go into its folder, by name; a name is made from the file's content."""

    html: str
    beside: Mapping[str, str]


class Reports:
    """Writes the report and the pages."""

    def __init__(self, root: Location, forecasts: Forecasts, reference: Reference) -> None:
        self._folder = root / "report"
        self._forecasts = forecasts
        self._reference = reference

    @property
    def table_path(self) -> Location:
        return self._folder / "report.parquet"

    @property
    def scores_path(self) -> Location:
        return self._folder / "scores.parquet"

    def page_path(self, cutoff: date) -> Location:
        return self._folder / f"{cutoff}.html"

    def write_table(self, rows: pd.DataFrame, metadata: Mapping[str, str]) -> Location:
        """Write the table `report`."""
        write_table(self.table_path, rows, schemas.report(self._reference.definition), metadata)
        return self.table_path

    def write_scores(self, rows: pd.DataFrame) -> None:
        """Write the table `scores`."""
        write_table(self.scores_path, rows, schemas.SCORES)

    def write_views(self) -> None:
        """Write SQL that opens the tables in DuckDB from any folder: views `report`, `scores` and `forecast`."""
        views = {
            "report": _literal(self.table_path),
            "scores": _literal(self.scores_path),
            "forecast": _literal(self._forecasts.folder, "/*/forecast.parquet"),
        }
        statements = (
            f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet({files}, union_by_name = true);\n"  # noqa: S608
            for name, files in views.items()
        )
        (self._folder / "views.sql").write_text(_VIEWS_HEAD + "".join(statements))

    def write_page(self, cutoff: date, page: Page) -> Location:
        """Replace the page of a week; its parts are written before it, and those of the old page removed after it."""
        path = self.page_path(cutoff)
        parts = self._folder / str(cutoff)
        old = {file.name for file in parts.files()}
        for name in page.beside.keys() - old:  # the name is made from the content
            (parts / name).write_text(page.beside[name])
        path.write_text(page.html)
        for name in old - page.beside.keys():
            (parts / name).delete()
        return path


def _literal(path: Location, pattern: str = "") -> str:
    """Return a path as an SQL string, with the characters of patterns quoted."""
    exact = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path.address)
    return "'" + (exact + pattern).replace("'", "''") + "'"
