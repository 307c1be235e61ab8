"""Partitions by path are those by value."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from forecasting.adapters.cluster.handover import PartitionOutOfReach, store
from forecasting.partition import Partition


def test_a_stored_partition_is_the_same_to_the_last_bit(partitions: list[Partition], tmp_path: Path) -> None:
    """Values, types and order, of the real data; nothing is lost in the file."""
    for number, partition in enumerate(partitions):
        loaded = store(partition, tmp_path / str(number)).load()
        assert loaded.name == partition.name
        pd.testing.assert_frame_equal(loaded.panel, partition.panel, check_exact=True)
        pd.testing.assert_frame_equal(loaded.promotions, partition.promotions, check_exact=True)


def test_files_that_are_out_of_reach_are_told_as_such(partitions: list[Partition], tmp_path: Path) -> None:
    """So that the partition can be sent by value instead."""
    stored = store(partitions[0], tmp_path / "stored")
    shutil.rmtree(tmp_path / "stored")
    with pytest.raises(PartitionOutOfReach):
        stored.load()
