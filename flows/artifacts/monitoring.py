"""How earlier forecasts came out, now that a week of theirs has been collected."""

import logging
from typing import Any

from flows.artifacts.markdown import Align, count, table, text
from flows.artifacts.posting import post

logger = logging.getLogger(__name__)

ALIGN: list[Align] = ["left", "right", "right", "right", "right", "right"]


def show_monitoring(record: dict[str, Any]) -> None:
    """How the newest matured week came out, and the alarms; nothing where no forecast has matured yet."""
    monitored = record["monitoring"]
    if error := monitored.get("error"):
        post("monitoring", "How earlier forecasts came out", text, f"They could not be monitored: {error}")
    if "week" not in monitored:
        return
    for alarm in monitored["alarms"]:
        logger.warning("%s", alarm["sentence"])
    for step, scores in monitored["steps"].items():
        logger.info(
            "The week of %s, forecast %s ahead: WAPE %s (naive %s), bias %s.",
            monitored["week"],
            count(int(step), "week"),
            *(_percent(scores[name]) for name in ("wape", "naive_wape", "bias")),
        )
    post("monitoring", "How earlier forecasts came out", monitoring_markdown, monitored)


def monitoring_markdown(monitored: dict[str, Any]) -> str:
    """The alarms, and the scores of the newest matured week by step.

    Args:
        monitored: as `forecasting.pipeline.monitoring.monitor` gives it.
    """
    parts = []
    if monitored["alarms"]:
        parts.append("## The forecasts are not what was promised")
        parts += [text(alarm["sentence"]) for alarm in monitored["alarms"]]
    names = ("wape", "naive_wape", "bias", "coverage_80", "coverage_95")
    rows = [
        (f"{count(int(step), 'week')} ahead", *(_percent(scores[name]) for name in names))
        for step, scores in monitored["steps"].items()
    ]
    head = ["forecast", "WAPE", "naive", "bias", "80 % intervals held", "95 % intervals held"]
    watched = "is held against what a backtest promised" if monitored["expected"] else "is not watched for drift yet"
    return "\n\n".join(
        [
            *parts,
            f"## How the week of {monitored['week']} came out",
            table(head, rows, ALIGN),
            f"Of what was published before it. *WAPE*: sum of the errors over the sum of sales; *naive*: that of the "
            f"last observed week. The model {watched}.",
        ]
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
