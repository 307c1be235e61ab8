"""`oj notify` and `oj clusters`, as their users meet them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from forecasting.cli import app
from forecasting.clock import now
from forecasting.compute.register import held_entry
from forecasting.contracts.spec import ClusterSpec
from forecasting.storage.lake import Lake
from tests.sinks import http_sink, wait_long_for_targets, write_connections


def oj(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "NO_COLOR": "1"})


def words(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


def test_notify_says_how_many_were_reached_or_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person can see that notifications arrive, and what to do where they do not."""
    monkeypatch.setenv("OJ_HOME", str(tmp_path))
    wait_long_for_targets(monkeypatch)
    missing = oj("notify")
    assert missing.exit_code == 1
    assert "connections.toml names nobody to notify; write notify = " in missing.output
    with http_sink() as (port, documents):
        path = write_connections(tmp_path, f'notify = "json://127.0.0.1:{port}"')
        assert oj("notify", "Hello").output == "Notified: 1 of 1.\n"
    assert [document["message"] for document in documents] == ["Hello"]
    assert "Error: 1 of 1 were not notified: target 1 (json) could not be reached" in oj("notify").output
    path.chmod(0o644)
    assert f"can be read by others (mode 0644); chmod 600 {path}" in oj("notify").output


KIND = "dask_kubernetes.operator.KubeCluster"
SCHEDULER = "tls://a-rather-long-name-of-a-host.of-some-cloud.example.org:8786"


def test_living_clusters_and_orphans_are_distinguished(tmp_path: Path) -> None:
    """Each with its run, age and cost so far, within 80 columns; an orphan is followed by what to do."""
    lake = Lake(tmp_path)
    content = {
        "cluster_id": "ab",
        "run": "the week of 1992-04-16",
        "kind": KIND,
        "started": str(now() - timedelta(hours=2)),
        "driver": "process 1 on elsewhere",
        "instances": 3,
        "price_per_instance_hour": 0.5,
        "scheduler": SCHEDULER,
    }
    with held_entry(lake, "cd", run="a backtest", spec=ClusterSpec(cluster=KIND)):
        lake.cluster_entry("ab").write_text(json.dumps(content))
        output = oj("clusters", "--lake", str(tmp_path)).output
    assert max(map(len, output.splitlines())) <= 80
    orphan, living, _ = output.split("\n\n")
    assert "orphan: its run is gone" in orphan
    assert "2:00:0" in orphan
    assert "3.00 at 0.5 an instance-hour" in orphan
    assert "a backtest" in living
    assert "held by process" in living
    assert output.endswith("Next: oj clusters reap\n")


def test_reaping_says_what_became_of_each(tmp_path: Path) -> None:
    """An orphan whose scheduler was never reached is taken off the list, with a word; then there is none."""
    lake = Lake(tmp_path)
    lake.cluster_entry("ab").parent.mkdir()
    lake.cluster_entry("ab").write_text("cut off")
    assert "did not answer; removed from the list" in words(oj("clusters", "reap", "--lake", str(tmp_path)))
    assert oj("clusters", "reap", "--lake", str(tmp_path)).output == "No orphans.\n"
    assert oj("clusters", "--lake", str(tmp_path)).output == "No cluster is alive beyond this machine.\n"


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--cluster", "tcp://10.0.0.1:8786"), 1, "is not encrypted"),
        (("--cluster", "tls://10.0.0.1:8786"), 1, "needs certificates"),
        (("--cluster", "dask_jobqueue.SLURMCluster"), 1, "pip install dask-jobqueue"),
        (("--cluster-options", "{"), 2, "this is not JSON"),
        (("--cluster-options", "[1]"), 2, "give a JSON object"),
        (("--min-instances", "3", "--max-instances", "2"), 1, "is less than min_instances=3"),
    ],
)
def test_a_mistake_ends_in_one_sentence(tmp_path: Path, args: tuple[str, ...], code: int, says: str) -> None:
    """Before Prefect is started for it."""
    result = oj("run", *args, "--lake", str(tmp_path))
    assert result.exit_code == code
    assert says in words(result)
    assert "Traceback" not in result.output
