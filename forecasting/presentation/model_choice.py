"""How a run's model was chosen, in words."""

from typing import Any


def describe_choice(training: dict[str, Any]) -> str:
    """How the model of a run was chosen; empty where the run fitted the usual one."""
    lines = []
    if version := training.get("version"):
        lines.append(f"{training['model']} {version}, trained on weeks up to {training['trained_until']}")
    if contest := training.get("contest"):
        alarm = f"after an alarm ({training['alarm']}) " if "alarm" in training else ""
        lines.append(f"{alarm}{contest['model']} {_outcome(contest)}: {contest['why']}")
    return "\n".join(lines)


def _outcome(contest: dict[str, Any]) -> str:
    if contest["promoted"]:
        return "took over"
    # One without a verdict had nothing to be held against: a past week got a model of its own.
    verdict = contest["entries"].get(contest["model"], {"is_better": True})
    return "is kept, and not put in force" if verdict["is_better"] else "was no better beyond chance"
