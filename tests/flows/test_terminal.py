"""What the command line prints: within 80 columns, and with the text of data as it is."""

from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from flows import terminal
from forecasting import schemas
from forecasting.adapters.feed import Fed
from forecasting.adapters.files import write_json, write_table
from forecasting.adapters.lake import Lake
from forecasting.folds import PUBLISHED_MAPE
from forecasting.weeks import WEEK

CUTOFF = date(1992, 4, 16)
MARKUP = ["[red]x[/red]", "[/]", "[bold", "[link=http://a]b[/link]"]
LONG = "Florida's very natural premium orange juice with extra pulp, 64 oz"


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What has been printed so far, on a terminal of 80 columns."""
    file = StringIO()
    markup = terminal.console._markup  # whether it reads markup is the console's own choice
    console = Console(width=80, file=file, force_terminal=False, highlight=False, markup=markup)
    monkeypatch.setattr(terminal, "console", console)
    return file


def text_of(printed: StringIO) -> str:
    """All that was printed; no line is too wide."""
    text = printed.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 80, text
    return text


def joined(text: str) -> str:
    """Without the breaks and columns that a narrow terminal makes."""
    return "".join(text.split())


def report_at(path: Path, brand_name: str = "Tropicana", sold: int = 10, expected: float = 40.0) -> Path:
    """A report of two series; the forecast of both is `expected`, where `sold` was sold so far."""
    week = pd.Timestamp(CUTOFF)
    series = pd.DataFrame({"store": [2, 137], "brand": [1, 1], "brand_name": brand_name})
    known = {"price": 12.49, "deal": 1, "feat": 1.0}
    empty = dict.fromkeys(["lo_80", "hi_80", "lo_95", "hi_95", "model", "reason", "cutoff"])
    past = series.assign(kind="actual", week=week, units=float(sold), **known, **empty)
    ends = {"lo_80": 9000.0, "hi_80": 11000.0, "lo_95": 8000.0, "hi_95": 12000.0}
    ahead = {"week": week + WEEK, "units": expected, "cutoff": week, "model": "naive", "reason": None}
    rows = [past, series.assign(kind="forecast", **ahead, **ends, **known)]
    write_table(path, pd.concat([rows[0].astype({"cutoff": "datetime64[us]"}), rows[1]]), schemas.REPORT)
    return path


def receipt_of(report: Path, **changed: Any) -> dict[str, Any]:
    """A receipt with something of everything, and `changed`."""
    ledger = {
        "received": list(range(70)),
        "expected": list(range(83)),
        "missing": list(range(100, 110)),
        "incomplete": {8: "brands 1, 2, 3", 9: "the sales of 1992-04-16, 1992-04-17"},
        "status": "accepted with gaps",
        "accepted": {"by": "Ada", "why": "strike", "when": "1992-04-23T08:00:00+00:00"},
    }
    receipt = {
        "spec": {"cutoff": str(CUTOFF), "horizon": 26, "model": "price_response", "point": "median"},
        "ledger": ledger,
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
            "biggest": [{"store": 137, "brand": 11, "week": "1992-04-23", "step": 1, "before": 1e6, "after": 2e6}],
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
    return receipt | changed


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with the table of brands, as every lake that was run has."""
    lake = Lake(tmp_path / "lake")
    brands = pd.DataFrame({"brand": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "brands.parquet", brands, schemas.BRANDS)
    return lake


def test_a_run_is_told_within_80_columns(printed: StringIO, lake: Lake) -> None:
    """Counts, gaps, fallbacks, what still runs, and where the results are, however large the numbers."""
    report = report_at(lake.root / "report" / "report.parquet")

    terminal.show_run(lake.root, receipt_of(report), seconds=720.0)

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
    brands = pd.DataFrame({"brand": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "brands.parquet", brands, schemas.BRANDS)
    report = report_at(lake.root / "report" / "report.parquet")
    receipt = receipt_of(report)

    terminal.show_run(lake.root, receipt, seconds=720.0)

    text = joined(text_of(printed))
    assert joined(str(report)) in text
    assert joined(receipt["published"]) in text


def test_a_long_brand_name_is_cut(printed: StringIO, lake: Lake) -> None:
    """The beginning is shown, with a sign that there is more; the numbers keep their place."""
    report = report_at(lake.root / "report" / "report.parquet", brand_name=LONG)

    terminal.show_run(lake.root, receipt_of(report), seconds=720.0)

    text = text_of(printed)
    assert LONG[:15] in text
    assert LONG not in text
    assert "…" in text
    assert "$12.49 deal+ad" in text


@pytest.mark.parametrize("name", MARKUP)
def test_a_brand_name_is_printed_as_it_is(name: str, printed: StringIO, lake: Lake) -> None:
    """What looks like markup is a name."""
    report = report_at(lake.root / "report" / "report.parquet", brand_name=name)

    terminal.show_run(lake.root, receipt_of(report), seconds=720.0)

    assert name in text_of(printed)


@pytest.mark.parametrize("reason", [*MARKUP, "because " * 40])
def test_a_reason_is_printed_as_it_is(reason: str, printed: StringIO, lake: Lake) -> None:
    """Why the gaps were accepted is what a person typed."""
    report = report_at(lake.root / "report" / "report.parquet")
    receipt = receipt_of(report)
    receipt["ledger"]["accepted"]["why"] = reason

    terminal.show_run(lake.root, receipt, seconds=720.0)

    assert joined(f"accepted by Ada: {reason}") in joined(text_of(printed))


def test_a_run_without_movers_is_told(printed: StringIO, lake: Lake) -> None:
    """Every forecast is what was sold lately: nothing moves, and that is no error."""
    report = report_at(lake.root / "report" / "report.parquet", sold=40, expected=40.0)

    terminal.show_run(lake.root, receipt_of(report), seconds=720.0)

    assert "Week of 1992-04-16: published" in text_of(printed)


@pytest.mark.parametrize("folder", ["[red]x", "[", "with a very long name " * 8])
def test_a_folder_is_printed_as_it_is(folder: str, printed: StringIO, tmp_path: Path) -> None:
    """Of the feed, the status, the run and the backtest: `[` may be followed by `]`, which would end a style."""
    lake = Lake(tmp_path / folder / "]")
    brands = pd.DataFrame({"brand": [1], "name": ["Tropicana"], "ounces": [64]})
    write_table(lake.root / "reference" / "brands.parquet", brands, schemas.BRANDS)
    report = report_at(lake.root / "report.parquet")
    shows = {
        "feed": lambda: terminal.show_feed(lake, Fed(CUTOFF, 82, CUTOFF - WEEK)),
        "status": lambda: terminal.show_status(lake),
        "run": lambda: terminal.show_run(lake.root, receipt_of(report), 720.0),
        "backtest": lambda: terminal.show_backtest(result_of("naive", source=str(lake.root)), None),
    }
    wrong = []
    for name, show in shows.items():
        printed.seek(0)
        printed.truncate()
        try:
            show()
        except Exception as error:  # noqa: BLE001 - each is to be named
            wrong.append(f"{name}: {error!r}")
            continue
        if joined(str(lake.root)) not in joined(text_of(printed)):
            wrong.append(f"{name}: {printed.getvalue()}")

    assert wrong == []


def result_of(*models: str, source: str = "the shipped data", scale: float = 1.0) -> dict[str, Any]:
    """What a backtest gives; `scale` makes bad scores."""
    names = ["mape", "wape", "bias", "mase", "pinball", "coverage_80", "coverage_95", "width_80", "width_95"]
    scores = [{"model": model, **dict.fromkeys(names, 0.3456 * scale), "cpu_ms": 1.23 * scale} for model in models]
    seconds = {"total": 98.7}
    return {
        "source": source,
        "folds": 12,
        "forecasts": 21_612,
        "fallbacks": 1234,
        "scores": scores,
        "seconds": seconds,
    }


@pytest.mark.parametrize("protocol", [None, "A", "B", "tune"])
def test_a_backtest_is_told_within_80_columns(protocol: str | None, printed: StringIO) -> None:
    """A line of scores for each model, the published ones below, from the best to the worst."""
    terminal.show_backtest(result_of("naive", "price_response"), protocol)

    text = text_of(printed)
    assert (f"Protocol {protocol}" if protocol else "Own folds") in text
    assert "12 folds, 21,612 forecasts" in text
    assert "1,234 of the forecasts are fallbacks" in text
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["price_response"][1:] == [
        "34.6",
        "34.6",
        "34.6",
        "0.35",
        "34.6",
        "34.6",
        "34.6",
        "34.6",
        "34.6",
        "1.23",
    ]
    published = PUBLISHED_MAPE.get(protocol or "", {})
    assert all(f"{mape:.1f}" in text for mape in published.values())
    assert joined(text).count("(published)") == len(published)


@pytest.mark.parametrize("scale", [3.0, 30.0, 300.0, float("nan")])
def test_bad_scores_are_not_cut(scale: float, printed: StringIO) -> None:
    """A model that runs away has a MAPE of 10,368 %: neither its digits nor its name give way."""
    result = result_of("price_response", scale=scale)
    result["scores"][0] |= {"coverage_80": 1.0, "coverage_95": 1.0}

    terminal.show_backtest(result, None)

    text = text_of(printed)
    assert "…" not in text
    assert any(line.startswith("pric") for line in text.splitlines())
    assert f"{34.56 * scale:.0f}"[:-1] in text


def test_a_long_model_name_is_folded(printed: StringIO) -> None:
    """One's own model has the name of its module: all of it is shown."""
    name = "my_company_models.orange_juice.bayesian:hierarchical_forecast"

    terminal.show_backtest(result_of(name, "naive"), None)

    text = text_of(printed)
    assert "34.6" in text
    assert all(part in joined(text) for part in ("my_company", "hierarchical"[:6]))


@pytest.mark.parametrize("error", [*MARKUP, "It went wrong " * 30])
def test_the_last_error_is_printed_as_it_is(error: str, printed: StringIO, tmp_path: Path) -> None:
    """The status repeats what the last run ended with, whatever its text."""
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    receipt = {"started": "1992-04-23T06:00:00", "spec": {"cutoff": str(CUTOFF)}, "outcome": "failed", "error": error}
    write_json(lake.root / "receipts" / str(CUTOFF) / "1992-04-23T06-00-00.json", receipt)

    terminal.show_status(lake)

    text = text_of(printed)
    assert joined(error) in joined(text)
    assert "none yet: oj feed" in text
    assert "nothing in the inbox" in text


def test_the_feed_tells_what_it_did(printed: StringIO, tmp_path: Path) -> None:
    """The week, the files and the next command."""
    terminal.show_feed(Lake(tmp_path / "lake"), Fed(CUTOFF, 82, None))

    text = text_of(printed)
    assert "The week of 1992-04-16 has gone by: 82 stores" in text
    assert "Next: oj run" in text
    assert "Filled" not in text
