"""What a model costs and what it buys: accuracy against CPU time, for every registered model, in one run.

    .venv/bin/python benchmarks/cost.py          all models on protocol A: about half an hour on two cores
    .venv/bin/python benchmarks/cost.py --quick  on two of its folds

Writes `docs/cost.md` (a table) and `docs/cost.svg` (a plot).
"""

import argparse
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from flows.backtest import backtest
from forecasting.core.folds import PROTOCOLS, PUBLISHED_MAPE
from forecasting.models import MODELS

DOCS = Path(__file__).parents[1] / "docs"
# Where labels stand beside their points, in turn, so that neighbours do not cover each other.
LABELS = [(-6, 4, "right"), (6, -12, "left"), (6, 8, "left")]
PUBLISHED_BEST = min(PUBLISHED_MAPE["A"].values())


def main() -> None:
    """Run the backtests, then write table and plot."""
    parser = argparse.ArgumentParser(description="Accuracy against CPU time, for every model.")
    parser.add_argument("--quick", action="store_true", help="two folds instead of protocol A")
    quick = parser.parse_args().quick
    if quick:
        first, last = PROTOCOLS["A"].cutoffs[:2]
        folds: dict[str, Any] = {"first_cutoff": first, "last_cutoff": last, "every": 2, "gap": 1}
    else:
        folds = {"protocol": "A"}
    result = backtest(models=list(MODELS), timeout=1200, **folds)
    rows = sorted(
        ({"model": model, **scores} for model, scores in result.scores.items()), key=lambda row: row["cpu_ms"]
    )
    what = f"{result.folds} folds of protocol A, {result.forecasts // len(rows):,} forecasts a model"
    (DOCS / "cost.md").write_text(_table(rows, what), encoding="utf-8")
    _plot(rows, what, DOCS / "cost.svg")


def _table(rows: list[dict[str, Any]], what: str) -> str:
    lines = [
        f"<!-- made by `.venv/bin/python benchmarks/cost.py`: {what} -->",
        "| model | CPU ms a series | MAPE % | WAPE % | bias % | MASE | pinball % | covered at 80 % | at 95 % |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        percents = (row[name] * 100 for name in ("mape", "wape", "bias"))
        calibration = (row[name] * 100 for name in ("pinball", "coverage_80", "coverage_95"))
        numbers = [row["cpu_ms"], *percents, row["mase"], *calibration]
        digits = [2, 1, 1, 1, 2, 1, 1, 1]
        cells = [f"{number:.{places}f}" for number, places in zip(numbers, digits, strict=True)]
        lines.append(f"| `{row['model']}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _plot(rows: list[dict[str, Any]], what: str, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    axes.axhline(PUBLISHED_BEST, color="0.6", linewidth=1, linestyle="--")
    axes.annotate(
        f"best published, {PUBLISHED_BEST} %",
        (0.99, PUBLISHED_BEST),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        color="0.4",
    )
    for row, (x, y, side) in zip(rows, cycle(LABELS), strict=False):
        place = row["cpu_ms"], 100 * row["mape"]
        axes.plot(*place, "o", color="tab:orange")
        axes.annotate(row["model"], place, xytext=(x, y), textcoords="offset points", ha=side)
    axes.set(
        xscale="log",
        xlabel="CPU milliseconds a series, fit and forecast",
        ylabel="MAPE, %",
        title=f"What a model costs and buys ({what})",
    )
    axes.margins(x=0.15, y=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    plt.rcParams["svg.hashsalt"] = "cost"  # the same plot gives the same file
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
