"""How a partition gets to its worker: in the message itself, or as files where workers see the lake."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from distributed import Client

from forecasting.compute import on_worker
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.partition import Partition
from forecasting.storage.model_registry import read_learnt, write_learnt


class PartitionOutOfReach(Exception):
    """A worker cannot read the files of a partition: it came late, say, and does not see the lake of the first ones."""


@dataclass(frozen=True)
class StoredPartition:
    """A partition that lies in the files of a folder.

    fitted_for: what its fitted model was fitted for; None where it has none.
    """

    name: str
    folder: str
    fitted_for: ForecastSpec | None

    def load(self) -> Partition:
        """The partition, equal to the one that was stored to the last bit.

        Raises:
            PartitionOutOfReach: this machine does not see the files, or not whole.
        """
        folder = Path(self.folder)
        try:
            panel, promotions = (pd.read_parquet(folder / f"{name}.parquet") for name in ("panel", "promotions"))
            fitted = read_learnt(folder, self.fitted_for) if self.fitted_for else None
        except (OSError, ValueError, SchemaError) as error:  # what pyarrow cannot read is a ValueError
            raise PartitionOutOfReach(str(error)) from error
        return Partition(self.name, panel, promotions, fitted)


def store(partition: Partition, folder: Path) -> StoredPartition:
    """Write a partition for a worker to read, the whole of it; the weeks uncompressed, as they are read once."""
    folder.mkdir()
    partition.panel.to_parquet(folder / "panel.parquet", compression=None)
    partition.promotions.to_parquet(folder / "promotions.parquet", compression=None)
    if partition.fitted:
        write_learnt(folder, partition.fitted)
    return StoredPartition(
        partition.name, str(folder.absolute()), fitted_for=partition.fitted.spec if partition.fitted else None
    )


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
