"""Ids of stores and products are what the retailer writes: unchanged and inert wherever they come back."""

import csv
import os
import re
from dataclasses import dataclass, replace
from datetime import date
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from forecasting.clock import now
from forecasting.contracts import schemas
from forecasting.contracts.layout import store_files
from forecasting.contracts.panel_definition import ORANGE_JUICE, Id, Key, PanelDefinition, readable
from forecasting.contracts.run_record import Outcome, RunRecord, adapter
from forecasting.contracts.spec import BatchSpec, ForecastSpec
from forecasting.core.completeness import Acceptance, check_completeness, gate
from forecasting.core.forecast_checks import keys_of
from forecasting.core.report import order_sheet
from forecasting.pipeline import batch as batches
from forecasting.pipeline import publication
from forecasting.pipeline import report as reporting
from forecasting.pipeline.forecast import assemble, forecast_partition, train
from forecasting.pipeline.ingest import IngestResult
from forecasting.pipeline.model_selection import ModelChoice
from forecasting.pipeline.what_if import outlook, what_if
from forecasting.presentation.artifacts import run_artifacts, stage_artifacts
from forecasting.presentation.excel import export_forecast, harmless
from forecasting.presentation.html.render import write_page
from forecasting.presentation.markdown import WORD_JOINER
from forecasting.presentation.terminal.console import console
from forecasting.presentation.terminal.results import show_answer
from forecasting.presentation.terminal.run import show_run
from forecasting.presentation.view import RunView, run_view
from forecasting.storage.database.load import load
from forecasting.storage.files import read_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file
from forecasting.storage.model_registry import read_learnt, write_learnt
from tests.databases import Target
from tests.postgresql import PostgreSQL
from tests.sinks import write_connections

HOSTILE = [
    "=1+1",
    "<script>alert(1)</script>",
    "'; DROP TABLE sales; --",
    "../../etc/passwd",
    "007",
    "7",
    'São "Paulo"\n2',
    "L" * 200,
    "a",
    "A",
    "a ",
    "🍊",
    "\u200fשלום",
    "__proto__",
    "\x1b[31mred",
    "https://evil.example/?a=1&b=2",
    "| **bold** `x` |",
    "[red]{{ 7 * 7 }}",
    "12.0",
    "NULL",
    ":smile:",
]
DEFINITION = replace(
    ORANGE_JUICE,
    unit="kilogram",
    units="kilograms",
    currency="€",
    store=Key("outlet", "outlets", "text"),
    product=Key("SKU", "SKUs", "text"),
    covariates=ORANGE_JUICE.covariates[:1],
    whole_units=False,
    store_attributes=(),
    product_attributes=(),
)
FIRST, N_WEEKS = date(1992, 1, 2), 12
WEEKS = pd.date_range(FIRST, periods=N_WEEKS, freq="7D")
SPEC = ForecastSpec(WEEKS[-1].date(), model="mean", definition=DEFINITION)
FALLBACK = (HOSTILE[1], HOSTILE[1])


@dataclass(frozen=True)
class Ran:
    """A lake whose ids are all hostile, of which one week was forecast."""

    view: RunView

    @property
    def lake(self) -> Lake:
        return self.view.lake


def sales_of(ids: list[str], definition: PanelDefinition) -> pd.DataFrame:
    """Every store sells the product of its own name and the next one, a few hundred grams of each."""
    pairs = [*zip(ids, ids, strict=True), *zip(ids, ids[1:] + ids[:1], strict=True)]
    series = pd.DataFrame(pairs, columns=schemas.SERIES)
    rows = series.merge(pd.DataFrame({"week": WEEKS, "units": [0.37 + 0.01 * n for n in range(N_WEEKS)]}), how="cross")
    return schemas.sales(definition).cast(rows)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Not to be changed. The first outlet is missing in the last week, the second lacks a SKU, one series failed."""
    lake = Lake(tmp_path_factory.mktemp("hostile") / "lake")
    lake.prepare()
    lake.reference.write_panel(DEFINITION, store_files(DEFINITION))
    names = pd.DataFrame({"store": HOSTILE, "product": HOSTILE, "name": HOSTILE})
    lake.reference.write(names.assign(name=None), names)
    sales = sales_of(HOSTILE, DEFINITION)
    gaps = (sales["store"] == HOSTILE[0]) | ((sales["store"] == HOSTILE[6]) & (sales["product"] == HOSTILE[7]))
    sales = sales[~(gaps & (sales["week"] == WEEKS[-1]))]
    lake.sales.add(sales)
    ahead = pd.DataFrame({"week": [*WEEKS, WEEKS[-1] + pd.Timedelta(weeks=1)]})
    plans = sales[schemas.SERIES].drop_duplicates().merge(ahead, how="cross").assign(price=1.5, announced=WEEKS[0])
    lake.promotions.add(plans)
    report = gate(check_completeness(sales, SPEC.cutoff), DEFINITION, min_reporting=0.5)
    batch = batches.prepare(lake, SPEC, ModelChoice(SPEC.model, "always"), BatchSpec(mini_batch_size=7))
    data = [batch.reader.read(partition) for partition in batch.partitions]
    rows = [forecast_partition(each, SPEC) for each in data]
    table = assemble(rows, data, {FALLBACK: "raised"}, SPEC)
    published = publication.publish(lake, [table], batch)
    record = RunRecord(SPEC, now().replace(microsecond=0), Outcome.PUBLISHED, seconds_by_stage={"total": 1.0})
    for result in (IngestResult(report, 40, 40, 0, 0), published, reporting.report(lake)):
        record = record.with_result(result)
    lake.completeness.write(report)
    return Ran(run_view(lake, record))


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What has been printed so far, on a wide terminal."""
    file = StringIO()
    for name, value in {"_file": file, "_width": 4000, "_force_terminal": False}.items():
        monkeypatch.setattr(console, name, value)
    return file


def test_published_tables_have_the_ids_as_they_are(ran: Ran) -> None:
    """In the published forecast, the report and DuckDB, as a stranger reads them: text, and each its own."""
    for path in (ran.lake.forecasts.path(SPEC.cutoff), ran.lake.reports.table_path):
        rows = pd.read_parquet(path)
        assert set(rows["store"]) == set(rows["product"]) == set(HOSTILE)
    with duckdb.connect() as connection:
        connection.execute((ran.lake.root / "report" / "views.sql").read_text())
        assert {row[0] for row in connection.execute("SELECT DISTINCT store FROM forecast").fetchall()} == set(HOSTILE)


def test_an_id_becomes_no_path(ran: Ran) -> None:
    """Also where a person accepts units of a cell; what is read back is what was written, with its type."""
    lake = ran.lake
    for store in HOSTILE:
        lake.acceptances.write_override(SPEC.cutoff, store, HOSTILE[0], Acceptance("Ada", "x", now()))
    assert {(row.store, row.product) for row in lake.acceptances.overrides().itertuples()} == {
        (store, HOSTILE[0]) for store in HOSTILE
    }
    files = [str(path.relative_to(lake.root)) for path in Path(lake.root).rglob("*")]
    assert [file for file in files if not re.fullmatch(r"[\w./-]+", file)] == []


def test_reports_of_a_week_keep_type_and_text(ran: Ran) -> None:
    """A completeness report comes back from JSON as it was, of text and of numbers."""
    kept = ran.lake.completeness.read(SPEC.cutoff)
    assert kept == ran.view.record.result(IngestResult).completeness  # type: ignore[union-attr]
    assert kept.missing == (HOSTILE[0],)
    assert [(each.store, each.products) for each in kept.incomplete] == [(HOSTILE[6], (HOSTILE[7],))]
    for keys in ((7, 12), ("7", "012")):
        report = replace(kept, expected=keys)
        plain = adapter(type(report)).dump_json(report)
        assert adapter(type(report)).validate_json(plain).expected == keys


def test_ids_are_unchanged_in_a_database(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Ids that differ in case, in a space at the end or in leading zeros are different rows, in SQLite."""
    name = f"sqlite:///{tmp_path / 'copy.db'}"
    assert_in_database(ran.lake, Target(name, name))


def test_ids_are_unchanged_in_postgresql(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: PostgreSQL
) -> None:
    """The same in PostgreSQL."""
    url = postgresql.create(f"hostile_{os.getpid()}")
    write_connections(tmp_path, f'reporting = "{url}"')
    monkeypatch.setenv("OJ_HOME", str(tmp_path))
    assert_in_database(ran.lake, Target("reporting", url))


def assert_in_database(lake: Lake, target: Target) -> None:
    """Loaded, unchanged, recognised as loaded; rows that change places are found."""
    load(lake, target.name)
    for table in (schemas.forecast(DEFINITION), schemas.sales(DEFINITION), schemas.products(DEFINITION)):
        rows = target.rows(table)
        assert set(rows["product"]) == set(HOSTILE)
        assert len(keys_of(rows) if "store" in rows else rows) == len(rows)
    assert len(target.rows(schemas.forecast(DEFINITION))) == 2 * len(HOSTILE) * SPEC.horizon
    assert set(target.ask("SELECT product, product_name FROM report")) == {(each, each) for each in HOSTILE}
    again = load(lake, target.name)
    assert (again.weeks, again.rows) == ((), {})
    target.ask("UPDATE sales SET product = 'b' WHERE product = 'a'")
    assert load(lake, target.name).weeks == tuple(week.date() for week in WEEKS)


def test_a_workbook_has_ids_as_text(ran: Ran, tmp_path: Path) -> None:
    """No formula, no link, no number made of a text."""
    export_forecast(ran.lake, SPEC.cutoff, tmp_path / "orders.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "orders.xlsx")["Orders"]
    head = [cell.value for cell in sheet[1]]
    assert head[:4] == ["Outlet", "Outlet name", "SKU", "SKU name"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    shown = {"\x1b[31mred": "_x001B_[31mred"}  # as a workbook writes what XML has no letter for
    assert {cell.value for cell in cells} == {shown.get(each, each) for each in HOSTILE}
    forecasts = [row[head.index("Forecast")] for row in sheet.iter_rows(min_row=2)]
    assert {cell.number_format for cell in forecasts} == {"#,##0.00"}


def test_a_csv_file_has_ids_that_calculate_nothing(ran: Ran, tmp_path: Path) -> None:
    """Unchanged but for the apostrophe before what a spreadsheet would calculate."""
    export_forecast(ran.lake, SPEC.cutoff, tmp_path / "orders.csv")
    with (tmp_path / "orders.csv").open(encoding="utf-8-sig", newline="") as file:
        found = {row["store"] for row in csv.DictReader(file)}
    assert found == {harmless(each) for each in HOSTILE}
    assert found - set(HOSTILE) == {"'=1+1"}


class Page(HTMLParser):
    """Elements, and the texts of options by the list that they are in."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.options: list[str] = []
        self._in_option = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self._in_option = tag == "option"
        if self._in_option:
            self.options.append("")

    def handle_data(self, data: str) -> None:
        if self._in_option:
            self.options[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in_option = False


def test_the_page_has_ids_as_text(ran: Ran) -> None:
    """They can be chosen, and nothing is made of them: the same elements and attributes as with harmless ids."""
    html = write_page(ran.lake, SPEC.cutoff, ran.view.record).read_text()
    page = Page(html)
    assert set(HOSTILE) <= set(page.options)
    assert page.tags.count("script") == 7
    assert not any(name.startswith("on") for name in page.attributes)
    assert not {"img", "iframe", "base", "object"} & set(page.tags)
    assert "20 of 21 expected outlets" not in html
    assert "19 of 21 expected outlets have reported" in html
    assert "0.4" in html


def test_the_terminal_shows_ids_and_obeys_none(ran: Ran, printed: StringIO) -> None:
    """Control characters are shown as they are typed in a program; all else is as it is."""
    show_run(ran.view, 1.0)
    text = printed.getvalue()
    assert "19 of 21 expected outlets have reported: closed with gaps" in text
    assert f"outlet {HOSTILE[0]}" in text
    assert f"outlet {readable(HOSTILE[6])} lacks SKU {HOSTILE[7]}" in text
    assert "\x1b" not in text
    assert readable("\x1b[31mred\n") == r"\x1b[31mred\n"
    assert {readable(each) for each in HOSTILE if each.isprintable() and "\u200f" not in each} <= set(HOSTILE)


def test_artifacts_show_ids_as_text(ran: Ran) -> None:
    """Read back from Markdown they are what they were, and nothing but text is made of them."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = run_artifacts(ran.view)
    ingest = ran.view.record.result(IngestResult)
    for artifact in [*found, *stage_artifacts(ingest, ran.view.record)]:
        inline = [child for token in reader.parse(artifact.markdown) for child in token.children or []]
        kinds = {child.type for child in inline}
        assert not kinds & {"html_inline", "link_open", "html_block"}, artifact.key
    (fallbacks,) = [artifact for artifact in found if artifact.key == "fallbacks"]
    cells = [
        "".join(child.content for child in token.children or []).replace(WORD_JOINER, "")
        for token in reader.parse(fallbacks.markdown)
        if token.type == "inline"
    ]
    assert cells.count(FALLBACK[0]) == 2


def test_a_question_takes_what_the_retailer_writes(ran: Ran, printed: StringIO) -> None:
    """By a model that was trained and read back from its files, for every series."""
    lake, spec = ran.lake, replace(SPEC, model="ets")
    sales, promotions = lake.sales.read(), lake.promotions.read()
    fitted = train(sales, promotions, spec)
    write_learnt(lake.root / "models" / "x", fitted)
    again = read_learnt(lake.root / "models" / "x", spec)
    pd.testing.assert_frame_equal(again.series, fitted.series)
    assert set(again.series["store"]) == set(HOSTILE)
    of = outlook(again, sales, promotions, spec)
    week = SPEC.weeks[0]
    for text in HOSTILE:
        store: Id = DEFINITION.store.parse(text)
        answer = what_if(of, store, store, week, price=2.0)
        show_answer(lake, store, store, week, "ets", answer)
    assert "Outlet 007, SKU 007, week of" in printed.getvalue()
    assert "Outlet :smile:, SKU :smile:, week of" in printed.getvalue()
    assert "\x1b" not in printed.getvalue()


def test_ids_that_are_numbers_stay_numbers(tmp_path: Path) -> None:
    """Also those of 13 digits, as on a barcode."""
    definition = replace(DEFINITION, store=Key("shop", "shops", "number"), product=Key("article", "articles", "number"))
    code = 5_901_234_123_457
    frame = sales_of(["7"], DEFINITION).drop_duplicates().assign(store=7, product=code)
    sheet = order_sheet(
        pd.DataFrame(
            {"store": 7, "product": code, "week": WEEKS[-1:], "cutoff": WEEKS[-2], "forecast": 0.5, "model": "x"}
        ).assign(reason=None, lo_80=0.1, hi_80=1.0, lo_95=0.0, hi_95=2.0),
        schemas.sales(definition).cast(frame),
        schemas.promotions(definition).empty(),
        schemas.stores(definition).empty(),
        schemas.products(definition).empty(),
        definition,
    )
    assert sheet["product"].tolist() == [code]
    assert sheet["last_sold"].tolist() == [frame["units"].iloc[-2]]
    assert read_table(local_file(_written(tmp_path, frame, definition)), schemas.sales(definition))[
        "product"
    ].unique() == [code]


def _written(folder: Path, frame: pd.DataFrame, definition: PanelDefinition) -> Path:
    lake = Lake(folder)
    lake.reference.write_panel(definition, store_files(definition))
    lake.sales.add(schemas.sales(definition).cast(frame))
    return Path(lake.sales.path(WEEKS[0].date()))
