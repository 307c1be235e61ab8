"""How long the report page takes and how big it is: for the 913 real series, and for 11,973.

    .venv/bin/python benchmarks/report.py

The bars: 5 s and 3 MB for 913 series; 30 s and 10 MB for 11,973 (sales of more stores are made of the real ones).
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.contracts import orange_juice, schemas
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.report import report_table
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.simulation import shipped
from forecasting.presentation.html import render
from forecasting.presentation.week import WeekView
from forecasting.storage.lake import Lake

CUTOFF = dominicks_week(158)
WEEKS_BEFORE = 26
COUNTS = (913, 11_973)


def main() -> None:
    """Print one line for each size."""
    sales, promotions = shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS)
    made = [
        forecast(sales, promotions, ForecastSpec(CUTOFF - pd.Timedelta(weeks=back).to_pytimedelta(), model="mean"))
        for back in range(WEEKS_BEFORE + 1)
    ]
    earlier = pd.concat(made[1:], ignore_index=True)
    earlier = earlier[earlier["week"] <= pd.Timestamp(CUTOFF)]
    products, stores = shipped(orange_juice.PRODUCTS), shipped(orange_juice.STORES)
    table = report_table(sales, promotions, made[0], products, ORANGE_JUICE)
    nothing = schemas.SCORES.empty(), orange_juice.CORRECTIONS.empty(), orange_juice.FORECAST.empty()
    week = WeekView(table, earlier, *nothing, stores, ORANGE_JUICE)
    for count in COUNTS:
        _measure(replace(week, report=_more_stores(table, count), earlier=_more_stores(earlier, count)))


def _more_stores(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """Rows of `count` series: those of the real stores, and of copies of them that differ by a random tenth."""
    random = np.random.default_rng(1)
    copies = [rows.assign(store=rows["store"] + 1000 * copy) for copy in range(-(-count // COUNTS[0]))]
    for copy in copies[1:]:
        if "units" in copy:
            copy["units"] = np.rint(copy["units"] * random.normal(1, 0.1, len(copy)).clip(0.5, 1.5))
    more = pd.concat(copies, ignore_index=True)
    return more[more.groupby(schemas.SERIES).ngroup() < count]


def _measure(week: WeekView) -> None:
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), time.process_time()
        path = Lake(Path(folder)).reports.write_page(CUTOFF, render(week, str(CUTOFF)))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        parts = [part.stat().st_size for part in Path(path).with_suffix("").glob("*")]
        series = len(week.forecast.drop_duplicates(["store", "product"]))
        print(
            f"{series:,} series: {seconds:.2f} s ({cpu:.2f} s CPU), page {Path(path).stat().st_size / 1e6:.2f} MB, "
            f"{len(parts)} files beside it {sum(parts) / 1e6:.2f} MB, biggest {max(parts, default=0) / 1e6:.2f} MB"
        )


if __name__ == "__main__":
    main()
