"""What the commands of fitted models print."""

from rich.table import Table
from rich.text import Text

from forecasting.contracts.errors import RunError
from forecasting.pipeline.challengers import Evaluation
from forecasting.presentation.terminal.console import console
from forecasting.storage.lake import Lake
from forecasting.storage.model_registry import Champion


def show_training(evaluation: Evaluation, seconds: float) -> None:
    """What was fitted, and whether it is the champion now."""
    console.print()
    outcome = "is the champion now" if evaluation.promoted else "is kept; the champion stays"
    console.print(
        Text(f"{evaluation.model} {evaluation.version} {outcome}", style="bold green" if evaluation.promoted else "")
    )
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("learnt", f"the sales up to {evaluation.cutoff}")
    facts.add_row("why", evaluation.why)
    if evaluation.against:
        frozen, refitted = len(evaluation.champion_frozen_at), len(evaluation.champion_refitted_at)
        facts.add_row(
            "champion",
            f"{evaluation.against}, at {frozen} folds as it was trained"
            + (f", at {refitted} earlier ones its family fitted anew" if refitted else ""),
        )
    scores = {name: value or 0.0 for name, value in evaluation.scores.items()}
    facts.add_row(
        "scores",
        f"WAPE {scores['wape']:.1%}, bias {scores['bias']:+.1%}, 80 % intervals held {scores['coverage_80']:.0%}",
    )
    console.print(facts)
    console.print(f"{seconds:.1f} s. Next: oj models   or forecast by it: oj run --retrain never", style="dim")


def show_models(lake: Lake) -> None:
    """One line a version, the newest first."""
    current = lake.models.champion()
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("version", no_wrap=True)
    table.add_column("model", overflow="ellipsis", no_wrap=True, max_width=16)
    for name in ("learnt up to", "weeks", "series"):
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
    console.print("Percent, at the folds of each one's own contest. Go back: oj models rollback", style="dim")


def show_champion(current: Champion) -> None:
    """Who is in force now, and what follows."""
    console.print(
        f"{current.model} {current.version}, trained up to {current.trained_until}, is in force ({current.why})."
    )
    console.print("It is what oj run --retrain never and oj whatif go by", style="dim")
