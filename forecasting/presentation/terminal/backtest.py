"""What `oj backtest` prints."""

from rich.table import Table

from forecasting.core.folds import PUBLISHED_MAPE
from forecasting.core.metrics import METRICS
from forecasting.pipeline.backtest import BacktestResult
from forecasting.presentation.terminal.console import console


def show_backtest(result: BacktestResult, protocol: str | None) -> None:
    """Print the scores of a backtest, beside the published ones where it followed a published protocol."""
    console.print()
    title = f"{f'Protocol {protocol}' if protocol else 'Own folds'}: {result.folds} folds, "
    console.print(title + f"{result.forecasts:,} forecasts of {result.source}", style="bold")
    table = Table(
        box=None,
        pad_edge=False,
        caption="; ".join(f"{metric.label}: {metric.meaning}" for metric in METRICS.values())
        + "; ms: CPU milliseconds a series. "
        + f"All but {', '.join(metric.label for metric in METRICS.values() if not metric.is_share)} and ms in percent.",
        caption_justify="left",
    )
    table.add_column("model", overflow="fold", min_width=8, max_width=22)
    for label in (*(metric.label for metric in METRICS.values()), "ms"):
        table.add_column(label, justify="right", no_wrap=True)
    for model, row in result.scores.items():
        cells = (_percent(row[name]) if metric.is_share else f"{row[name]:.2f}" for name, metric in METRICS.items())
        table.add_row(model, *cells, f"{row['cpu_ms']:.2f}")
    for model, mape in sorted(PUBLISHED_MAPE.get(protocol or "", {}).items(), key=lambda item: item[1]):
        table.add_row(f"{model} (published)", f"{mape:.1f}", style="dim")
    console.print(table)
    if result.fallbacks:
        console.print(f"{result.fallbacks:,} of the forecasts are fallbacks (column reason).")
    console.print(f"{result.seconds_by_stage['total']:.1f} s with the cluster's start and end", style="dim")


def _percent(share: float) -> str:
    """Return a share in percent; from 1000 % on without decimals, which would push out the names."""
    return f"{100 * share:.0f}" if share >= 10 else f"{100 * share:.1f}"
