"""The identity of a run: a hash of its input, its options and its code."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from forecasting.contracts import schemas
from forecasting.contracts.spec import ForecastSpec
from forecasting.contracts.table import Table


def identify(
    sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec, options: Mapping[str, Any], code: str
) -> str:
    """Return the run id: a hash of input, options and code. Equal ids stand for equal forecasts.

    Args:
        sales: table `sales`; rows after the cutoff do not count.
        promotions: table `promotions`; weeks beyond the horizon do not count.
        options: other values that the forecast depends on.
        code: fingerprint of the code and of the libraries that compute it.

    Returns:
        16 hexadecimal digits.
    """
    digest = _digest_of_input(sales, promotions, spec)
    digest.update(json.dumps([spec.as_dict(), dict(options), code], sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def hash_of_input(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> str:
    """Return a hash of the input of a forecast, or a training, at this cutoff; arguments as in `identify`."""
    return _digest_of_input(sales, promotions, spec).hexdigest()[:16]


def _digest_of_input(sales: pd.DataFrame, promotions: pd.DataFrame, spec: ForecastSpec) -> "hashlib._Hash":
    digest = hashlib.sha256()
    seen = sales[sales["week"] <= pd.Timestamp(spec.cutoff)]
    planned = promotions[promotions["week"] <= pd.Timestamp(spec.weeks[-1])]
    for frame, table in ((seen, schemas.sales(spec.definition)), (planned, schemas.promotions(spec.definition))):
        digest.update(_hash_of(frame, table))
    return digest


def _hash_of(frame: pd.DataFrame, table: Table) -> bytes:
    """Return the hash of a table's content, whatever the order of its rows."""
    ordered = frame[table.columns].sort_values(list(table.key), ignore_index=True)
    return hashlib.sha256(pd.util.hash_pandas_object(ordered, index=False).to_numpy().tobytes()).digest()
