"""docs/tables.md: its columns are those declared, and its examples give what it says."""

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from forecasting.clock import now
from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec, GateSpec
from forecasting.contracts.table import Table
from forecasting.core.panel import series_of
from forecasting.pipeline import ingest
from forecasting.pipeline import report as reporting
from forecasting.pipeline.forecast import forecast
from forecasting.storage.database.load import load
from forecasting.storage.lake import Lake
from tests.databases import CUTOFFS, scores_of

DOCUMENT = (Path(__file__).parents[1] / "docs" / "tables.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(python|sql)\n(.*?)```\n(?:\n```text\n(.*?)```)?", DOCUMENT, flags=re.DOTALL)
TABLES = [orange_juice.REPORT, schemas.SCORES, orange_juice.FORECAST, orange_juice.ORDER_SHEET]
TYPES = {"int8": "whole number", "int16": "whole number", "int32": "whole number", "int64": "whole number"}
TYPES |= {"double": "decimal", "string": "text", "bool": "true or false", "date32[day]": "date"}


def columns_of(table: Table) -> str:
    """The columns of a table as Markdown."""
    rows = []
    for field in table.schema:
        meaning = field.metadata[b"unit"].decode().replace("|", "\\|")
        empty = "; may be empty" if field.nullable and "empty" not in meaning else ""
        rows.append(f"| `{field.name}` | {TYPES[str(field.type)]} (`{field.type}`) | {meaning}{empty} |")
    return "\n".join(["| column | type | unit and meaning |", "|---|---|---|", *rows])


@pytest.fixture(scope="module")
def demo(simulated_lake_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """What `make run` leaves, without the cluster."""
    lake = Lake(tmp_path_factory.mktemp("demo") / "lake")
    shutil.copytree(simulated_lake_template, lake.root)
    week = dominicks_week(136)
    arrived = ingest.collect(lake, week)
    spec = GateSpec(datetime(1992, 4, 24, tzinfo=UTC))
    checked = ingest.validate(lake, arrived)
    ingest.admit(lake, week, arrived, checked, spec, now())
    rows = forecast(lake.sales.read(), lake.promotions.read(), ForecastSpec(week))
    lake.forecasts.publish([rows], series_of(rows), ForecastSpec(week), "demo")
    reporting.report(lake)
    return lake


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_documented_as_it_is_declared(table: Table) -> None:
    """Name, type, unit and meaning, in the order of the file."""
    assert f"<!-- columns of {table.name} -->\n{columns_of(table)}\n\n" in DOCUMENT


@pytest.mark.parametrize(("language", "code", "claimed"), [each for each in EXAMPLES if each[2]])
def test_an_example_gives_what_is_claimed(
    language: str,
    code: str,
    claimed: str,
    demo: Lake,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Typed in the folder of the project after `make run`."""
    monkeypatch.chdir(Path(demo.root).parent)
    if language == "python":
        exec(code, {})  # noqa: S102 - our own document
        answer = capsys.readouterr().out
    else:
        with duckdb.connect() as connection:
            connection.execute((demo.root / "report" / "views.sql").read_text())
            answer = connection.execute(code).df().to_string(index=False) + "\n"
    assert answer == claimed


def test_the_example_of_scores_adds_up_before_it_divides(small_lake: Lake, tmp_path: Path) -> None:
    """Weeks of 100 and 300 cartons, missed by 10 and 90: a quarter, not the mean of 10 % and 30 %."""
    lake = small_lake
    for cutoff, actual, error in ((CUTOFFS[0], 100.0, 10.0), (CUTOFFS[1], 300.0, 90.0)):
        rows = scores_of(cutoff, steps=1).assign(actual=actual, absolute_error=error, naive_absolute_error=2 * error)
        lake.monitoring.write_scores(cutoff, "naive-1.0-2", rows, {})
    reporting.report(lake)
    query = next(code for _, code, _ in EXAMPLES if "FROM scores" in code)
    with duckdb.connect() as connection:
        connection.execute((lake.root / "report" / "views.sql").read_text())
        assert connection.execute(query).fetchall() == [(1, 2, 0.25, 0.5, 0.5)]


def test_the_database_answers_as_the_views_do(small_lake: Lake, tmp_path: Path) -> None:
    """One query, two engines, one answer."""
    lake = small_lake
    reporting.report(lake)
    load(lake, f"sqlite:///{tmp_path}/oj.db")
    query = EXAMPLES[-1][1]
    assert "FROM report GROUP BY kind" in query
    with duckdb.connect() as connection, closing(sqlite3.connect(tmp_path / "oj.db")) as database:
        connection.execute((lake.root / "report" / "views.sql").read_text())
        by_views = [
            (kind, cells, str(first), str(last)) for kind, cells, first, last in connection.execute(query).fetchall()
        ]
        assert database.execute(query).fetchall() == by_views
    assert [row[0] for row in by_views] == ["actual", "forecast"]
