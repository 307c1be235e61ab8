"""Recompute the scores of a lake from its files alone, by other means, and compare: every number must be the same.

    python benchmarks/scores_recomputed.py LAKE

DuckDB reads `published/*/forecast.parquet` and `sales/*.parquet`, joins them and computes the losses row by row;
Python adds them up. Nothing of the project's code takes part. Sums are rounded once on both sides (`math.fsum`), so
that they must agree to the last bit; only the pinball loss of the naive forecast, which rests on the quantiles of
each series' past changes, is compared to nine digits. Prints how many numbers were compared; exits with 1 where any
differs.
"""

import math
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

ROWS = """
WITH sales AS (SELECT * FROM read_parquet($sales)),
forecasts AS (SELECT * FROM read_parquet($published)),
naive AS (
    SELECT f.cutoff, f.store, f.product, arg_max(s.units, s.week) AS last
    FROM (SELECT DISTINCT cutoff, store, product FROM forecasts) f
    JOIN sales s ON s.store = f.store AND s.product = f.product AND s.week <= f.cutoff
    GROUP BY ALL
)
SELECT f.cutoff, f.week, f.step, f.store, f.product, f.model, s.units AS actual, f.forecast,
    abs(s.units - f.forecast) AS absolute_error,
    abs(s.units - n.last) AS naive_absolute_error,
    (greatest(0.5::DOUBLE * (s.units - f.forecast), (0.5::DOUBLE - 1) * (s.units - f.forecast))
        + greatest(0.1::DOUBLE * (s.units - f.lo_80), (0.1::DOUBLE - 1) * (s.units - f.lo_80))
        + greatest(0.9::DOUBLE * (s.units - f.hi_80), (0.9::DOUBLE - 1) * (s.units - f.hi_80))
        + greatest(0.025::DOUBLE * (s.units - f.lo_95), (0.025::DOUBLE - 1) * (s.units - f.lo_95))
        + greatest(0.975::DOUBLE * (s.units - f.hi_95), (0.975::DOUBLE - 1) * (s.units - f.hi_95))) / 5 AS pinball,
    (s.units BETWEEN f.lo_80 AND f.hi_80)::INT AS within_80,
    (s.units BETWEEN f.lo_95 AND f.hi_95)::INT AS within_95,
FROM forecasts f JOIN sales s USING (store, product, week) JOIN naive n USING (cutoff, store, product)
"""
SUMS = ["actual", "forecast", "absolute_error", "naive_absolute_error", "pinball", "within_80", "within_95"]
QUANTILES = (0.5, 0.1, 0.9, 0.025, 0.975)


def differences(lake: Path) -> tuple[int, list[str]]:
    """How many numbers of the lake's scores were compared, and those that differ, in words."""
    published = {path.parent.name for path in lake.glob("published/*/forecast.parquet")}
    kept = [path for path in lake.glob("scores/*/*.parquet") if path.parent.name in published]
    stored = duckdb.execute("SELECT * FROM read_parquet($files)", {"files": [str(path) for path in kept]}).fetchdf()
    current_forecast = {
        str(run): str(cutoff)[:10]
        for cutoff, run in stored[["cutoff", "run_id"]].drop_duplicates().itertuples(index=False)
        if (lake / "runs" / str(cutoff)[:10] / run / "forecast.parquet").read_bytes()
        == (lake / "published" / str(cutoff)[:10] / "forecast.parquet").read_bytes()
    }
    found = {
        (str(row["cutoff"])[:10], row["step"], row["dimension"], row["member"]): row
        for row in stored.to_dict("records")
        if row["run_id"] in current_forecast
    }
    expected = _recomputed(lake)
    problems = [f"{key} is {'missing' if key in expected else 'too many'}" for key in found.keys() ^ expected.keys()]
    compared = 0
    for key in found.keys() & expected.keys():
        for name, value in expected[key].items():
            compared += 1
            same = (
                math.isclose(found[key][name], value, rel_tol=1e-9)
                if name == "naive_pinball"
                else (found[key][name] == value or (math.isnan(value) and math.isnan(found[key][name])))
            )
            if not same:
                problems.append(f"{name} of {key}: stored {found[key][name]!r}, recomputed {value!r}")
    return compared, problems


def _recomputed(lake: Path) -> dict[tuple[str, int, str, str], dict[str, float]]:
    files = {"sales": str(lake / "sales" / "*.parquet"), "published": str(lake / "published" / "*" / "*.parquet")}
    cursor = duckdb.execute(ROWS, files)
    names, rows = [column[0] for column in cursor.description], cursor.fetchall()
    groups: dict[tuple[str, int, str, str], list[dict[str, float]]] = defaultdict(list)
    history = _history(lake)
    for values in rows:
        row = dict(zip(names, values, strict=True))
        row["naive_pinball"] = _naive_pinball(history[row["store"], row["product"]], row)
        members = {"total": "", "product": str(row["product"]), "store": str(row["store"]), "model": row["model"]}
        for dimension, member in members.items():
            groups[str(row["cutoff"]), row["step"], dimension, member].append(row)
    return {key: _scores(rows) for key, rows in groups.items()}


def _scores(rows: list[dict[str, float]]) -> dict[str, float]:
    of_group = {name: math.fsum(row[name] for row in rows) for name in [*SUMS, "naive_pinball"]}
    sold, series = of_group["actual"], len(rows)
    shares = {
        "wape": of_group["absolute_error"] / sold if sold else math.nan,
        "naive_wape": of_group["naive_absolute_error"] / sold if sold else math.nan,
        "bias": of_group["forecast"] / sold - 1 if sold else math.nan,
        "coverage_80": of_group["within_80"] / series,
        "coverage_95": of_group["within_95"] / series,
    }
    return {"series": series, **of_group, **shares}


def _history(lake: Path) -> dict[tuple[int, int], dict[date, int]]:
    query = "SELECT store, product, week, units FROM read_parquet($sales)"
    history: dict[tuple[int, int], dict[date, int]] = defaultdict(dict)
    for store, product, week, units in duckdb.execute(query, {"sales": str(lake / "sales" / "*.parquet")}).fetchall():
        history[store, product][week] = units
    return history


def _naive_pinball(sold: dict[date, int], row: dict[str, Any]) -> float:
    """Of the last week, spread as the series' own changes over as many weeks were, around their median."""
    past = {week.toordinal(): units for week, units in sold.items() if week <= row["cutoff"]}
    logs = {day: math.log1p(units) for day, units in past.items()}
    changes = sorted(logs[day] - logs[day - 7 * row["step"]] for day in logs if day - 7 * row["step"] in logs)
    last = past[max(past)]
    samples = [float(last)] * 99
    if changes:
        middle = _quantile(changes, 0.5)
        spread = [_quantile(changes, (rank + 0.5) / 99) - middle for rank in range(99)]
        samples = [max(math.expm1(math.log1p(last) + each), 0.0) for each in spread]
    losses = [
        max(q * (row["actual"] - end), (q - 1) * (row["actual"] - end))
        for q, end in ((q, _quantile(samples, q)) for q in QUANTILES)
    ]
    return sum(losses) / len(losses)


def _quantile(ordered: list[float], q: float) -> float:
    """Hazen's: value i of n stands at the probability (i + 1/2) / n."""
    return float(np.interp(q * len(ordered) - 0.5, range(len(ordered)), ordered))


if __name__ == "__main__":
    count, problems = differences(Path(sys.argv[1]))
    for problem in problems[:20]:
        print(problem)
    print(f"{count:,} numbers compared, {len(problems):,} differ")
    sys.exit(bool(problems))
