"""The stages of a backtest: past weeks are forecast as they would have been forecast then, and scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from forecasting.compute import Cluster
from forecasting.contracts import schemas
from forecasting.contracts.errors import OptionError
from forecasting.contracts.orange_juice import PROMOTIONS, SALES
from forecasting.contracts.panel_definition import ORANGE_JUICE, PanelDefinition
from forecasting.contracts.spec import BatchSpec, ForecastSpec, Point
from forecasting.core.backtest import score_models, with_actuals
from forecasting.core.fitted_model import FittedModel
from forecasting.core.folds import Folds
from forecasting.models import get_model
from forecasting.pipeline.batch import Progress, map_forecast
from forecasting.pipeline.forecast import make_partitions
from forecasting.pipeline.simulation import shipped
from forecasting.storage.files import write_table
from forecasting.storage.lake import Lake
from forecasting.storage.location import local_file


@dataclass(frozen=True)
class Source:
    """The data of a backtest, and where they come from."""

    name: str
    sales: pd.DataFrame
    promotions: pd.DataFrame
    definition: PanelDefinition
    lake: Lake | None = None

    def promotions_at(self, cutoff: date) -> pd.DataFrame:
        """Return the promotions that a live run of that cutoff knows; of the shipped data all are known in advance."""
        return self.lake.promotions.read(cutoff) if self.lake else self.promotions


@dataclass(frozen=True)
class BacktestResult:
    """What a backtest found.

    source: where the data come from. folds: cutoffs that were forecast.
    forecasts: forecasts that were scored, and of these `fallbacks` that a fallback made.
    scores: by model, then by name; shares, not percent; `cpu_ms` is CPU milliseconds a series.
    seconds_by_stage: wall seconds; `total` is the whole backtest.
    """

    source: str
    folds: int
    forecasts: int
    fallbacks: int
    scores: Mapping[str, Mapping[str, float]]
    seconds_by_stage: Mapping[str, float]


def load(lake: Lake, *, of_benchmark: bool) -> Source:
    """Return the data of the lake; the shipped data for a protocol of the benchmark, or where the lake has none."""
    if of_benchmark or not lake.sales.weeks():
        return Source("the shipped data", shipped(SALES), shipped(PROMOTIONS), ORANGE_JUICE)
    return of_lake(lake)


def of_lake(lake: Lake, until: date | None = None) -> Source:
    """Return the sales and promotions of the lake, or those up to a cutoff."""
    return Source(str(lake.root), lake.sales.read(until), lake.promotions.read(until), lake.reference.definition, lake)


def run_folds(
    cluster: Cluster,
    source: Source,
    folds: Folds,
    models: list[str],
    point: Point,
    batch: BatchSpec,
    *,
    on_progress: Progress,
    fitted: FittedModel | None = None,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Forecast every fold by every model, each exactly as a live run at that cutoff would.

    Args:
        fitted: the one model, fitted before all folds; without it the models are fitted anew at each fold.

    Returns:
        Table `backtest`, and the CPU milliseconds of each model for a series and fold.
    """
    parts: list[pd.DataFrame] = []
    milliseconds: dict[str, float] = {}
    done, total = 0, len(folds.cutoffs) * len(models)
    on_progress(done, total)
    for model in models:
        get_model(model)
        cpu_before, series = cluster.usage.seconds_cpu, 0
        for cutoff in folds.cutoffs:
            spec = ForecastSpec(cutoff, folds.horizon, folds.gap, model, point, source.definition)
            promotions = source.promotions_at(cutoff)
            partitions = make_partitions(source.sales, promotions, spec, batch.mini_batch_size, fitted)
            table = map_forecast(cluster, partitions, spec, batch, table=schemas.all_points)
            series += len(table) // folds.horizon
            parts.append(with_actuals(table, source.sales, source.promotions, model, source.definition))
            done += 1
            on_progress(done, total)
        milliseconds[model] = 1000 * (cluster.usage.seconds_cpu - cpu_before) / series
    return pd.concat(parts, ignore_index=True), milliseconds


def score(source: Source, rows: pd.DataFrame, milliseconds: dict[str, float]) -> pd.DataFrame:
    """Return the scores of each model, one row a model, with its CPU milliseconds a series."""
    return score_models(rows, source.sales).assign(cpu_ms=pd.Series(milliseconds))


def require_writable(out: Path | None) -> None:
    """Check that the file of the backtest can be written, before hours are spent on it.

    Raises:
        OptionError: it is a folder, or its folder cannot be made.
    """
    if out is None:
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.is_dir():
            raise IsADirectoryError(f"{out} is a folder")
    except OSError as error:
        raise OptionError(f"out={out}", f"cannot be written ({error})", "name a file in a folder of yours") from error


def write_rows(rows: pd.DataFrame, out: Path | None, definition: PanelDefinition) -> None:
    """Write every forecast of the backtest to one Parquet file, where one is asked for."""
    require_writable(out)
    if out:
        write_table(local_file(out), rows, schemas.backtest(definition))
