"""The chart of the headline: units sold and expected, week by week."""

import io

import matplotlib.dates as mdates
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from forecasting.presentation import words

# The chart stands on white and on dark pages: no background, and tones between the two.
INK = "#7d8796"
SOLD = "#3b82c4"
EXPECTED = "#f0861f"
WEEKS_SHOWN = 52
LEAST_IN_THOUSANDS = 5_000  # below, thousands would read 0k, 1k, 1k


def total_chart(totals: pd.DataFrame, units: str) -> bytes:
    """Return a PNG of the totals of the last year and of the forecast.

    Args:
        totals: as `forecasting.core.report.weekly_totals` returns them.
        units: the word for what is counted.
    """
    sold = totals[totals["kind"] == "actual"].tail(WEEKS_SHOWN)
    expected = totals[totals["kind"] == "forecast"]
    figure = Figure(figsize=(8.4, 3.2), dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.075, 0.13, 0.9, 0.74))
    axes.fill_between(sold["week"], sold["units"], color=SOLD, alpha=0.12, linewidth=0)
    axes.plot(sold["week"], sold["units"], color=SOLD, linewidth=1.8, solid_joinstyle="round")
    joined = pd.concat([sold.tail(1), expected])
    axes.plot(joined["week"], joined["units"], color=EXPECTED, linewidth=1.8, linestyle=(0, (2, 1.2)))
    axes.plot(expected["week"], expected["units"], "o", color=EXPECTED, markersize=6)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.015)
    in_thousands = totals["units"].max() >= LEAST_IN_THOUSANDS
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / 1000:,.0f}k" if value and in_thousands else f"{value:,g}")
    )
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.tick_params(colors=INK, labelsize=9, length=0)
    axes.xaxis.get_offset_text().set_color(INK)
    axes.grid(axis="y", color=INK, alpha=0.25, linewidth=0.7)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.text(0.012, 0.94, f"{words.capital(units)} a week, all series", color=INK, fontsize=10, weight="bold")
    figure.text(0.84, 0.94, "sold", color=SOLD, fontsize=10, weight="bold", ha="right")
    figure.text(0.975, 0.94, "expected", color=EXPECTED, fontsize=10, weight="bold", ha="right")
    image = io.BytesIO()
    figure.savefig(image, format="png", transparent=True)
    return image.getvalue()
