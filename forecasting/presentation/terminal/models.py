"""What a backtest and the commands of registered models print."""

from rich.table import Table
from rich.text import Text

from forecasting.contracts.errors import RunError
from forecasting.core.folds import PUBLISHED_MAPE
from forecasting.core.metrics import METRICS
from forecasting.pipeline.backtest import BacktestResult
from forecasting.pipeline.challengers import Evaluation
from forecasting.presentation import words
from forecasting.presentation.facts import Fact
from forecasting.presentation.terminal.console import console, print_facts
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Champion


def show_training(evaluation: Evaluation, seconds: float) -> None:
    """Print what was trained, and whether it is the champion now."""
    console.print()
    outcome = "is the champion now" if evaluation.promoted else "is registered; the champion stays"
    style = "bold green" if evaluation.promoted else ""
    console.print(Text(f"{evaluation.model} {evaluation.version} {outcome}", style=style))
    facts = [Fact("trained on", f"the sales up to {evaluation.cutoff}"), Fact("why", evaluation.why)]
    if evaluation.against:
        frozen, refitted = len(evaluation.champion_frozen_at), len(evaluation.champion_refitted_at)
        how = f"{evaluation.against}, at {words.count(frozen, 'fold')} as it was trained"
        facts.append(
            Fact("champion", how + (f", at {refitted} earlier ones its model fitted anew" if refitted else ""))
        )
    wape, bias, coverage = (evaluation.scores[name] for name in ("wape", "bias", "coverage_80"))
    facts.append(
        Fact(
            "scores",
            f"WAPE {words.percent(wape, 1)}, bias {words.percent(bias, 1)}, {words.percent(coverage)} of the actuals "
            "in the 80 % intervals",
        )
    )
    print_facts(facts)
    console.print(f"{seconds:.1f} s. Next: oj models   or forecast by it: oj run --retrain never", style="dim")


def show_models(lake: Lake) -> None:
    """Print one line a version, the newest first."""
    current = lake.models.champion()
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("version", no_wrap=True)
    table.add_column("model", overflow="ellipsis", no_wrap=True, max_width=16)
    for name in ("trained up to", "weeks", "series"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("WAPE", "pinb", "c80"):
        table.add_column(name, justify="right", no_wrap=True)
    found = []
    for name in lake.models.versions():
        try:
            found.append(lake.models.describe(name))
        except RunError as error:
            console.print(Text(str(error), style="red"))
    for version in sorted(found, key=lambda each: (each.content["created"], each.version), reverse=True):
        trained, scores = version.content["trained_on"], version.record["scores"]
        is_champion = current is not None and version.version == current.version
        table.add_row(
            "*" if is_champion else "",
            version.version,
            Text(version.spec.model),
            trained["last"],
            str(trained["weeks"]),
            f"{trained['series']:,}",
            *(f"{100 * scores[name]:.1f}" for name in ("wape", "pinball", "coverage_80")),
            style="bold" if is_champion else "",
        )
    if not found:
        console.print("No model has been trained yet: every run fits its own. Next: oj train")
        return
    console.print(table)
    if current:
        console.print(f"* the champion since {current.since} by {current.by}: {current.why}", style="dim")
    console.print(
        "In percent, at the folds of each version's own evaluation. To go back: oj models rollback", style="dim"
    )


def show_champion(current: Champion) -> None:
    """Print the champion, and what follows."""
    console.print(
        f"{current.model} {current.version}, trained up to {current.trained_until}, is the champion ({current.why})."
    )
    console.print("oj run --retrain never and oj whatif use it", style="dim")


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
