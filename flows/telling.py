"""How a run's model was chosen, in words."""

from typing import Any


def describe_choice(training: dict[str, Any]) -> str:
    """How the model of a run was chosen; empty where the run fitted the usual one."""
    lines = []
    if version := training.get("version"):
        lines.append(f"{training['model']} {version}, trained on weeks up to {training['trained_until']}")
    if contest := training.get("contest"):
        alarm = f"after an alarm ({training['alarm']}) " if "alarm" in training else ""
        outcome = "took over" if contest["promoted"] else "was no better beyond chance"
        lines.append(f"{alarm}{contest['model']} {outcome}: {contest['why']}")
    return "\n".join(lines)
