"""The table and the plot of docs/scale.md, from what `scale` has measured."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

DOCS = Path(__file__).parents[1] / "docs"


def write_docs(rows: list[dict[str, Any]], shape: str) -> None:
    """Write docs/scale-<shape>.md and docs/scale-<shape>.svg."""
    (DOCS / f"scale-{shape}.md").write_text(_table(rows, shape), encoding="utf-8")
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    series = [row["series"] for row in rows]
    axes.loglog(series, [row["cpu_s"] for row in rows], "o-", label="CPU seconds of the run")
    axes.loglog(series, [row["wall_s"] for row in rows], "s-", label="wall seconds of the run")
    plain = [(row["series"], row["plain_wall_s"]) for row in rows if row["plain_wall_s"]]
    axes.loglog(*zip(*plain, strict=True), "x--", color="0.5", label="wall seconds of a plain script")
    axes.set_xlabel("series")
    axes.set_ylabel("seconds, two cores")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(DOCS / f"scale-{shape}.svg", metadata={"Date": None})
    plt.close(figure)


def _table(rows: list[dict[str, Any]], shape: str) -> str:
    lines = [
        f"<!-- made by `.venv/bin/python benchmarks/scale.py --shape {shape} --write-docs` -->",
        "| series | wall s | CPU s | plain script: wall s | CPU s | driver GiB | worker GiB | GiB moved | dollars |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        plain = [f"{row[name]:,.1f}" if row[name] else "–" for name in ("plain_wall_s", "plain_cpu_s")]
        cells = [f"{row['series']:,}", f"{row['wall_s']:,.1f}", f"{row['cpu_s']:,.1f}", *plain]
        cells += [f"{row[name]:.2f}" for name in ("peak_gib_driver", "peak_gib_worker", "gib_moved")]
        lines.append(f"| {' | '.join(cells)} | {row['dollars']:.4f} |")
    return "\n".join(lines) + "\n"
