"""What a forecast was made of."""

import hashlib
import shutil
from pathlib import Path

from forecasting.contracts.orange_juice import dominicks_week
from forecasting.contracts.spec import ForecastSpec
from forecasting.storage.lake import Lake
from forecasting.storage.lineage import trace


def test_every_origin_is_hashed_in_the_order_of_its_names(simulated_lake: Lake) -> None:
    """Weeks after the cutoff do not count; the hash is that of the files one after the other."""
    cutoff = dominicks_week(130)
    file = simulated_lake.root / "sales" / f"{cutoff}.parquet"
    for path in (simulated_lake.forecasts.path(cutoff), simulated_lake.reports.table_path):
        Path(path.parent).mkdir(parents=True)
        shutil.copy(file, path)
    simulated_lake.archive.take(cutoff, simulated_lake.archive.waiting()[:2])
    files, sales, promotions, forecast, report = trace(simulated_lake, ForecastSpec(cutoff, horizon=1))
    names = sorted(Path(simulated_lake.root / "sales").glob("*.parquet"))
    counted = [name for name in names if name.stem <= str(cutoff)]
    assert (files.files, files.rows) == (2, None)
    assert (sales.files, sales.rows) == (len(counted), len(simulated_lake.sales.read(cutoff)))
    assert sales.sha256 == hashlib.sha256(b"".join(name.read_bytes() for name in counted)).hexdigest()
    assert promotions.name == f"promotions announced up to {cutoff}"
    assert forecast.sha256 == report.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
