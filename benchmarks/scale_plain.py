"""The weekly forecast as a plain script: one process, no orchestration, no cluster, no gate, no report.

    .venv/bin/python benchmarks/scale_plain.py LAKE OUT.parquet

Reads the week in the inbox and the history of a lake that `scale_lake` has made, forecasts by the same pure functions
as a run, and writes one Parquet file. The last line is JSON: wall and CPU seconds, and the peak of the memory.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from forecasting.contracts import schemas
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.panel import build_panel, complete_promotions
from forecasting.core.point_in_time import newest_announced
from forecasting.core.pool import MOST_POOLED, pooled_series
from forecasting.models import get_model

SERIES_AT_ONCE = 5_000


def main() -> None:
    """Forecast, and print what it took."""
    parser = argparse.ArgumentParser(description="The weekly forecast as a plain script.")
    parser.add_argument("lake", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    began = time.monotonic()
    forecast(given.lake, given.out)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    peak = usage.ru_maxrss / 2**20
    cpu = usage.ru_utime + usage.ru_stime
    print(json.dumps({"wall_s": time.monotonic() - began, "cpu_s": cpu, "peak_gib": peak}))


def forecast(lake: Path, out: Path) -> None:
    """Forecast the weeks after the one in the inbox; of large panels a block of stores after the other."""
    inbox = sorted((lake / "inbox").glob("*.parquet"))
    cutoff = pd.Timestamp(inbox[0].name.partition("_")[0])
    spec = ForecastSpec(cutoff.date())
    model = get_model(spec.model)
    week = pd.concat([pd.read_parquet(file) for file in inbox], ignore_index=True)
    series = week.loc[week["units"].notna(), schemas.SERIES].sort_values(schemas.SERIES, ignore_index=True)
    pool = None
    if (series.groupby("product").size() > MOST_POOLED).any():
        pool = model.learn(*_rows(lake, week, pooled_series(series), spec), spec)
    with suppress(FileNotFoundError):
        out.unlink()
    writer = None
    for block in _blocks(series) if pool else [series]:
        rows = model.forecast(*_rows(lake, week, block, spec), spec, pool).summarise(schemas.LEVELS)
        table = pa.Table.from_pandas(rows, preserve_index=False)
        writer = writer or pq.ParquetWriter(out, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def _blocks(series: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut the series by stores."""
    count = -(-len(series) // SERIES_AT_ONCE)
    for stores in np.array_split(np.unique(series["store"]), count):
        yield series[series["store"].isin(stores)]


def _rows(
    lake: Path, week: pd.DataFrame, series: pd.DataFrame, spec: ForecastSpec
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return panel and promotions of some series, with the week in the inbox."""
    stores = ds.field("store").isin(np.unique(series["store"]).tolist())
    here = week[week["store"].isin(series["store"].unique())]
    sold = here.dropna(subset="units").astype({"units": "int64"})[[*schemas.CELL, "units"]]
    sales = pd.concat([_read(lake / "sales", stores), sold], ignore_index=True)
    announced = pd.concat([_read(lake / "promotions", stores), here[[*schemas.CELL, *ORANGE_JUICE.names]]])
    promotions = newest_announced(announced)
    panel = build_panel(sales, promotions, series, spec.cutoff)
    return panel, complete_promotions(promotions, series, spec.cutoff, spec.weeks[-1], ORANGE_JUICE)


def _read(folder: Path, rows: ds.Expression) -> pd.DataFrame:
    found = ds.dataset(sorted(folder.glob("*.parquet"))).to_table(filter=rows).to_pandas(date_as_object=False)
    return found.astype({"week": "datetime64[us]"})


if __name__ == "__main__":
    main()
