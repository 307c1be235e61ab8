"""The forecast: the one function behind the weekly run, a replay and a backtest, and the check of its rows."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from forecasting import schemas
from forecasting.errors import DataError, RunError
from forecasting.ledger import active_series
from forecasting.models import get_model
from forecasting.models.fitted import Fitted
from forecasting.models.mean import mean
from forecasting.panel import build_panel, complete_promotions
from forecasting.partition import Partition, partition_panel
from forecasting.predictive import Predictive
from forecasting.spec import ForecastSpec
from forecasting.table import Table

Series = tuple[int, int]
FALLBACK_MODEL = "mean"
POINT_AND_INTERVALS = ["forecast", *(f"{side}_{level}" for level in schemas.LEVELS for side in ("lo", "hi"))]


def make_partitions(
    sales: pd.DataFrame,
    promotions: pd.DataFrame,
    spec: ForecastSpec,
    mini_batch_size: int,
    fitted: Fitted | None = None,
) -> list[Partition]:
    """Cut the batch of a cutoff: every active series, with what was known of it at the cutoff.

    Args:
        sales: table `sales`; rows after the cutoff are ignored.
        promotions: table `promotions`, past and future; weeks beyond the horizon are ignored.
        fitted: the model to forecast by; without one each partition learns and forecasts in one.

    Raises:
        DataError: nothing was sold in the weeks up to the cutoff.
        OptionError: `fitted` is not fit for this forecast.
    """
    if fitted:
        fitted.require_fit_for(spec)
    series = active_series(sales, spec.cutoff)
    if series.empty:
        raise DataError(
            f"No series has sales in the weeks up to the cutoff {spec.cutoff}",
            "collect those weeks first, or choose a later cutoff (`oj status` shows the weeks of the lake)",
        )
    panel = build_panel(sales, promotions, series, spec.cutoff)
    complete = complete_promotions(promotions, series, spec.cutoff, spec.weeks[-1])
    partitions = partition_panel(panel, complete, mini_batch_size=mini_batch_size, pooled=get_model(spec.model).pooled)
    if not fitted:
        return partitions
    return [replace(partition, fitted=fitted.only(partition.series)) for partition in partitions]


def forecast_partition(partition: Partition, spec: ForecastSpec) -> pd.DataFrame:
    """Forecast the series of one partition: rows of the table `forecast`, none of them checked.

    Beside its columns the rows carry `median`, `mean` and `mape`: every point that `forecast` could have been.
    """
    model = get_model(spec.model)
    if partition.fitted:
        predictive = model.predict(partition.fitted, partition.panel, partition.promotions, spec)
    else:
        predictive = model.forecast(partition.panel, partition.promotions, spec)
    return _as_forecast(predictive, partition.promotions, spec, model=spec.model)


def forecast(
    sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, fitted: Fitted | None = None
) -> pd.DataFrame:
    """Forecast every active series here and now, without a cluster: what the partitions give, put together.

    A series that `fitted` does not know gets a fallback.

    Raises:
        RunError: the model left out a series or answered with unusable numbers.
    """
    partitions = make_partitions(sales, promotions, spec, mini_batch_size=1_000, fitted=fitted)
    unknown = {key: why for partition in partitions for key, why in untrained_series(partition.series, fitted).items()}
    return assemble([forecast_partition(partition, spec) for partition in partitions], partitions, unknown, spec)


def fallback(partition: Partition, spec: ForecastSpec, reasons: Mapping[Series, str]) -> pd.DataFrame:
    """Forecasts of the series named in `reasons` by the climatology, each row with its reason."""
    failed = partition.only(pd.DataFrame(list(reasons), columns=schemas.SERIES))
    rows = _as_forecast(mean(failed.panel, failed.promotions, spec), failed.promotions, spec, model=FALLBACK_MODEL)
    rows["reason"] = [reasons[key] for key in rows[schemas.SERIES].itertuples(index=False, name=None)]
    return rows


def untrained_series(series: pd.DataFrame, fitted: Fitted | None) -> dict[Series, str]:
    """The series that a fitted model has learnt nothing of, with that as the reason: `not_trained`."""
    if fitted is None or get_model(fitted.spec.model).learns != "parameters":
        return {}
    known = pd.MultiIndex.from_frame(fitted.series)
    unknown = series[~pd.MultiIndex.from_frame(series[schemas.SERIES]).isin(known)]
    return {_key(key): "not_trained" for key in unknown[schemas.SERIES].itertuples(index=False, name=None)}


def unusable_series(rows: pd.DataFrame, series: pd.DataFrame, spec: ForecastSpec) -> dict[Series, str]:
    """Series of a partition whose rows cannot be published, with the reason.

    `missing_row`: a step is missing or there twice; `not_finite`, `negative`; `crossing`: the interval's
    ends are not ordered or the wider level does not contain the narrower.
    """
    lo_80, hi_80, lo_95, hi_95 = (rows[name] for name in ("lo_80", "hi_80", "lo_95", "hi_95"))
    values = rows[POINT_AND_INTERVALS]
    broken = {
        "crossing": (lo_95 > lo_80) | (lo_80 > hi_80) | (hi_80 > hi_95),
        "negative": (values < 0).any(axis=1),
        "not_finite": ~np.isfinite(values).all(axis=1),
    }
    unusable = {
        _key(key): reason
        for reason, is_broken in broken.items()
        for key in rows.loc[is_broken, schemas.SERIES].itertuples(index=False, name=None)
    }
    in_its_week = rows["week"] == pd.Timestamp(spec.cutoff) + pd.to_timedelta(rows["step"] * 7, unit="D")
    steps = rows[in_its_week].groupby(schemas.SERIES)["step"].agg(lambda found: sorted(found) == list(spec.steps))
    complete = {_key(key) for key in steps.index[steps]}
    for key in series[schemas.SERIES].itertuples(index=False, name=None):
        if _key(key) not in complete:
            unusable[_key(key)] = "missing_row"
    return unusable


def assemble(
    frames: list[pd.DataFrame],
    partitions: list[Partition],
    reasons: Mapping[Series, str],
    spec: ForecastSpec,
    table_type: Table = schemas.FORECAST,
) -> pd.DataFrame:
    """Put the partitions' rows together, add the fallbacks, and see that every expected row is there once.

    Args:
        frames: rows of the partitions that succeeded; rows of series named in `reasons` are left out.
        partitions: all partitions of the batch.
        reasons: why a series failed, by (store, brand).
        table_type: `forecast`, or `all_points`, which keeps the other points too.

    Returns:
        The table, sorted by series and step.

    Raises:
        RunError: a series × step is missing, there twice, or has unusable numbers.
    """
    parts = list(frames)
    if reasons:
        failed = pd.MultiIndex.from_tuples(list(reasons), names=schemas.SERIES)
        parts = [rows[~pd.MultiIndex.from_frame(rows[schemas.SERIES]).isin(failed)] for rows in parts]
        for partition in partitions:
            here = {_key(key) for key in partition.series.itertuples(index=False, name=None)} & set(reasons)
            if here:
                parts.append(fallback(partition, spec, {key: reasons[key] for key in sorted(here)}))
    table = table_type.cast(pd.concat([rows for rows in parts if len(rows)], ignore_index=True))
    table = table.sort_values([*schemas.SERIES, "step"], ignore_index=True)
    series = pd.concat([partition.series for partition in partitions], ignore_index=True)
    require_complete(table, series, spec)
    return table


def require_complete(table: pd.DataFrame, series: pd.DataFrame, spec: ForecastSpec) -> None:
    """See that every expected series × step stands in `table` exactly once, with usable numbers.

    Raises:
        RunError: it does not.
    """
    unusable = unusable_series(table, series, spec)
    if unusable or len(table) != len(series) * spec.horizon:
        examples = "; ".join(
            f"store {store} brand {brand}: {why}" for (store, brand), why in list(unusable.items())[:3]
        )
        raise RunError(
            f"The forecast of {spec.cutoff} has {len(table)} rows where {len(series) * spec.horizon} are expected, "
            f"{len(unusable)} series are unusable ({examples or 'rows of unexpected series'})",
            "nothing was published; run again, and report it if it happens again",
        )


def _as_forecast(predictive: Predictive, promotions: pd.DataFrame, spec: ForecastSpec, *, model: str) -> pd.DataFrame:
    rows = predictive.summarise(schemas.LEVELS)
    rows["forecast"] = rows[spec.point]
    known = promotions.loc[promotions["known"], schemas.CELL]
    return rows.assign(
        cutoff=pd.Timestamp(spec.cutoff).as_unit("us"),
        model=model,
        reason=None,
        promotion_known=pd.MultiIndex.from_frame(rows[schemas.CELL]).isin(pd.MultiIndex.from_frame(known)),
    )


def _key(key: tuple[object, ...]) -> Series:
    store, brand = key
    return int(str(store)), int(str(brand))
