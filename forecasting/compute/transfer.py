"""How a partition reaches its worker: in the message itself, or as files in a lake that workers can read."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from distributed import Client

from forecasting.compute import workers
from forecasting.contracts.errors import SchemaError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.partition import Partition
from forecasting.storage.location import open_location
from forecasting.storage.model_registry import read_learnt, write_learnt


class PartitionUnreadable(Exception):
    """A worker cannot read the files of a partition, as one that joined late and does not see the lake."""


@dataclass(frozen=True)
class StoredPartition:
    """A partition in the files of a folder.

    fitted_for: what its fitted model was fitted for; None where it has none.
    """

    name: str
    folder: str
    fitted_for: ForecastSpec | None

    def load(self) -> Partition:
        """Return the partition, equal to the one that was stored to the last bit.

        Raises:
            PartitionUnreadable: a file is missing here, or is not whole.
        """
        folder = Path(self.folder)
        try:
            panel, promotions = (pd.read_parquet(folder / f"{name}.parquet") for name in ("panel", "promotions"))
            fitted = read_learnt(open_location(folder), self.fitted_for) if self.fitted_for else None
        except (OSError, ValueError, SchemaError) as error:  # what pyarrow cannot read is a ValueError
            raise PartitionUnreadable(str(error)) from error
        return Partition(self.name, panel, promotions, fitted)


def store(partition: Partition, folder: Path) -> StoredPartition:
    """Write the whole partition into a new folder. The panel is not compressed, as it is read once."""
    folder.mkdir()
    partition.panel.to_parquet(folder / "panel.parquet", compression=None)
    partition.promotions.to_parquet(folder / "promotions.parquet", compression=None)
    if partition.fitted:
        write_learnt(open_location(folder), partition.fitted)
    return StoredPartition(
        partition.name, str(folder.absolute()), fitted_for=partition.fitted.spec if partition.fitted else None
    )


def is_storage_shared(client: Client, scratch: Path) -> bool:
    """Return whether every worker reads in `scratch` what has just been written there."""
    token = secrets.token_hex(16)
    path = scratch / f"token-{token[:8]}"
    path.write_text(token, encoding="utf-8")
    try:
        read = client.run(workers.read_text, str(path.absolute()))
    finally:
        path.unlink()
    return bool(read) and all(content == token for content in read.values())
