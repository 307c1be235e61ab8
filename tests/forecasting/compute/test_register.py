"""Entries of clusters that would outlive their run."""

import json
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from forecasting.compute.register import entries, held_entry, reap_orphans, taken_orphan
from forecasting.contracts.spec import ClusterSpec
from forecasting.storage.lake import Lake
from tests.ports import free_port

HOLD = """
import os, sys
from pathlib import Path
from forecasting.storage.lake import Lake
from forecasting.compute.register import held_entry
from forecasting.contracts.spec import ClusterSpec
spec = ClusterSpec(cluster="distributed.K", instance_count=3, price_per_instance_hour=2.0)
with held_entry(Lake(Path(sys.argv[1])), "ab", run="a week", spec=spec) as it:
    it.update(scheduler="tls://10.0.0.1:8786", instances=4)
    os._exit(9)
"""


def left_behind(lake: Lake) -> None:
    """An entry whose process was killed."""
    subprocess.run([sys.executable, "-c", HOLD, str(lake.root)], check=False)
    lake.cluster_entry("ab").with_suffix(".pem").touch()


def test_an_entry_lives_as_long_as_its_cluster(tmp_path: Path) -> None:
    """Its owner alone can read it; it is no orphan, and nobody may take it."""
    lake = Lake(tmp_path)
    with held_entry(lake, "cd", run="r", spec=ClusterSpec(cluster="distributed.K")):
        (entry,) = entries(lake)
        assert not entry.is_orphan
        assert stat.S_IMODE(lake.cluster_entry("cd").stat().st_mode) == 0o600
        with taken_orphan(lake, "cd") as is_ours:
            assert not is_ours
    assert entries(lake) == []
    assert list((tmp_path / "clusters").iterdir()) == []


def test_an_entry_of_a_killed_process_is_an_orphan(tmp_path: Path) -> None:
    """It says what it costs, and goes with its certificates once it is taken."""
    lake = Lake(tmp_path)
    left_behind(lake)
    (entry,) = entries(lake)
    assert entry.is_orphan
    assert (entry.run, entry.scheduler, entry.instances) == ("a week", "tls://10.0.0.1:8786", 4)
    assert entry.cost(entry.started + timedelta(minutes=30)) == 4.0
    with taken_orphan(lake, "ab") as is_ours:
        assert is_ours
    assert list((tmp_path / "clusters").iterdir()) == []


def test_an_entry_that_was_cut_off_while_written_is_listed_all_the_same(tmp_path: Path) -> None:
    """Nothing but its name is known, and it can be removed."""
    lake = Lake(tmp_path)
    lake.cluster_entry("ef").parent.mkdir()
    lake.cluster_entry("ef").write_text('{"run": "a we')
    (entry,) = entries(lake)
    assert (entry.cluster_id, entry.is_orphan, entry.scheduler) == ("ef", True, "")


def test_an_orphan_that_does_not_answer_is_taken_off_the_list(tmp_path: Path) -> None:
    """Its host may be long gone."""
    lake = Lake(tmp_path)
    address = f"tcp://127.0.0.1:{free_port()}"
    content: dict[str, Any] = {
        "cluster_id": "ab",
        "run": "r",
        "kind": "k",
        "started": "2026-01-01T00:00:00+00:00",
        "driver": "d",
    }
    content |= {"instances": 1, "price_per_instance_hour": 0.0, "scheduler": address}
    lake.cluster_entry("ab").parent.mkdir()
    lake.cluster_entry("ab").write_text(json.dumps(content))
    (reaped,) = reap_orphans(lake)
    assert not reaped.was_alive
    assert entries(lake) == []
