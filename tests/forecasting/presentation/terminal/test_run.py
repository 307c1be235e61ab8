"""What a run prints: within 80 columns, and with the text of data as it is."""

from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.run_record import Outcome, RunFailure, RunRecord
from forecasting.core.completeness import Acceptance
from forecasting.pipeline.publication import PublishedForecast
from forecasting.presentation.terminal.run import show_backfill, show_run
from forecasting.presentation.view import RunView, run_view
from forecasting.storage.files import write_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file, open_location
from tests.forecasting.presentation.material import full_record, record_of, with_gaps
from tests.forecasting.presentation.terminal.printed import MARKUP, joined, text_of
from tests.strategies import whole_offers

CUTOFF = date(1992, 4, 16)
LONG = "Florida's very natural premium orange juice with extra pulp, 64 oz"


def report_at(path: Path, product_name: str = "Tropicana", sold: int = 10, expected: float = 40.0) -> Path:
    """A report of two series; the forecast of both is `expected`, where `sold` was sold so far."""
    week = pd.Timestamp(CUTOFF)
    series = pd.DataFrame({"store": [2, 137], "product": [1, 1], "product_name": product_name})
    plan = {"price": 12.49, "deal": 1, "feat": 1.0}
    empty = dict.fromkeys(["lo_80", "hi_80", "lo_95", "hi_95", "model", "reason", "cutoff"])
    past = series.assign(kind="actual", week=week, units=float(sold), **plan, **empty)
    ends = {"lo_80": 9000.0, "hi_80": 11000.0, "lo_95": 8000.0, "hi_95": 12000.0}
    ahead = {"week": week + WEEK, "units": expected, "cutoff": week, "model": "naive", "reason": None}
    rows = [past, series.assign(kind="forecast", **ahead, **ends, **plan)]
    both = pd.concat([rows[0].astype({"cutoff": "datetime64[us]"}), rows[1]])
    write_table(local_file(path), whole_offers(both), orange_juice.REPORT)
    return path


def view_of(lake: Lake, record: RunRecord | None = None, **report: Any) -> RunView:
    """A run with something of everything, whose report is in the lake."""
    path = report_at(Path(lake.reports.table_path), **report)
    return run_view(lake, record or full_record(path))


def test_a_run_fits_80_columns(printed: StringIO, lake: Lake) -> None:
    """Counts, gaps, fallbacks, what still runs, and where the results are, however large the numbers."""
    show_run(view_of(lake), seconds=720.0)

    text = text_of(printed)
    assert "Week of 1992-04-16: published" in text
    assert "STILLRUNNING:12345,23456" in joined(text)
    assert joined("store 103 and 6 more") in joined(text)
    assert joined("on fallback raised 3, timed_out 2, worker_lost 1") in joined(text)
    assert joined("4,477 of the week of 1992-04-09, 1 of the week of 1992-04-16") in joined(text)
    assert joined("912,999 series by more than one carton; in all 1,000,000,000 → 2,000,000,000") in joined(text)
    assert joined("database The database reporting could not be loaded: nobody listens") in joined(text)
    assert joined("not announced for 17 rows") in joined(text)
    assert "9,000–11,000" in text
    assert "$12.49 deal, advert" in text
    assert "The page for people could not be written; try again: `oj report`" in text


def test_the_page_is_named_where_it_was_written(printed: StringIO, lake: Lake) -> None:
    """To be opened."""
    lake.reports.page_path(CUTOFF).write_text("")

    show_run(view_of(lake), seconds=720.0)

    assert joined(f"Report: {lake.reports.page_path(CUTOFF)}") in joined(text_of(printed))


def test_a_long_path_is_folded(printed: StringIO, tmp_path: Path) -> None:
    """Where the results are is said to the last letter, as it is of no use otherwise."""
    lake = Lake(tmp_path / ("lake_of_a_very_long_name" * 5))
    products = pd.DataFrame({"product": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "products.parquet", products, orange_juice.PRODUCTS)
    view = view_of(lake)
    published = view.record.result(PublishedForecast)

    show_run(view, seconds=720.0)

    text = joined(text_of(printed))
    assert joined(str(lake.reports.table_path)) in text
    assert published
    assert joined(str(published.path)) in text


def test_a_long_product_name_takes_several_lines(printed: StringIO, lake: Lake) -> None:
    """Nothing of it is cut, as it may be the id; the numbers keep their place."""
    show_run(view_of(lake, product_name=LONG), seconds=720.0)

    text = text_of(printed)
    assert LONG not in text
    assert LONG[:15] in text
    assert LONG[-8:] in text
    assert "…" not in text
    assert "$12.49 deal, advert" in text


@pytest.mark.parametrize("name", MARKUP)
def test_a_product_name_is_printed_as_it_is(name: str, printed: StringIO, lake: Lake) -> None:
    """What looks like markup is a name."""
    show_run(view_of(lake, product_name=name), seconds=720.0)

    assert name in text_of(printed)


@pytest.mark.parametrize("reason", [*MARKUP, "because " * 40])
def test_a_reason_is_printed_as_it_is(reason: str, printed: StringIO, lake: Lake) -> None:
    """Why the gaps were accepted is what a person typed."""
    gaps = with_gaps()
    when = gaps.completeness.accepted
    assert when
    accepted = Acceptance("Ada", reason, when.when)
    ingest = replace(gaps, completeness=replace(gaps.completeness, accepted=accepted))

    show_run(view_of(lake, record_of(ingest)), seconds=720.0)

    assert joined(f"accepted by Ada: {reason}") in joined(text_of(printed))


def test_a_run_without_movers_is_printed(printed: StringIO, lake: Lake) -> None:
    """Every forecast is what was sold lately: nothing changes, and that is no error."""
    show_run(view_of(lake, sold=40, expected=40.0), seconds=720.0)

    text = text_of(printed)
    assert "Week of 1992-04-16: published" in text
    assert "Biggest changes" not in text


def test_a_backfill_has_a_line_a_week(printed: StringIO, tmp_path: Path) -> None:
    """Its outcome, stores, series and fallbacks; the error of a week that failed below."""
    good = full_record(tmp_path / "report.parquet")
    failed = record_of(outcome=Outcome.FAILED, error=RunFailure("DataError", "[bold]It is dry; pour water."))

    show_backfill(open_location(tmp_path), [good, failed], 12.34)

    lines = [" ".join(line.split()) for line in text_of(printed).splitlines()]
    assert "1992-04-16 published 71 of 83 913,000 6" in lines
    assert "1992-04-16 failed" in lines
    assert "1992-04-16: [bold]It is dry; pour water." in lines
