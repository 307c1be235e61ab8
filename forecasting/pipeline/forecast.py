"""The forecast: the functions that a weekly run, a replay and a backtest share, and the check of the rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.calendar import WEEK
from forecasting.contracts.errors import DataError
from forecasting.contracts.panel_definition import Id, Series
from forecasting.contracts.spec import ForecastSpec
from forecasting.contracts.table import Table
from forecasting.core.completeness import active_series
from forecasting.core.distribution import PredictiveDistribution
from forecasting.core.fitted_model import FittedModel
from forecasting.core.forecast_checks import keys_of, require_complete
from forecasting.core.panel import build_panel, complete_promotions, guess_offers
from forecasting.core.partition import PartitionData, partition_panel
from forecasting.core.pool import pooled_series
from forecasting.models import get_model

FALLBACK_MODEL = "mean"


def make_partitions(
    sales: pd.DataFrame,
    promotions: pd.DataFrame,
    spec: ForecastSpec,
    mini_batch_size: int,
    fitted: FittedModel | None = None,
) -> list[PartitionData]:
    """Return the partitions of a cutoff with their rows: every active series, with what was known at the cutoff.

    Args:
        sales: table `sales`; rows after the cutoff are ignored.
        promotions: table `promotions`, past and future; weeks beyond the horizon are ignored.
        fitted: the model to predict by; without one each task fits its own.

    Raises:
        DataError: nothing was sold in the weeks up to the cutoff.
        OptionError: `fitted` was not fitted for such a forecast.
    """
    if fitted:
        fitted.require_fit_for(spec)
    series = active_series(sales, spec.cutoff, spec.definition.unsold)
    require_some(series, spec)
    promotions = promotions[schemas.promotions(spec.definition).columns]
    panel = build_panel(sales, promotions, series, spec.cutoff)
    stores = guessing_stores(series)
    guesses = None if stores is None else guesses_of(promotions[promotions["store"].isin(stores)], spec)
    complete = complete_promotions(promotions, series, spec.cutoff, spec.weeks[-1], spec.definition, guesses)
    partitions = partition_panel(panel, complete, mini_batch_size=mini_batch_size, pooled=get_model(spec.model).pooled)
    if not fitted:
        return partitions
    return [replace(partition, fitted=fitted.only(partition.series)) for partition in partitions]


def guessing_stores(series: pd.DataFrame) -> frozenset[Id] | None:
    """Return the stores that tell what is assumed where one has announced nothing; None for all of the chain."""
    pooled = pooled_series(series)
    return None if len(pooled) == len(series) else frozenset(pooled["store"].unique().tolist())


def guesses_of(promotions: pd.DataFrame, spec: ForecastSpec) -> pd.DataFrame:
    """Return what is assumed where a store has announced nothing, from the promotions of the guessing stores."""
    weeks = pd.date_range(spec.cutoff + WEEK, spec.weeks[-1], freq="7D", unit="us")
    return guess_offers(promotions, weeks, spec.cutoff, spec.definition)


def require_some(series: pd.DataFrame, spec: ForecastSpec) -> None:
    """Check that there is something to forecast.

    Raises:
        DataError: nothing was sold in the weeks up to the cutoff.
    """
    if series.empty:
        raise DataError(
            f"No series has sales in the weeks up to the cutoff {spec.cutoff}",
            "collect those weeks first, or choose a later cutoff (`oj status` shows the weeks of the lake)",
        )


def train(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> FittedModel:
    """Fit the model of `spec` to every active series.

    Args:
        sales: table `sales`; rows after the cutoff are ignored.
        promotions: table `promotions`, past and future; weeks beyond the horizon are ignored.

    Raises:
        DataError: nothing was sold in the weeks up to the cutoff.
        OptionError: the model cannot be trained apart from forecasting.
    """
    model = get_model(spec.model)
    model.require_trainable()
    fits = [
        model.fit(partition.panel, partition.promotions, spec)
        for partition in make_partitions(sales, promotions, spec, mini_batch_size=1_000)
    ]
    rows = pd.concat([each.parameters for each in fits], ignore_index=True)
    texts = {name: text for each in fits for name, text in each.texts.items()}
    table = schemas.parameters(spec.definition)
    return FittedModel(spec, table.cast(rows.sort_values(list(table.key), ignore_index=True)), texts)


def forecast_partition(partition: PartitionData, spec: ForecastSpec) -> pd.DataFrame:
    """Return the forecast of one partition: rows of the table `forecast`, not checked yet.

    Beside its columns the rows carry `median`, `mean` and `mape`: every point that `forecast` may hold.
    """
    model = get_model(spec.model)
    if partition.fitted:
        predictive = model.predict(partition.fitted, partition.panel, partition.promotions, spec)
    else:
        predictive = model.forecast(partition.panel, partition.promotions, spec, partition.pool)
    return _as_forecast(predictive, partition.promotions, spec, model=spec.model)


def forecast(
    sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, fitted: FittedModel | None = None
) -> pd.DataFrame:
    """Forecast every active series in this process, without a cluster.

    A series without parameters in `fitted` gets a fallback.

    Raises:
        RunError: the model left out a series or gave unusable numbers.
    """
    partitions = make_partitions(sales, promotions, spec, mini_batch_size=1_000, fitted=fitted)
    unknown = {key: why for partition in partitions for key, why in untrained_series(partition.series, fitted).items()}
    return assemble([forecast_partition(partition, spec) for partition in partitions], partitions, unknown, spec)


def fallback(partition: PartitionData, spec: ForecastSpec, reasons: Mapping[Series, str]) -> pd.DataFrame:
    """Return forecasts of the series named in `reasons` by the model `mean`, each row with its reason."""
    failed = partition.only(pd.DataFrame(list(reasons), columns=schemas.SERIES))
    rows = _as_forecast(
        get_model(FALLBACK_MODEL).forecast(failed.panel, failed.promotions, spec),
        failed.promotions,
        spec,
        model=FALLBACK_MODEL,
    )
    rows["reason"] = [reasons[key] for key in rows[schemas.SERIES].itertuples(index=False, name=None)]
    return rows


def reasons_among(series: pd.DataFrame, reasons: Mapping[Series, str]) -> dict[Series, str]:
    """Return why some of these series failed, by (store, product)."""
    return {key: reasons[key] for key in keys_of(series) if key in reasons} if reasons else {}


def untrained_series(series: pd.DataFrame, fitted: FittedModel | None) -> dict[Series, str]:
    """Return the series without parameters in a fitted model, with the reason `not_trained`."""
    if fitted is None or not get_model(fitted.spec.model).has_parameters:
        return {}
    known = pd.MultiIndex.from_frame(fitted.series)
    unknown = series[~pd.MultiIndex.from_frame(series[schemas.SERIES]).isin(known)]
    return dict.fromkeys(keys_of(unknown), "not_trained")


def assemble(
    frames: list[pd.DataFrame],
    partitions: Sequence[PartitionData],
    reasons: Mapping[Series, str],
    spec: ForecastSpec,
    table_type: Table | None = None,
) -> pd.DataFrame:
    """Put the partitions' rows together, add the fallbacks, and check that every expected row is there once.

    Args:
        frames: rows of the partitions that succeeded; rows of series named in `reasons` are left out.
        partitions: all partitions of the batch.
        reasons: why a series failed, by (store, product).
        table_type: `forecast`, also where it is None; or `all_points`, which keeps the other points too.

    Returns:
        The table, sorted by series and step.

    Raises:
        RunError: a series × step is missing, there twice, or has unusable numbers.
    """
    failed = ((partition, reasons_among(partition.series, reasons)) for partition in partitions)
    fallbacks = [fallback(partition, spec, here) for partition, here in failed if here]
    series = pd.concat([partition.series for partition in partitions], ignore_index=True)
    return join(frames, fallbacks, series, reasons, spec, table_type)


def join(
    frames: Iterable[pd.DataFrame],
    fallbacks: Iterable[pd.DataFrame],
    series: pd.DataFrame,
    reasons: Mapping[Series, str],
    spec: ForecastSpec,
    table_type: Table | None = None,
) -> pd.DataFrame:
    """Put rows of the model and fallbacks together, and check that every expected row is there once.

    Args:
        series: that are expected. Others as in `assemble`.

    Raises:
        RunError: a series × step is missing, there twice, or has unusable numbers.
    """
    parts = [rows for rows in frames if len(rows)]
    if reasons:
        failed = pd.MultiIndex.from_tuples(list(reasons), names=schemas.SERIES)
        parts = [rows[~pd.MultiIndex.from_frame(rows[schemas.SERIES]).isin(failed)] for rows in parts]
    parts = [rows for rows in (*parts, *fallbacks) if len(rows)]
    table_type = table_type or schemas.forecast(spec.definition)
    table = table_type.cast(pd.concat(parts, ignore_index=True))
    table = table.sort_values([*schemas.SERIES, "step"], ignore_index=True)
    require_complete(table, series, spec)
    return table


def _as_forecast(
    predictive: PredictiveDistribution, promotions: pd.DataFrame, spec: ForecastSpec, *, model: str
) -> pd.DataFrame:
    rows = predictive.summarise(schemas.LEVELS)
    rows["forecast"] = rows[spec.point]
    known = promotions.loc[promotions["known"], schemas.CELL]
    is_known = pd.MultiIndex.from_frame(rows[schemas.CELL]).isin(pd.MultiIndex.from_frame(known))
    return rows.assign(
        cutoff=pd.Timestamp(spec.cutoff).as_unit("us"),
        model=model,
        reason=None,
        promotion_known=is_known if spec.definition.covariates else True,  # of nothing, all is announced
    )
