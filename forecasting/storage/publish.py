"""Publishing by replacement: stage, verify, then one atomic step.

1. The caller holds the lock of the week.
2. The rows are checked, written to `staging/<run_id>/` with page checksums, read back and compared.
3. It is renamed, with its manifest, to the immutable `runs/<cutoff>/<run_id>/`.
4. A hard link to it replaces `published/<cutoff>/forecast.parquet`: **this one step is the commit**.

A process killed at any point leaves the old forecast or the new one in force, and never a part of one.
"""

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.errors import RunError
from forecasting.contracts.spec import ForecastSpec
from forecasting.core.forecast_checks import require_complete
from forecasting.storage.files import link_in_place, read_table, sync, write_json, write_table
from forecasting.storage.lake import Lake

SCHEMA_VERSION = "1"


def publish(
    lake: Lake,
    forecast: pd.DataFrame,
    series: pd.DataFrame,
    spec: ForecastSpec,
    run_id: str,
    as_of: datetime | None = None,
    model_version: str | None = None,
) -> Path:
    """Put a forecast in force.

    Args:
        forecast: table `forecast` of one cutoff.
        series: the series that were to be forecast; every one must be there at every step.
        run_id: identity of the run, from its input, options and code.
        known_at: the moment up to which everything that it was made from had been collected.
        model_version: version of the fitted model that made it, where one was kept.

    Returns:
        The path of the published file.

    Raises:
        RunError: what was written is not what was to be written, or is not complete.
    """
    run = lake.run_folder(spec.cutoff, run_id)
    _stage(lake.staging(run_id), forecast, series, spec, run_id, as_of, model_version)
    if not _is_same(lake.staging(run_id) / "run", run):
        _settle(lake.staging(run_id), run)
    published = lake.published_path(spec.cutoff)
    link_in_place(run / "forecast.parquet", published)
    lake.clear_staging(run_id)
    return published


def _stage(
    staging: Path,
    forecast: pd.DataFrame,
    series: pd.DataFrame,
    spec: ForecastSpec,
    run_id: str,
    as_of: datetime | None,
    model_version: str | None,
) -> None:
    require_complete(forecast, series, spec)
    file = staging / "run" / "forecast.parquet"
    made_by = {"model_version": model_version} if model_version else {}
    metadata = {"run_id": run_id, "schema_version": SCHEMA_VERSION, "cutoff": str(spec.cutoff), "point": spec.point}
    write_table(file, forecast, schemas.FORECAST, metadata | made_by)
    written = read_table(file, schemas.FORECAST)
    if not written.equals(schemas.FORECAST.cast(forecast)):
        raise RunError(
            f"The forecast read back from {file} differs from what was written",
            "check the disk, then run again; nothing was published",
        )
    manifest = {
        "run_id": run_id,
        "schema_version": SCHEMA_VERSION,
        "spec": spec.as_dict(),
        "as_of": as_of and as_of.isoformat(),
        **made_by,
        "rows": len(written),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    write_json(staging / "run" / "manifest.json", manifest)


def _is_same(staged: Path, run: Path) -> bool:
    """Whether this very forecast was settled before and is undamaged."""
    if not (run / "manifest.json").exists():
        return False
    return (staged / "forecast.parquet").read_bytes() == (run / "forecast.parquet").read_bytes()


def _settle(staging: Path, run: Path) -> None:
    """Rename the verified run to its final place; an unfinished or damaged predecessor makes room."""
    run.parent.mkdir(parents=True, exist_ok=True)
    if run.exists():
        shutil.rmtree(run)
    (staging / "run").replace(run)
    sync(run.parent)
