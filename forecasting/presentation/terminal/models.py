"""What the commands of registered models print."""

from rich.table import Table
from rich.text import Text

from forecasting.contracts.errors import RunError
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
