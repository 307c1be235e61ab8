"""The receipt: what the run was, where its seconds went, and what its cluster was, did and cost."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.artifacts.markdown import code, count, facts, table, text
from flows.artifacts.posting import post

logger = logging.getLogger(__name__)


def show_record(record: dict[str, Any]) -> None:
    """The receipt of a run that ended well, as it is kept in the lake."""
    seconds = f"{record['seconds_by_stage']['total']:.1f} s in all"
    if cluster := record.get("cluster"):
        logger.info("%s; the cluster was up for %.1f s: %s.", seconds, cluster["seconds_up"], _left_over(cluster))
    else:
        logger.info("%s; no cluster was needed.", seconds)
    post("record", "What the run was, and where its seconds went", record_markdown, record)


def record_markdown(record: dict[str, Any]) -> str:
    """The run in a few lines, then its seconds, then its cluster."""
    spec = record["spec"]
    run = [
        ("Outcome", f"{text(record['outcome'])}, week of {spec['cutoff']}"),
        ("Asked for", f"{count(spec['horizon'], 'week')} by {text(spec['model'])}, the {text(spec['point'])} as point"),
        ("Begun", f"{datetime.fromisoformat(record['started']):%Y-%m-%d %H:%M:%S} UTC"),
        ("Run id", code(record["run_id"])),
    ]
    stages = {name: value for name, value in record["seconds_by_stage"].items() if name != "total"}
    total = record["seconds_by_stage"]["total"]
    rest = total - sum(stages.values())
    seconds = [(text(name), f"{value:.1f}") for name, value in stages.items()]
    seconds += [("cluster up and down", f"{rest:.1f}"), ("**in all**", f"**{total:.1f}**")]
    parts = ["## Run", facts(run), "## Seconds", table(["stage", "seconds"], seconds, ["left", "right"])]
    if cluster := record.get("cluster"):
        parts += ["## Cluster", facts(_cluster(cluster))]
    return "\n\n".join(parts)


def _cluster(cluster: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("Workers", f"{count(cluster['workers'], 'worker')} of one thread"),
        ("Up for", f"{cluster['seconds_up']:.1f} s, after {cluster['seconds_starting']:.1f} s to start"),
        (
            "Worker seconds",
            f"{cluster['worker_seconds_provisioned']:.1f} provisioned: {cluster['seconds_busy']:.1f} busy, "
            f"{cluster['worker_seconds_idle']:.1f} idle",
        ),
        ("Tasks", f"{cluster['tasks']:,}, of which {cluster['lost_tasks']:,} were lost or failed, and answered for"),
        ("Afterwards", _left_over(cluster)),
    ]
    if (instances := cluster.get("instances")) is not None:
        rows.insert(0, ("Instances", text(instances)))
    for key, name in (("cost", "Cost"), ("cost_per_1000_forecasts", "Cost per 1,000 forecasts")):
        if (cost := cluster.get(key)) is not None:
            rows.append((name, text(f"{cost:,.4f}" if isinstance(cost, float) else cost)))
    return rows


def _left_over(cluster: Mapping[str, Any]) -> str:
    left = cluster["left_over"]
    return f"STILL RUNNING: {', '.join(map(str, left))}" if left else "no worker is left"
