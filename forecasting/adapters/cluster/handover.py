"""How a partition gets to its worker: in the message itself, or as files where workers see the lake."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from distributed import Client

from forecasting.adapters.cluster import on_worker
from forecasting.partition import Partition


class PartitionOutOfReach(Exception):
    """A worker that came late does not see the lake that the first ones saw."""


@dataclass(frozen=True)
class StoredPartition:
    """A partition that lies in two Parquet files."""

    name: str
    folder: str

    def load(self) -> Partition:
        """The partition, equal to the one that was stored to the last bit.

        Raises:
            PartitionOutOfReach: this machine does not see the files.
        """
        folder = Path(self.folder)
        try:
            panel, promotions = (pd.read_parquet(folder / f"{name}.parquet") for name in ("panel", "promotions"))
        except OSError as error:
            raise PartitionOutOfReach(str(error)) from error
        return Partition(self.name, panel, promotions)


def store(partition: Partition, folder: Path) -> StoredPartition:
    """Write a partition for a worker to read; uncompressed, as it is read once."""
    folder.mkdir()
    partition.panel.to_parquet(folder / "panel.parquet", compression=None)
    partition.promotions.to_parquet(folder / "promotions.parquet", compression=None)
    return StoredPartition(partition.name, str(folder.absolute()))


def sees_lake(client: Client, scratch: Path) -> bool:
    """Whether every worker reads in `scratch` what was written there just now."""
    token = secrets.token_hex(16)
    path = scratch / f"token-{token[:8]}"
    path.write_text(token, encoding="utf-8")
    try:
        read = client.run(on_worker.read_text, str(path.absolute()))
    finally:
        path.unlink()
    return bool(read) and all(content == token for content in read.values())
