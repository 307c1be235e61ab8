"""The run's receipt, for people: on what the forecast rests, who made it, what it took."""

from datetime import datetime
from typing import Any

from forecasting.presentation.html import words
from forecasting.presentation.html.content import Content


def facts(content: Content) -> list[tuple[str, str]]:
    """Names and values. What the run did not tell is left out."""
    record, actual = content.record, content.actual
    completeness = record.get("completeness", {})
    models = content.forecast.drop_duplicates(["store", "product"])["model"].value_counts()
    rows = [
        (
            "Data",
            f"{words.many(len(actual), 'row')} of sales, {words.day(actual['week'].min())} to "
            f"{words.day(actual['week'].max())}, {words.many(actual['store'].nunique(), 'store')}, "
            f"{words.many(actual['product'].nunique(), 'product')}",
        ),
        ("Forecast", f"{words.many(int(models.sum()), 'series', 'series')}, {_steps(content)}"),
        ("Model", ", ".join(f"{model} ({count:,} series)" for model, count in models.items())),
    ]
    if version := content.published.get("model_version"):
        rows.append(("Model version", version))
    rows.append(("Point", f"{content.point} of the distribution"))
    if completeness:
        came = f"{len(completeness['received'])} of {words.many(len(completeness['expected']), 'expected store')}"
        rows.append(("Collected", f"{came}: {completeness['status']}"))
    if "rows_in" in record:
        rows.append(
            (
                "Rows",
                f"{record['rows_in']:,} in = {record['rows_accepted']:,} accepted + "
                f"{record['rows_dropped']:,} duplicates + {record['rows_quarantined']:,} quarantined",
            )
        )
    if unknown := record.get("rows_with_unknown_promotion"):
        rows.append(("Plan unknown", f"for {words.many(unknown, 'forecast')}"))
    rows.append(("Run", content.published.get("run_id", "unknown")))
    if started := record.get("started"):
        rows.append(("Begun", f"{datetime.fromisoformat(str(started)):%Y-%m-%d %H:%M:%S} UTC"))
    seconds = record.get("seconds_by_stage") or {}
    if stages := ", ".join(f"{name} {value:.1f}" for name, value in seconds.items() if value >= 0.05):
        rows.append(("Seconds", stages))
    if cluster := record.get("cluster"):
        rows += _cluster(cluster)
    return rows


def _steps(content: Content) -> str:
    weeks = sorted(content.forecast["week"].unique())
    first, last = words.day(weeks[0]), words.day(weeks[-1])
    return f"the week of {first}" if len(weeks) == 1 else f"the weeks of {first} to {last}"


def _cluster(cluster: dict[str, Any]) -> list[tuple[str, str]]:
    left = "all gone" if not cluster.get("left_over") else "some are still running"
    rows = [
        (
            "Cluster",
            f"{words.many(cluster['workers'], 'worker')}, up for {cluster['seconds_up']:.1f} s, {left}; "
            f"{cluster['worker_seconds_provisioned']:.1f} worker seconds: {cluster['seconds_busy']:.1f} busy, "
            f"{cluster['worker_seconds_idle']:.1f} idle",
        )
    ]
    if cost := cluster.get("cost"):
        each = cluster.get("cost_per_1000_forecasts")
        rows.append(("Cost", f"{cost:,.4f}" + (f", {each:,.4f} per 1,000 forecasts" if each else "")))
    return rows
