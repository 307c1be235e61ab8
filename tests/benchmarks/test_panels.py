"""The benchmark on retailers' panels: what a panel is, which folds are forecast, and the table beside the peers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.pipeline.backtest import Source
from tests.benchmarks.test_scripts import ROOT, script
from tests.small import InThisProcess, compute_in_this_process

panels = script("panels")
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
WEEKS = 80


def write_panel(folder: Path) -> None:
    """Sales of three shops with two items, whose prices move them, as their owner writes them; one row has no item."""
    random = np.random.default_rng(5)
    weeks = pd.date_range("2022-01-03", periods=WEEKS, freq="7D").date
    rows = pd.MultiIndex.from_product([["North", "South", "Östra"], ["tea", "rye"], weeks]).to_frame(index=False)
    rows.columns = pd.Index(["shop", "item", "week"])
    rows["price"] = random.choice([2.0, 2.5, 3.0], len(rows))
    rows["units"] = (100 / rows["price"] * random.lognormal(0, 0.1, len(rows))).round().astype(int)
    rows.loc[7, "item"] = None
    rows.to_csv(folder / "corner_sales.csv", index=False)


@pytest.fixture
def small() -> Source:
    """Sales of three shops with two products, whose prices move them."""
    random = np.random.default_rng(5)
    weeks = pd.date_range("2022-01-06", periods=WEEKS, freq="7D", unit="us")
    cells = pd.MultiIndex.from_product([[1, 2, 3], [1, 2], weeks], names=schemas.CELL).to_frame(index=False)
    cells["price"] = random.choice([2.0, 2.5, 3.0], len(cells))
    cells["units"] = (100 / cells["price"] * random.lognormal(0, 0.1, len(cells))).round()
    promotions = schemas.promotions(ORANGE_JUICE).cast(cells.assign(deal=0, feat=0.0))
    return Source("a corner shop", schemas.sales(ORANGE_JUICE).cast(cells), promotions, ORANGE_JUICE)


def test_files_whose_names_begin_with_the_same_word_are_one_panel(tmp_path: Path) -> None:
    """A README is none."""
    for name in ("b_sales.csv", "b_plans.parquet", "a.xlsx", "README.md"):
        (tmp_path / name).touch()
    found = panels.panels(tmp_path)
    assert {name: [file.name for file in files] for name, files in found.items()} == {
        "a": ["a.xlsx"],
        "b": ["b_plans.parquet", "b_sales.csv"],
    }


@pytest.mark.parametrize(("weeks", "expected"), [(80, 8), (9, 3)])
def test_the_weeks_ahead_of_the_last_fold_are_the_last_that_were_sold(weeks: int, expected: int) -> None:
    """Folds are two weeks apart; a short panel has fewer, each with history."""
    every = pd.date_range("2024-01-04", periods=weeks, freq="7D")
    sales = pd.DataFrame({"store": 1, "product": 1, "week": every, "units": 3})
    folds = panels.last_folds(Source("short", sales, sales, ORANGE_JUICE))
    spec = ForecastSpec(folds.cutoffs[-1], folds.horizon, folds.gap)
    assert spec.weeks[-1] == every[-1].date()
    assert len(folds.cutoffs) == expected
    assert {(after - before).days for before, after in zip(folds.cutoffs, folds.cutoffs[1:], strict=False)} == {14}
    assert folds.cutoffs[0] > every[0].date()


def test_the_table_has_the_project_s_models_and_their_peers_on_the_same_folds(
    small: Source, needs_system: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row a model; a peer without intervals has no coverage, a slow one has the default's score beside it."""
    if not PEERS_PYTHON.exists():
        needs_system("the other libraries are not installed: make peers")
    monkeypatch.setattr(panels, "MOST_BY_PEER", {"AutoETS": 2})
    monkeypatch.setattr(panels, "FOLDS", 2)
    panel = panels.Panel("corner", 481, {"missing_value": 1}, 7, small)
    folds = panels.last_folds(small)
    own, rows = panels.own_scores(InThisProcess(), panel, folds, ["naive", "seasonal_naive"])
    peers = panels.peer_scores(panel, rows, PEERS_PYTHON, tmp_path)
    assert peers.loc["SeasonalNaive", "wape"] == pytest.approx(own.loc["seasonal_naive", "wape"])
    assert peers["wape"].between(0.01, 0.5).all()
    assert list(peers.index[peers["coverage_80"].isna()]) == ["LightGBM", "LightGBM of changes"]
    assert list(peers.index[peers["series"] == 2]) == ["AutoETS", "naive, series of AutoETS"]
    lines = list(panels.report(panel, folds, rows, pd.concat([own, peers])))
    assert lines[2] == (
        "481 rows read, 1 quarantined (1 missing_value); 7 series, of which 6 are forecast; 2 folds, "
        "2023-06-15 to 2023-06-29, 24 forecasts."
    )
    assert [line.split(" | ")[0] for line in lines[6:-1]] == [f"| {name}" for name in [*own.index, *peers.index]]


def test_only_the_series_that_sold_most_are_forecast(small: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their plans; all plans are known in advance."""
    monkeypatch.setattr(panels, "MOST_SERIES", 2)
    sold = small.sales.assign(units=small.sales["units"] * small.sales["store"] * small.sales["product"])
    kept = panels.largest(Source("a corner shop", sold, small.promotions, ORANGE_JUICE))
    for rows in (kept.sales, kept.promotions):
        assert set(rows[schemas.SERIES].itertuples(index=False, name=None)) == {(3, 2), (2, 2)}
    assert kept.promotions["week"].max() == small.promotions["week"].max()


def test_files_come_in_and_are_forecast_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As their owner writes them; a row without a product is counted."""
    compute_in_this_process(monkeypatch, panels)
    write_panel(tmp_path)
    panels.main([str(tmp_path), "--models", "naive", "seasonal_naive"])
    printed = capsys.readouterr().out
    assert printed.startswith(
        "## corner_sales\n\n480 rows read, 1 quarantined (1 missing_value); 6 series, of which 6 are forecast; "
        "8 folds, 2023-03-20 to 2023-06-26, 96 forecasts.\n"
    )
    assert "| naive | 6 |" in printed
    assert "| seasonal_naive | 6 |" in printed
    panels.main([str(tmp_path), "--only", "another"])
    assert capsys.readouterr().out == ""
