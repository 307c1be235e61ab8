"""The views of DuckDB over the lake's tables, as an SQL file that works from any folder."""

from pathlib import Path

from forecasting.storage.lake import Lake

_HEAD = """\
-- DuckDB's views of this lake: `duckdb -init views.sql`, or in Python duckdb.sql(open("views.sql").read()).
-- Written anew by every run; columns and examples are in docs/tables.md.
"""


def views_sql(lake: Lake) -> str:
    """Statements that create the views `report`, `scores`, and `forecast` (of every published cutoff)."""
    views = {
        "report": _literal(lake.report_path),
        "scores": _literal(lake.scores_table_path),
        "forecast": _literal(lake.published_root, "/*/forecast.parquet"),
    }
    return _HEAD + "".join(
        f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet({files}, union_by_name = true);\n"  # noqa: S608
        for name, files in views.items()
    )


def _literal(path: Path, pattern: str = "") -> str:
    """A path as a string of SQL; signs that would be a pattern stand for themselves."""
    exact = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path.resolve()))
    return "'" + (exact + pattern).replace("'", "''") + "'"
