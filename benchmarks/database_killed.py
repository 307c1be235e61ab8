"""Random weeks are run again and again while their loads are SIGKILLed: the database holds what the files hold.

    .venv/bin/python benchmarks/database_killed.py                      SQLite; a minute or two on two cores
    .venv/bin/python benchmarks/database_killed.py --database reporting   a PostgreSQL of connections.toml, and EMPTY

Real data of four published weeks. A re-run publishes another forecast of a random week and loads it; a kill ends a load
at a random moment of its work. After each of them, readers must find whole weeks only; after each load, every row of
the files once, to the last bit. Ends with exit code 1 where they do not.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pandas as pd
from sqlalchemy import select

from forecasting.contracts import orange_juice
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import ORANGE_JUICE
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.panel import series_of
from forecasting.pipeline.forecast import forecast
from forecasting.pipeline.simulation import simulate
from forecasting.storage.database.load import load
from forecasting.storage.database.tables import tables_of
from forecasting.storage.database.target import Database
from forecasting.storage.lake import Lake

CUTOFFS = [dominicks_week(week) for week in range(132, 136)]
MODELS = ["naive", "mean", "seasonal_naive"]


def forecasts(lake: Lake) -> dict[tuple[date, str], pd.DataFrame]:
    """Different forecasts of each week, made beforehand: what is measured is how they are loaded."""
    promotions = lake.promotions.read()
    return {
        (cutoff, model): forecast(lake.sales.read(cutoff), promotions, ForecastSpec(cutoff, model=model))
        for cutoff in CUTOFFS
        for model in MODELS
    }


def held(database: str) -> pd.DataFrame:
    """All forecasts of the database."""
    table = tables_of(ORANGE_JUICE)[orange_juice.FORECAST.name]
    with closing(Database(database)) as opened, opened.transaction() as connection:
        rows = connection.execute(select(table)).fetchall()
    return orange_juice.FORECAST.cast(pd.DataFrame(rows, columns=orange_juice.FORECAST.columns)).sort_values(
        list(orange_juice.FORECAST.key), ignore_index=True
    )


def agrees(lake: Lake, database: str) -> bool:
    """Whether the database holds every row of the files once, to the last bit, and no other."""
    wanted = pd.concat([lake.forecasts.read(cutoff) for cutoff in lake.forecasts.cutoffs()], ignore_index=True)
    return held(database).equals(wanted)


def killed(call: Callable[[], object], seconds: float) -> bool:
    """Call it in a process of its own and kill that after so many seconds; False where it had ended by then."""
    process = os.fork()
    if not process:
        try:
            call()
            os._exit(0)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def main() -> int:
    """Fill, run again, kill, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="a name in connections.toml; else an SQLite file of its own")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    took: list[float] = []
    at_random, wrong = random.Random(options.seed), 0  # noqa: S311 - to kill at need no cryptography
    with tempfile.TemporaryDirectory(prefix="database-killed-") as folder:
        lake, database = Lake(Path(folder) / "lake"), options.database or f"sqlite:///{folder}/oj.db"
        simulate(lake)
        made = forecasts(lake)

        def run(cutoff: date, model: str) -> None:
            rows = made[cutoff, model]
            lake.forecasts.publish([rows], series_of(rows), ForecastSpec(cutoff, model=model), f"{model}-{cutoff}")

        for cutoff in CUTOFFS:
            run(cutoff, MODELS[0])
        began = time.monotonic()
        rows = load(lake, database).rows
        print(f"the first load: {sum(rows.values()):,} rows in {time.monotonic() - began:.1f} s ({dict(rows)})")
        moments = sorted(at_random.sample(range(options.runs), options.kills))
        interrupted = 0
        for number in range(options.runs):
            for cutoff in at_random.sample(CUTOFFS, at_random.randint(1, len(CUTOFFS))):
                run(cutoff, at_random.choice(MODELS))
            if number in moments:
                longest = max(took, default=1.0)
                interrupted += killed(lambda: load(lake, database), at_random.uniform(0, longest))
                weeks = held(database).groupby("cutoff").size()
                wrong += int((weeks != len(made[CUTOFFS[0], MODELS[0]])).any() or len(weeks) != len(CUTOFFS))
            began = time.monotonic()
            load(lake, database)
            took.append(time.monotonic() - began)
            wrong += not agrees(lake, database)
        began = time.monotonic()
        load(lake, database)
        print(f"{options.runs} runs, {options.kills} kills ({interrupted} hit a load at work): {wrong} wrong")
        print(f"a load of what differs: {sorted(took)[len(took) // 2]:.2f} s (median), {max(took):.2f} s (longest)")
        print(f"a load with nothing to do: {time.monotonic() - began:.2f} s")
        print("the database agrees with the files" if agrees(lake, database) else "THE DATABASE DIFFERS")
        return 1 if wrong or not agrees(lake, database) else 0


if __name__ == "__main__":
    sys.exit(main())
