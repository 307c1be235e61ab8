"""What a run prints: within 80 columns, and with the text of data as it is."""

from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.presentation.terminal.run import show_run
from forecasting.storage.files import write_table
from forecasting.storage.lake import Lake
from tests.forecasting.presentation.terminal.printed import MARKUP, joined, text_of

CUTOFF = date(1992, 4, 16)
LONG = "Florida's very natural premium orange juice with extra pulp, 64 oz"


def report_at(path: Path, product_name: str = "Tropicana", sold: int = 10, expected: float = 40.0) -> Path:
    """A report of two series; the forecast of both is `expected`, where `sold` was sold so far."""
    week = pd.Timestamp(CUTOFF)
    series = pd.DataFrame({"store": [2, 137], "product": [1, 1], "product_name": product_name})
    known = {"price": 12.49, "deal": 1, "feat": 1.0}
    empty = dict.fromkeys(["lo_80", "hi_80", "lo_95", "hi_95", "model", "reason", "cutoff"])
    past = series.assign(kind="actual", week=week, units=float(sold), **known, **empty)
    ends = {"lo_80": 9000.0, "hi_80": 11000.0, "lo_95": 8000.0, "hi_95": 12000.0}
    ahead = {"week": week + WEEK, "units": expected, "cutoff": week, "model": "naive", "reason": None}
    rows = [past, series.assign(kind="forecast", **ahead, **ends, **known)]
    write_table(path, pd.concat([rows[0].astype({"cutoff": "datetime64[us]"}), rows[1]]), orange_juice.REPORT)
    return path


def run_record_of(report: Path, **changed: Any) -> dict[str, Any]:
    """A receipt with something of everything, and `changed`."""
    completeness = {
        "received": list(range(70)),
        "expected": list(range(83)),
        "missing": list(range(100, 110)),
        "incomplete": {8: "products 1, 2, 3", 9: "the sales of 1992-04-16, 1992-04-17"},
        "status": "accepted with gaps",
        "accepted": {"by": "Ada", "why": "strike", "when": "1992-04-23T08:00:00+00:00"},
    }
    record = {
        "spec": {"cutoff": str(CUTOFF), "horizon": 26, "model": "price_response", "point": "median"},
        "completeness": completeness,
        "outcome": "published",
        "rows_in": 4_477_000,
        "rows_accepted": 4_476_000,
        "rows_dropped": 500,
        "rows_quarantined": 500,
        "corrected_by_week": {"1992-04-09": 4_477, "1992-04-16": 1},
        "moved": {
            "series_moved": 912_999,
            "series_new": 1,
            "series_gone": 0,
            "total_before": 1e9,
            "total_after": 2e9,
            "biggest": [{"store": 137, "product": 11, "week": "1992-04-23", "step": 1, "before": 1e6, "after": 2e6}],
        },
        "quarantined_by_rule": {"not_a_number": 300, "cut_row": 150, "negative": 50, "unknown_store": 1234567},
        "fallbacks_by_reason": {"raised": 3, "timed_out": 2, "worker_lost": 1},
        "series": 913_000,
        "rows": 1_826_000,
        "rows_with_unknown_promotion": 17,
        "cluster": {"workers": 64, "seconds_starting": 12.3, "seconds_up": 4567.8, "left_over": [12345, 23456]},
        "published": str(report.parent / "published" / "forecast.parquet"),
        "report": str(report),
        "database": {"target": "reporting", "error": "The database reporting could not be loaded: nobody listens."},
        "report_page": {"path": str(report.with_name("1992-04-16.html")), "bytes": 1_400_000},
        "seconds_by_stage": dict.fromkeys(["collect", "validate", "gate", "prepare", "forecast", "publish"], 99.9)
        | {"total": 700.0},
    }
    return record | changed


def test_a_run_is_told_within_80_columns(printed: StringIO, lake: Lake) -> None:
    """Counts, gaps, fallbacks, what still runs, and where the results are, however large the numbers."""
    report = report_at(lake.root / "report" / "report.parquet")

    show_run(lake.root, run_record_of(report), seconds=720.0)

    text = text_of(printed)
    assert "Week of 1992-04-16: published" in text
    assert "STILLRUNNING:12345,23456" in joined(text)
    assert joined("store 103 and 6 more") in joined(text)
    assert joined("on fallback: raised 3, timed_out 2, worker_lost 1") in joined(text)
    assert joined("4,477 of the week of 1992-04-09, 1 of the week of 1992-04-16") in joined(text)
    assert joined("912,999 series by more than a carton; in all 1,000,000,000 → 2,000,000,000") in joined(text)
    assert joined("database The database reporting could not be loaded: nobody listens") in joined(text)
    assert "9,000–11,000" in text
    assert "$12.49 deal+ad" in text


def test_a_long_path_is_folded(printed: StringIO, tmp_path: Path) -> None:
    """Where the results are is said to the last letter, as it is of no use otherwise."""
    lake = Lake(tmp_path / ("lake_of_a_very_long_name" * 5))
    products = pd.DataFrame({"product": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "products.parquet", products, orange_juice.PRODUCTS)
    report = report_at(lake.root / "report" / "report.parquet")
    record = run_record_of(report)

    show_run(lake.root, record, seconds=720.0)

    text = joined(text_of(printed))
    assert joined(str(report)) in text
    assert joined(record["published"]) in text


def test_a_long_product_name_is_cut(printed: StringIO, lake: Lake) -> None:
    """The beginning is shown, with a sign that there is more; the numbers keep their place."""
    report = report_at(lake.root / "report" / "report.parquet", product_name=LONG)

    show_run(lake.root, run_record_of(report), seconds=720.0)

    text = text_of(printed)
    assert LONG[:15] in text
    assert LONG not in text
    assert "…" in text
    assert "$12.49 deal+ad" in text


@pytest.mark.parametrize("name", MARKUP)
def test_a_product_name_is_printed_as_it_is(name: str, printed: StringIO, lake: Lake) -> None:
    """What looks like markup is a name."""
    report = report_at(lake.root / "report" / "report.parquet", product_name=name)

    show_run(lake.root, run_record_of(report), seconds=720.0)

    assert name in text_of(printed)


@pytest.mark.parametrize("reason", [*MARKUP, "because " * 40])
def test_a_reason_is_printed_as_it_is(reason: str, printed: StringIO, lake: Lake) -> None:
    """Why the gaps were accepted is what a person typed."""
    report = report_at(lake.root / "report" / "report.parquet")
    record = run_record_of(report)
    record["completeness"]["accepted"]["why"] = reason

    show_run(lake.root, record, seconds=720.0)

    assert joined(f"accepted by Ada: {reason}") in joined(text_of(printed))


def test_a_run_without_movers_is_told(printed: StringIO, lake: Lake) -> None:
    """Every forecast is what was sold lately: nothing moves, and that is no error."""
    report = report_at(lake.root / "report" / "report.parquet", sold=40, expected=40.0)

    show_run(lake.root, run_record_of(report), seconds=720.0)

    assert "Week of 1992-04-16: published" in text_of(printed)
