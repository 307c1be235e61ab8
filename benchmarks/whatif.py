"""How long a what-if answer takes in a warm process: the median and the slowest of 200 questions, on all real stores.

python benchmarks/whatif.py
"""

import time

import numpy as np

from forecasting.contracts import orange_juice
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.panel_definition import Id
from forecasting.contracts.spec import ForecastSpec
from forecasting.pipeline.forecast import train
from forecasting.pipeline.simulation import shipped
from forecasting.pipeline.what_if import outlook, what_if

QUESTIONS = 200
SPEC = ForecastSpec(dominicks_week(136))


def main() -> None:
    """Ask, and print."""
    sales, promotions = shipped(orange_juice.SALES), shipped(orange_juice.PROMOTIONS)
    began = time.perf_counter()
    fitted = train(sales, promotions, SPEC)
    trained = time.perf_counter() - began
    of = outlook(fitted, sales, promotions, SPEC)
    series = sorted(of.series)
    values = np.random.default_rng(0)
    first: dict[Id, float] = {}
    warm: list[float] = []
    cpu: list[float] = []
    while len(warm) < QUESTIONS:
        store, product = series[values.integers(len(series))]
        price, week = float(values.uniform(1.2, 3.5)), SPEC.cutoff + WEEK * int(values.integers(1, 3))
        began, began_cpu = time.perf_counter(), time.process_time()
        what_if(of, store, product, week, price=price, deal=1, feat=1.0)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
        if product in first:
            warm.append(seconds)
            cpu.append(cpu_seconds)
        else:
            first[product] = seconds
    milliseconds = 1000 * np.array(warm)
    print(f"fit of {len(series)} series: {trained:.2f} s")
    print(f"first question about a product: {1000 * max(first.values()):.0f} ms at most")
    print(
        f"{QUESTIONS} questions: median {np.median(milliseconds):.1f} ms, "
        f"95 of 100 within {np.quantile(milliseconds, 0.95):.1f} ms, slowest {milliseconds.max():.1f} ms; "
        f"median of CPU {1000 * np.median(cpu):.1f} ms"
    )


if __name__ == "__main__":
    main()
